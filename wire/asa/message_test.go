package asa_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/asa"
)

var (
	client = asa.Client{Group: "GP", User: "anna", Public: netip.MustParseAddr("192.0.2.7")}
	from   = netip.MustParseAddrPort("192.0.2.7:51529")
)

// TestMessages holds each message to the text that programs of others look for.
func TestMessages(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		message asa.Message
		want    string
	}{
		{asa.HandshakeStarts(from, "TLS"), "%ASA-6-725001: Starting SSL handshake with client outside:192.0.2.7/51529 for TLS session."},
		{asa.HandshakeDone(from), "%ASA-6-725002: Device completed SSL handshake with client outside:192.0.2.7/51529"},
		{asa.HandshakeFailed(from), "%ASA-6-725006: Device failed SSL handshake with client outside:192.0.2.7/51529"},
		{asa.ConnectionEnded(from), "%ASA-6-725007: SSL session with client outside:192.0.2.7/51529 terminated."},
		{asa.LoginAccepted("anna", ""), "%ASA-6-113012: AAA user authentication Successful : local database : user = anna"},
		{asa.LoginAccepted("anna", "10.1.0.9"), "%ASA-6-113004: AAA user authentication Successful : server = 10.1.0.9 : user = anna"},
		{asa.LoginRejected("anna", "", "Invalid password", client.Public), "%ASA-6-113015: AAA user authentication Rejected : reason = Invalid password : local database : user = anna : user IP = 192.0.2.7"},
		{asa.LoginRejected("anna", "10.1.0.9", "Unspecified", client.Public), "%ASA-6-113005: AAA user authentication Rejected : reason = Unspecified : server = 10.1.0.9 : user = anna : user IP = 192.0.2.7"},
		{asa.PolicyFound("GP", "anna"), "%ASA-6-113009: AAA retrieved default group policy (GP) for user = anna"},
		{asa.PolicyOfUser("GP", "anna"), "%ASA-6-113003: AAA group policy for user anna is being set to GP"},
		{asa.TransactionAccepted("anna"), "%ASA-6-113008: AAA transaction status ACCEPT : user = anna"},
		{asa.LoginRefused(client), "%ASA-6-716039: Group <GP> User <anna> IP <192.0.2.7> Authentication: rejected, Session Type: WebVPN."},
		{asa.SessionLimit(client, 3), "%ASA-4-113029: Group <GP> User <anna> IP <192.0.2.7> Session could not be established: session limit of 3 reached."},
		{asa.CertificateValid("0A1B", "cn=CP-8861-SEP001122334455"), "%ASA-6-717022: Certificate was successfully validated. serial number: 0A1B, subject name: cn=CP-8861-SEP001122334455."},
		{asa.CertificateInvalid("no authority of the group has issued it"), "%ASA-3-717027: Certificate chain failed validation. no authority of the group has issued it."},
		{asa.SessionStarted(client), "%ASA-6-113039: Group <GP> User <anna> IP <192.0.2.7> AnyConnect parent session started."},
		{asa.ClientType(client, "Cisco SVC IPPhone Client v1.0"), "%ASA-6-722055: Group <GP> User <anna> IP <192.0.2.7> Client Type: Cisco SVC IPPhone Client v1.0"},
		{asa.ClientType(client, ""), "%ASA-6-722055: Group <GP> User <anna> IP <192.0.2.7> Client Type: Unknown"},
		{asa.AddressAssigned(client, netip.MustParseAddr("10.99.0.2"), netip.Addr{}), "%ASA-4-722051: Group <GP> User <anna> IP <192.0.2.7> IPv4 Address <10.99.0.2> IPv6 address <::> assigned to session"},
		{asa.AddressAssigned(client, netip.Addr{}, netip.MustParseAddr("fd00::2")), "%ASA-4-722051: Group <GP> User <anna> IP <192.0.2.7> IPv4 Address <0.0.0.0> IPv6 address <fd00::2> assigned to session"},
		{asa.NoAddress("TG", client), "%ASA-3-722020: TunnelGroup <TG> GroupPolicy <GP> User <anna> IP <192.0.2.7> No address available for SVC connection"},
		{asa.ConnectRefused(client.Public), "%ASA-4-722003: IP <192.0.2.7> Error authenticating SVC connect request."},
		{asa.ConnectUnreadable(client.Public), "%ASA-4-722001: IP <192.0.2.7> Error parsing SVC connect request."},
		{asa.ChannelFirst(client, asa.TCP), "%ASA-5-722033: Group <GP> User <anna> IP <192.0.2.7> First TCP SVC connection established for SVC session."},
		{asa.ChannelAgain(client, asa.TCP), "%ASA-5-722034: Group <GP> User <anna> IP <192.0.2.7> New TCP SVC connection, no existing connection."},
		{asa.ChannelReplaces(client, asa.UDP), "%ASA-5-722032: Group <GP> User <anna> IP <192.0.2.7> New UDP SVC connection replacing old connection."},
		{asa.ChannelUp(client, asa.UDP), "%ASA-6-722022: Group <GP> User <anna> IP <192.0.2.7> UDP SVC connection established without compression"},
		{asa.ChannelDown(client, asa.TCP), "%ASA-6-722023: Group <GP> User <anna> IP <192.0.2.7> TCP SVC connection terminated without compression"},
		{asa.ChannelCloses(client, "Transport closing"), "%ASA-4-722037: Group <GP> User <anna> IP <192.0.2.7> SVC closing connection: Transport closing."},
		{asa.NoDTLS(client), "%ASA-5-722043: Group <GP> User <anna> IP <192.0.2.7> DTLS disabled: unable to negotiate cipher."},
		{asa.Farewell(client, asa.Errors, 16, "no memory"), "%ASA-5-722010: Group <GP> User <anna> IP <192.0.2.7> SVC Message: 16/ERROR: no memory."},
		{asa.Farewell(client, asa.Warnings, 17, "Reconnecting the VPN tunnel."), "%ASA-5-722011: Group <GP> User <anna> IP <192.0.2.7> SVC Message: 17/WARNING: Reconnecting the VPN tunnel.."},
		{asa.Farewell(client, asa.Notifications, 16, "Aborted by caller"), "%ASA-5-722012: Group <GP> User <anna> IP <192.0.2.7> SVC Message: 16/NOTICE: Aborted by caller."},
		{asa.Farewell(client, asa.Informational, 17, ""), "%ASA-5-722013: Group <GP> User <anna> IP <192.0.2.7> SVC Message: 17/INFO: ."},
		{asa.ConnectionLost(client), "%ASA-6-716058: Group <GP> User <anna> IP <192.0.2.7> AnyConnect session lost connection. Waiting to resume."},
		{asa.ConnectionResumed(client, netip.MustParseAddr("192.0.2.8")), "%ASA-6-716059: Group <GP> User <anna> IP <192.0.2.7> AnyConnect session resumed connection from IP <192.0.2.8>."},
		{asa.WebVPNEnded(client, "User Requested"), "%ASA-6-716002: Group <GP> User <anna> IP <192.0.2.7> WebVPN session terminated: User Requested."},
		{asa.SessionEnded("TG", "anna", client.Public, 43*time.Hour+41*time.Minute+14*time.Second, 187346964, 28559584, "User Requested"),
			"%ASA-4-113019: Group = TG, Username = anna, IP = 192.0.2.7, Session disconnected. Session Type: SSL, Duration: 1d 19h:41m:14s, Bytes xmt: 187346964, Bytes rcv: 28559584, Reason: User Requested"},
	} {
		if got := c.message.String(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
		back, err := asa.ParseMessage("<166>Nov 25 2026 18:00:00 gw : " + c.want + "\n")
		if err != nil || back != c.message {
			t.Errorf("%s is read as %+v, %v", c.want, back, err)
		}
	}
}

// TestForgedNames: what a stranger typed must not look like another field or another line.
func TestForgedNames(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		message asa.Message
		not     string
	}{
		"another address": {asa.LoginRefused(asa.Client{User: "x> IP <203.0.113.1"}), "<203.0.113.1>"},
		"another field":   {asa.LoginRejected("x : user IP = 203.0.113.1", "", "Invalid password", client.Public), " : user IP = 203.0.113.1"},
		"another sum":     {asa.SessionEnded("TG", "x, IP = 203.0.113.1", client.Public, 0, 0, 0, "Unknown"), "x, IP"},
		"another line":    {asa.LoginRejected("x\n<166>forged", "", "Invalid password", client.Public), "\n"},
		"a terminal":      {asa.ClientType(client, "\x1b[2J"), "\x1b"},
		"no end":          {asa.ClientType(client, strings.Repeat("x", 10000)), strings.Repeat("x", 100)},
		"no end at all":   {asa.ChannelCloses(client, strings.Repeat("x", 10000)), strings.Repeat("x", 1000)},
	} {
		if got := c.message.String(); strings.Contains(got, c.not) {
			t.Errorf("%s gets through: %q", name, got)
		}
	}
}

func TestParseMessage(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]asa.Message{
		"%ASA-6-113039: text":                            {Severity: 6, ID: 113039, Text: "text"},
		"Jan 1 host %FTD-4-722051: a: b":                 {Severity: 4, ID: 722051, Text: "a: b"},
		"<166>:Oct 09 15:19:43 MSK: %ASA-6-113012: %ASA": {Severity: 6, ID: 113012, Text: "%ASA"},
		"100% of %ASA-7-609001: x":                       {Severity: 7, ID: 609001, Text: "x"},
	} {
		if got, err := asa.ParseMessage(line); err != nil || got != want {
			t.Errorf("%q is read as %+v, %v", line, got, err)
		}
	}
	whole := "%ASA-6-113039:"
	for n := range len(whole) {
		if m, err := asa.ParseMessage(whole[:n]); err == nil {
			t.Errorf("%q is read as %+v", whole[:n], m)
		}
	}
	for _, line := range []string{"%IOS-6-113039: x", "%ASA-8-113039: x", "%ASA-66-113039: x", "%ASA-6-13039: x", "%ASA-6-11303x: x", "%ASA-6-+11303: x"} {
		if m, err := asa.ParseMessage(line); err == nil {
			t.Errorf("%q is read as %+v", line, m)
		}
	}
	if _, err := (asa.Message{Severity: 8}).AppendText(nil); err == nil {
		t.Error("severity 8 is written")
	}
}

func FuzzParseMessage(f *testing.F) {
	f.Add("<166>Nov 25 2026 18:00:00 gw : %ASA-6-113039: Group <GP> User <anna> IP <192.0.2.7> AnyConnect parent session started.")
	f.Add("%FTD-4-722051:")
	f.Fuzz(func(t *testing.T, line string) {
		m, err := asa.ParseMessage(line)
		if err != nil {
			return
		}
		again, err := asa.ParseMessage(m.String())
		if err != nil || again.ID != m.ID || again.Severity != m.Severity {
			t.Errorf("%q is %+v, and written and read again %+v, %v", line, m, again, err)
		}
	})
}

func TestDuration(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "0h:00m:00s", 0: "0h:00m:00s", 61*time.Minute + 5*time.Second: "1h:01m:05s", 24 * time.Hour: "1d 0h:00m:00s",
	} {
		if got := asa.Duration(d); got != want {
			t.Errorf("%v is %s want %s", d, got, want)
		}
	}
}
