package sip

import (
	"bytes"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// lines joins lines as they stand on the wire.
func lines(text string) []byte {
	return []byte(strings.ReplaceAll(strings.TrimPrefix(text, "\n"), "\n", "\r\n"))
}

// Shapes of messages as enterprise phones send them (docs/wire/sip.md), with addresses for documentation.
var messages = map[string][]byte{
	"register": lines(`
REGISTER sip:192.0.2.1 SIP/2.0
Via: SIP/2.0/TCP 192.0.2.40:50057;branch=z9hG4bK7f1f7a0c
From: <sip:1001@192.0.2.1>;tag=001122334455000a
To: <sip:1001@192.0.2.1>
Call-ID: 00112233-44550002-1b9d2e83-5ac15f2c@192.0.2.40
Max-Forwards: 70
CSeq: 101 REGISTER
User-Agent: Cisco-CP8851/12.1.1
Contact: <sip:8a2c4e3b-1b1a-4f52-8a0f-2f4f6f0e9d11@192.0.2.40:50057;transport=tcp>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-001122334455>";+u.sip!devicename.ccm.cisco.com="SEP001122334455";+u.sip!model.ccm.cisco.com="684"
Supported: replaces,join,X-cisco-callinfo,X-cisco-sis-7.0.0
Reason: SIP;cause=200;text="cisco-alarm:25 Name=SEP001122334455 ActiveLoad=sip88xx.12-1-1 InactiveLoad= Last=initialized"
Expires: 3600
Content-Length: 0

`),
	"invite": lines(`
INVITE sip:1002@192.0.2.1;user=phone SIP/2.0
Via: SIP/2.0/TCP 192.0.2.40:50057;branch=z9hG4bK5d9a
From: "Ann \"A\" Lee" <sip:1001@192.0.2.1>;tag=1
To: <sip:1002@192.0.2.1>
Call-ID: a@192.0.2.40
CSeq: 7 INVITE
Remote-Party-ID: "Ann" <sip:1001@192.0.2.1>;party=calling;id-type=subscriber;privacy=off;screen=yes
Content-Type: application/sdp
Content-Length: 5

v=0
`),
	"answer": lines(`
SIP/2.0 200 OK
Via: SIP/2.0/UDP 192.0.2.1:5060;rport=5060;received=192.0.2.1;branch=z9hG4bK5d9a
From: <sip:1001@192.0.2.1>;tag=1
To: <sip:1002@192.0.2.1>;tag=2
Call-ID: a@192.0.2.40
CSeq: 7 BYE
RTP-RxStat: Dur=5,Pkt=250,Oct=40000,LatePkt=0,LostPkt=1,AvgJit=0.5,VQMetrics="MLQK=4.4;CCR=0.01"
Content-Length: 0

`),
}

func TestMessageBothWays(t *testing.T) {
	t.Parallel()
	for name, wire := range messages {
		m, err := Parse(wire)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := m.AppendBinary(nil)
		if err != nil || !bytes.Equal(got, wire) {
			t.Errorf("%s: written back as\n%s(%v), want\n%s", name, got, err, wire)
		}
	}
}

func TestMessageCut(t *testing.T) {
	t.Parallel()
	for name, wire := range messages {
		for n := range len(wire) {
			if _, err := Parse(wire[:n]); err == nil {
				t.Errorf("%s: the first %d of %d bytes are taken for a message", name, n, len(wire))
			}
		}
	}
}

func TestMessageRefused(t *testing.T) {
	t.Parallel()
	invite := string(messages["invite"])
	for name, wire := range map[string]string{
		"no via":           strings.Replace(invite, "Via:", "Vix:", 1),
		"no from":          strings.Replace(invite, "From:", "Frox:", 1),
		"no call id":       strings.Replace(invite, "Call-ID:", "Call-IX:", 1),
		"cseq of another":  strings.Replace(invite, "7 INVITE", "7 BYE", 1),
		"cseq too large":   strings.Replace(invite, "7 INVITE", "2147483648 INVITE", 1),
		"status too small": strings.Replace(string(messages["answer"]), "200 OK", "99 OK", 1),
		"to is no address": strings.Replace(invite, "To: <sip:1002@192.0.2.1>", "To: <sip:1002@192.0.2.1", 1),
		"too long":         invite + strings.Repeat("x", MaxMessage),
		"not sip":          "GET / HTTP/1.1\r\n\r\n",
	} {
		if m, err := Parse([]byte(wire)); err == nil {
			t.Errorf("%s: taken for %v", name, m)
		}
	}
}

func TestShortNames(t *testing.T) {
	t.Parallel()
	m, err := Parse(lines(`
BYE sip:1002@192.0.2.1 SIP/2.0
v: SIP/2.0/UDP 192.0.2.2
f: sip:1001@192.0.2.1;tag=9
t: <sip:1002@192.0.2.1>;tag=8
i: x
CSeq: 3 BYE
m: <sip:a@192.0.2.2>, "B, C" <sip:b@192.0.2.3;lr>;expires=60
l: 0

`))
	if err != nil {
		t.Fatal(err)
	}
	contacts, err := m.Contacts()
	if err != nil || len(contacts) != 2 || contacts[1].Name != "B, C" || contacts[1].Params.Get("expires") != "60" {
		t.Errorf("contacts %v (%v)", contacts, err)
	}
	if m.CallID() != "x" || m.FromTag() != "9" || m.ToTag() != "8" {
		t.Errorf("call id %q, tags %q and %q", m.CallID(), m.FromTag(), m.ToTag())
	}
	if got, want := m.String(), "BYE 1001 > 1002 (3 BYE) x"; got != want {
		t.Errorf("printed as %q, want %q", got, want)
	}
}

func TestNoFieldSmugglesAnother(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Message){
		"value":  func(m *Message) { m.Fields.Add("Subject", "x\r\nEvil: yes") },
		"name":   func(m *Message) { m.Fields.Add("Subject: y\r\nEvil", "x") },
		"reason": func(m *Message) { m.Status, m.Reason = 200, "OK\r\nEvil: yes" },
		"uri":    func(m *Message) { m.URI.User = "a\r\nEvil: yes" },
	} {
		m, err := Parse(messages["register"])
		if err != nil {
			t.Fatal(err)
		}
		spoil(m)
		if wire, err := m.AppendBinary(nil); err == nil {
			t.Errorf("%s: written as %q", name, wire)
		}
	}
}

func TestAddressBothWays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`<sip:1001@192.0.2.1>;tag=1`,
		`"A \"q\" \\ b" <sip:1001@192.0.2.1:5070;transport=tcp>;expires=60`,
		`<sips:[2001:db8::1]:5061>`,
		`<sip:[2001:db8::1]>`,
		`<tel:+4930123456>`,
		`<sip:a%20b:pw@example.com;lr>;+sip.instance="<urn:uuid:x;y,z>";q`,
		`*`,
	} {
		a, err := ParseAddress(text)
		if err != nil || a.String() != text {
			t.Errorf("%s written back as %s (%v)", text, a, err)
		}
	}
	for _, text := range []string{``, `<`, `"x`, `"x" `, `<sip:>`, `<sip:a@>`, `<sip:a@b:99999>`, `<sip:a@b>;x="y`, `sip`, `<sip:a b@c>`} {
		if a, err := ParseAddress(text); err == nil {
			t.Errorf("%q taken for %v", text, a)
		}
	}
}

func TestDevice(t *testing.T) {
	t.Parallel()
	m, err := Parse(messages["register"])
	if err != nil {
		t.Fatal(err)
	}
	contacts, err := m.Contacts()
	if err != nil {
		t.Fatal(err)
	}
	got, ok := DeviceOf(contacts[0])
	want := Device{Instance: "urn:uuid:00000000-0000-0000-0000-001122334455", Name: "SEP001122334455", Model: 684}
	if !ok || got != want {
		t.Errorf("device %+v, want %+v", got, want)
	}
	if !slices.Equal(got.Params(), contacts[0].Params) {
		t.Errorf("written back as %v, want %v", got.Params(), contacts[0].Params)
	}
}

func TestAlarm(t *testing.T) {
	t.Parallel()
	want := Alarm{Number: 25, Name: "SEP001122334455", Load: "sip88xx.12-1-1", Last: "initialized"}
	if got, ok := ParseAlarm(want.String()); !ok || got != want {
		t.Errorf("%v read back as %v", want, got)
	}
	old, ok := ParseAlarm(`SIP;cause=200;text="cisco-alarm:14 Name=SEP001122334455 Load=SIP42.9-4-2SR3-1S Last=cm-closed-tcp"`)
	if !ok || old.Load != "SIP42.9-4-2SR3-1S" || old.Last != "cm-closed-tcp" {
		t.Errorf("older form read as %+v", old)
	}
	for _, text := range []string{``, `Q.850;cause=16`, `SIP;cause=200;text="cisco-alarm:"`, `SIP;text="cisco-alarm:x Name=y"`, `SIP;text="`} {
		if got, ok := ParseAlarm(text); ok {
			t.Errorf("%q taken for the alarm %v", text, got)
		}
	}
}

func TestRemoteParty(t *testing.T) {
	t.Parallel()
	want := `"Ann" <sip:1001@192.0.2.1>;party=calling;id-type=subscriber;privacy=off;screen=yes`
	r, err := ParseRemoteParty(want)
	if err != nil || r.String() != want {
		t.Errorf("written back as %s (%v)", r, err)
	}
}

func TestVia(t *testing.T) {
	t.Parallel()
	peer := netip.MustParseAddrPort("203.0.113.9:40000")
	for text, want := range map[string]string{
		"SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKx;rport": "SIP/2.0/UDP 10.0.0.1:5062;branch=z9hG4bKx;rport=40000;received=203.0.113.9",
		"SIP/2.0/TCP host;received=192.0.2.1;branch=y":    "SIP/2.0/TCP host;branch=y;received=203.0.113.9",
	} {
		v, err := ParseVia(text)
		if got := v.Stamp(peer).String(); err != nil || got != want {
			t.Errorf("%s stamped as %s (%v), want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "SIP/1.0/UDP a", "SIP/2.0/UDP", "SIP/2.0/UDP a:b"} {
		if v, err := ParseVia(text); err == nil {
			t.Errorf("%q taken for %v", text, v)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, wire := range messages {
		f.Add(wire)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := Parse(data)
		if err != nil {
			return
		}
		_ = m.String()
		_, _ = m.Contacts()
		_, _ = ParseVia(m.Fields.Get("Via"))
		wire, err := m.AppendBinary(nil)
		if err != nil || len(wire) > MaxMessage {
			return // what a parser tolerates inside a field need not be written
		}
		again, err := Parse(wire)
		if err != nil {
			t.Fatalf("%q, written as %q, cannot be read back: %v", data, wire, err)
		}
		if second, err := again.AppendBinary(nil); err != nil || !bytes.Equal(second, wire) {
			t.Fatalf("written as %q, then as %q (%v)", wire, second, err)
		}
	})
}

func FuzzAddress(f *testing.F) {
	for _, text := range []string{`"A \"q\"" <sip:1001@192.0.2.1:5070;transport=tcp>;expires=60`, `sip:a@b;tag=1`, `*`, `<tel:1>`, `<sip:[::1]>;x="y;z"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		a, err := ParseAddress(text)
		if err != nil {
			return
		}
		again, err := ParseAddress(a.String())
		if err != nil || again.String() != a.String() {
			t.Fatalf("%q written as %q, read back as %q (%v)", text, a, again, err)
		}
	})
}
