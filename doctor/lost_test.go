package doctor_test

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/judge"
)

// What shows that something works, of phone1, SEP001122334455 and 1001.
const (
	lostEndpoint = "[DeviceName=SEP001122334455][IPAddress=10.9.9.4][Protocol=SIP][DeviceType=493]"
	atCUCM       = "%UC_CALLMANAGER-6-EndPointRegistered: %" + lostEndpoint + ": Endpoint registered"
	atOldCUCM    = "%CCM_CALLMANAGER-CALLMANAGER-6-DeviceRegistered: Device registered. Device name [Optional].:SEP001122334455 Device IP address.:10.9.9.4"
	atASA        = lostASA + "%ASA-4-722051: Group <GP> User <phone1> IP <203.0.113.77> Address <10.9.9.4> assigned to session"
	atOcserv     = "ocserv[1]: main[phone1]: 203.0.113.7:51020 user logged in"
	atAsterisk   = "chan_sip.c: -- Registered SIP '1001' at 10.9.9.4:5060"
	atPJSIP      = "    -- Added contact 'sip:1001@10.9.9.4:5060' to AOR '1001' with expiration of 120 seconds"
	atPhone      = "SEP001122334455.cnf.xml.sgn(HTTP)"
	lostASA      = "Nov 12 2026 10:01:03 gw : "
	lostSession  = lostASA + "%ASA-4-113019: Group = GP, Username = phone1, IP = 203.0.113.77, Session disconnected. Session Type: SSL, Duration: 0h:00m:02s, Bytes xmt: 0, Bytes rcv: 0, Reason: "
)

// TestLost: a line that tells of a failure or a loss below what worked takes the verdict back, whether anybody knows the line
// or not, and is asked about. The same line above the success, or with the success once more below it, does not.
func TestLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ works, fails, asks string }{
		{atCUCM, "%UC_CALLMANAGER-3-EndPointUnregistered: %" + lostEndpoint + "[Reason=13]: An endpoint has unregistered", "line 2 of x"},
		{atCUCM, "%UC_CALLMANAGER-3-EndPointTransientConnection: %" + lostEndpoint + "[Reason=1]: An endpoint attempted to register", "line 2 of x"},
		{atOldCUCM, "%CCM_CALLMANAGER-CALLMANAGER-3-DeviceUnregistered: Device unregistered. Device name [Optional].:SEP001122334455 Reason Code [Optional].:13", "line 2 of x"},
		{atASA, lostASA + "%ASA-4-716058: Group <GP> User <phone1> IP <203.0.113.77> AnyConnect session lost connection. Waiting to resume.", "line 2 of x"},
		{atASA, lostASA + "%ASA-6-302014: Teardown TCP connection 1234 for outside:10.9.9.4/50000 to inside:10.1.1.5/2000 duration 0:00:30 bytes 0 SYN Timeout (phone1)", "line 2 of x"},
		{atASA, lostSession + "Unknown", "line 2 of x"},
		{atASA, lostSession + "Port Error", "line 2 of x"},
		{atASA, lostASA + "%ASA-6-716002: Group <GP> User <phone1> IP <203.0.113.77> WebVPN session terminated: Port Error.", "line 2 of x"},
		{atOcserv, "ocserv[1]: main[phone1]: 203.0.113.7:51020 user disconnected (reason: unspecified error, rx: 0, tx: 0)", "log-level = 3"},
		{atOcserv, "ocserv[1]: main[phone1]: 203.0.113.7:51020 failed to run script /etc/ocserv/connect.sh", "line 2 of x"},
		{atOcserv, "ocserv[2]: worker[phone1]: 203.0.113.7:51020 DTLS handshake failed: No supported cipher suites have been found.", "line 2 of x"},
		{atAsterisk, "    -- Unregistered SIP '1001'", "line 2 of x"},
		{atAsterisk, "chan_sip.c: Maximum retries exceeded on transmission abc for seqno 102 (Critical Request)", "line 2 of x"},
		{atAsterisk, "chan_sip.c: Hanging up call abc - no reply to our critical packet", "line 2 of x"},
		{atAsterisk, "res_rtp_asterisk.c: Disconnecting channel 'SIP/1001-0001' for lack of RTP activity in 61 seconds", "line 2 of x"},
		{atPJSIP, "    -- Removed contact 'sip:1001@10.9.9.4:5060' from AOR '1001' due to expiration", "line 2 of x"},
		{atPJSIP, "    -- Endpoint 1001 is now Unreachable", "1001 is switched on"},
		{atPhone, "VPN connection lost", "line 2 of x"},
	} {
		r := judgedTogether(t, "x", c.works+"\n"+c.fails+"\n")
		if asked := strings.Join(r.Needs, " "); r.Verdict != judge.Insufficient || !strings.Contains(asked, c.asks) {
			t.Errorf("%s: %s with %v, asking %q", c.fails, r.Verdict, codes(r), asked)
		}
		if r := judgedTogether(t, "x", c.fails+"\n"+c.works+"\n"); r.Verdict != judge.OK {
			t.Errorf("above the success, %s: %s with %v, asking %q", c.fails, r.Verdict, codes(r), r.Needs)
		}
		if r := judgedTogether(t, "x", c.works+"\n"+c.fails+"\n"+c.works+"\n"); r.Verdict != judge.OK {
			t.Errorf("overcome, %s: %s with %v, asking %q", c.fails, r.Verdict, codes(r), r.Needs)
		}
	}
}

// TestNotLost has lines below a success that are somebody's will, of an idle computer, or of somebody else.
func TestNotLost(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ works, then string }{
		{atCUCM, "%UC_CALLMANAGER-3-EndPointUnregistered: %" + lostEndpoint + "[Reason=9]: An endpoint has unregistered"},
		{atCUCM, "%UC_CALLMANAGER-3-EndPointUnregistered: %[DeviceName=SEP00AABBCCDDEE][IPAddress=10.9.9.5][Reason=13]: An endpoint has unregistered"},
		{atASA, lostSession + "User Requested"},
		{atASA, strings.ReplaceAll(strings.ReplaceAll(lostSession, "phone1", "anna"), "203.0.113.77", "198.51.100.4") + "Port Error"},
		{atASA, lostASA + "%ASA-6-725006: Device failed SSL handshake with client outside:198.51.100.9/4711 to 203.0.113.2/443"},
		{atASA, lostASA + "%ASA-6-302014: Teardown TCP connection 1234 for outside:10.9.9.4/50000 to inside:10.1.1.5/2000 duration 0:00:30 bytes 5120 TCP FINs (phone1)"},
		{atOcserv, "ocserv[1]: main[phone1]: 203.0.113.7:51020 user disconnected (reason: user disconnected, rx: 100, tx: 100)"},
		{atOcserv, "ocserv[1]: main[bob]: 198.51.100.4:51020 failed to run script /etc/ocserv/connect.sh"},
		{atAsterisk, "    -- Unregistered SIP '1002'"},
		{atPJSIP, "    -- Removed contact 'sip:1002@10.9.9.5:5060' from AOR '1002' due to expiration"},
	} {
		if r := judgedTogether(t, "x", c.works+"\n"+c.then+"\n"); r.Verdict != judge.OK {
			t.Errorf("%s: %s with %v, asking %q", c.then, r.Verdict, codes(r), r.Needs)
		}
	}
}

// TestKeptOut: who cannot work has a fault, where others have a warning of the same.
func TestKeptOut(t *testing.T) {
	t.Parallel()
	const nat = lostASA + "%ASA-5-305013: Asymmetric NAT rules matched for forward and reverse flows; Connection for udp src outside:10.9.9.4/5060 dst inside:10.1.1.5/5060 denied due to NAT reverse path failure\n"
	for text, want := range map[string]judge.Verdict{
		lostASA + "%ASA-6-113006: User phone1 locked out on exceeding 3 successive failed authentication attempts\n": judge.Fault,
		"ocserv[11]: main: rejected connection from banned IP: 203.0.113.77\n":                                       judge.Fault,
		"ocserv[11]: main: rejected connection from banned IP: 203.0.113.7\n" + atOcserv + "\n":                      judge.OK,
		nat:                judge.Fault,
		atASA + "\n" + nat: judge.Fault,
	} {
		if r := judgedTogether(t, "x", text); r.Verdict != want {
			t.Errorf("%s: %s with %v, want %s", text, r.Verdict, codes(r), want)
		}
	}
}
