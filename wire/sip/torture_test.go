package sip

import (
	"fmt"
	"strings"
	"testing"
)

const plainStart = "OPTIONS sip:user@example.com SIP/2.0"

// torture makes a message of a start line and these fields, "Name: value" each. Of the fields that every
// message has, those not among them are added; "Name:" leaves one out.
func torture(start string, fields ...string) string {
	out := []string{start}
	given := map[string]bool{}
	for _, field := range fields {
		name, value, _ := strings.Cut(field, ":")
		given[strings.ToLower(longName(strings.TrimSpace(name)))] = true
		if value != "" {
			out = append(out, field)
		}
	}
	for _, field := range []string{"Via: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKt", "From: <sip:a@example.net>;tag=f", "To: <sip:b@example.com>",
		"Call-ID: torture@192.0.2.1", "CSeq: 8 OPTIONS", "Max-Forwards: 70", "Content-Length: 0"} {
		if name, _, _ := strings.Cut(field, ":"); !given[strings.ToLower(name)] {
			out = append(out, field)
		}
	}
	return strings.Join(append(out, "", ""), "\r\n")
}

// What RFC 4475 holds against parsers, in messages of our own. The names are those of its sections.

func TestTortureTaken(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		wire string
		see  func(*Message) string
		want string
	}{
		"3.1.1.1 short names, folded lines, odd spaces": {
			torture(plainStart, "TO :\t sip:watson@example.com ;   tag    = 191", "f: \"J. \\\\\\\"\"\r\n   <sip:j@example.net>\r\n  ;\r\n  tag = 98",
				"m: \"Quoted \\\"\\\"\" <sip:j@example.com> ; new = x ; second ; q = 0.33"),
			func(m *Message) string {
				from, _ := m.From()
				contacts, _ := m.Contacts()
				return fmt.Sprint(m.ToTag(), " ", from, " ", contacts)
			},
			`191 "J. \\\"" <sip:j@example.net>;tag=98 ["Quoted \"\"" <sip:j@example.com>;new=x;second;q=0.33]`,
		},
		"3.1.1.3 escapes stay as they are": {
			torture("OPTIONS sip:sips%3Auser%40example.com@example.net SIP/2.0", "Contact: <sip:cal%6Cer@192.0.2.2:5061;%6C%72;n%61me=v%61lue%25%34%31>"),
			func(m *Message) string { return m.URI.String() + " " + m.Fields.Get("Contact") },
			"sip:sips%3Auser%40example.com@example.net <sip:cal%6Cer@192.0.2.2:5061;%6C%72;n%61me=v%61lue%25%34%31>",
		},
		"3.1.1.4 escaped nulls": {
			torture("REGISTER sip:example.com SIP/2.0", "CSeq: 9 REGISTER", "To: sip:null-%00-null@example.com"),
			func(m *Message) string { to, _ := m.To(); return to.URI.User },
			"null-%00-null",
		},
		"3.1.1.5 a percent sign that escapes nothing": {
			torture("RE%47IST%45R sip:example.com SIP/2.0", "CSeq: 9 RE%47IST%45R", `To: "%Z%45" <sip:b@example.com>`),
			func(m *Message) string { return m.Method + " " + m.Fields.Get("To") },
			`RE%47IST%45R "%Z%45" <sip:b@example.com>`,
		},
		"3.1.1.6 no space after the name": {
			torture(plainStart, "From: caller<sip:caller@example.com>;tag=323"),
			func(m *Message) string { from, _ := m.From(); return from.String() },
			`"caller" <sip:caller@example.com>;tag=323`,
		},
		"3.1.1.7 long values": {
			torture(plainStart, `To: "`+long+`" <sip:`+long+`@example.com>`, "Unknown-"+long+": "+long),
			func(m *Message) string {
				to, _ := m.To()
				return fmt.Sprint(to.Name == long, to.URI.User == long, m.Fields.Get("unknown-"+long) == long)
			},
			"true true true",
		},
		"3.1.1.8 bytes after the message": {
			torture(plainStart) + torture("INVITE sip:joe@example.com SIP/2.0", "CSeq: 8 INVITE"),
			func(m *Message) string { return fmt.Sprint(m.Method, len(m.Body)) },
			"OPTIONS0",
		},
		"3.1.1.9 a semicolon in the user": {
			torture("OPTIONS sip:user;par=u%40example.net@example.com SIP/2.0"),
			func(m *Message) string { return m.URI.User + " " + m.URI.Host + m.URI.Params.String() },
			"user;par=u%40example.net example.com",
		},
		"3.1.1.10 transports nobody knows": {
			torture(plainStart, "Via: SIP/2.0/SCTP 192.0.2.1;branch=x", "v: SIP/2.0/UNKNOWN 192.0.2.2;branch=y, SIP/2.0/TLS 192.0.2.3"),
			func(m *Message) string {
				var all []string
				for _, text := range m.Fields.All("Via") {
					v, err := ParseVia(text)
					all = append(all, string(v.Transport), fmt.Sprint(err))
				}
				return strings.Join(all, " ")
			},
			"SCTP <nil> UNKNOWN <nil> TLS <nil>",
		},
		"3.1.1.11 zeros in a body": {
			torture(plainStart, "Content-Type: multipart/mixed;boundary=x", "Content-Length: 9") + "--x\r\n\x00\x01\xff\n",
			func(m *Message) string { return fmt.Sprintf("%q", m.Body) },
			`"--x\r\n\x00\x01\xff\n"`,
		},
		"3.1.1.12 a phrase beyond ASCII": {
			torture("SIP/2.0 200 = 2**3 * 5**2 но сто девяносто девять"),
			func(m *Message) string { return m.Reason },
			"= 2**3 * 5**2 но сто девяносто девять",
		},
		"3.1.1.13 no phrase": {
			torture("SIP/2.0 100 "),
			func(m *Message) string { return fmt.Sprintf("%d%s", m.Status, m.Reason) },
			"100",
		},
		"3.1.2.4 an Expires beyond all numbers": {
			torture(plainStart, "Expires: 10000000000000000000000000"),
			func(m *Message) string { n, ok := m.Expires(); return fmt.Sprint(n != 0 && ok) },
			"false",
		},
		"3.1.2.11 header fields in the request's URI": {
			torture("OPTIONS sip:user@example.com?Route=%3Csip:example.com%3E SIP/2.0"),
			func(m *Message) string { return m.URI.String() },
			"sip:user@example.com",
		},
		"3.1.2.13 the same in a Contact without brackets": {
			torture(plainStart, "Contact: sip:user@example.com?Route=%3Csip:example.com%3E"),
			func(m *Message) string { contacts, _ := m.Contacts(); return fmt.Sprint(contacts) },
			"[<sip:user@example.com>]",
		},
		"3.1.2.14 spaces within brackets": {
			torture(plainStart, `To: "Watson, Thomas" < sip:t.watson@example.org >`),
			func(m *Message) string { to, _ := m.To(); return to.String() },
			`"Watson, Thomas" <sip:t.watson@example.org>`,
		},
		"3.1.2.15 a name that should be quoted": {
			torture(plainStart, "From: Bell, Alexander <sip:a.g.bell@example.com>;tag=43"),
			func(m *Message) string { from, _ := m.From(); return from.String() },
			`"Bell, Alexander" <sip:a.g.bell@example.com>;tag=43`,
		},
		"3.3.2 an unknown scheme": {
			torture("OPTIONS nobodyKnowsThisScheme:totallyopaquecontent SIP/2.0", "To: isbn:2983792873"),
			func(m *Message) string { to, _ := m.To(); return m.URI.String() + " " + to.URI.String() },
			"nobodyknowsthisscheme:totallyopaquecontent isbn:2983792873",
		},
	} {
		m, err := Parse([]byte(c.wire))
		if err != nil {
			t.Errorf("%s: refused: %v", name, err)
			continue
		}
		if got := c.see(m); got != c.want {
			t.Errorf("%s: read as %s, want %s", name, got, c.want)
		}
	}
}

func TestTortureRefused(t *testing.T) {
	t.Parallel()
	for name, wire := range map[string]string{
		// It is legal, but the parser below us makes capitals of it; nobody has such methods.
		"3.1.1.2 a method with small letters":   torture("interesting-Method sip:user@example.com SIP/2.0", "CSeq: 8 interesting-Method"),
		"3.1.2.1 separators without parameters": torture(plainStart, "Via: 192.0.2.15;;,;,,"),
		"3.1.2.2 a body that is missing":        torture(plainStart, "Content-Length: 9999"),
		"3.1.2.3 a negative length":             torture(plainStart, "Content-Length: -999"),
		"3.1.2.4 a CSeq beyond all numbers":     torture(plainStart, "CSeq: 36893488147419103232 OPTIONS"),
		"3.1.2.5 a response's CSeq likewise":    torture("SIP/2.0 503 Service Unavailable", "CSeq: 9292394834772304023312 OPTIONS"),
		"3.1.2.6 quotes that do not end":        torture(plainStart, `To: "Mr. J. User <sip:j.user@example.com>`),
		"3.1.2.7 brackets around the URI":       torture("OPTIONS <sip:user@example.com> SIP/2.0"),
		"3.1.2.8 a space in the URI":            torture("OPTIONS sip:user@example.com; lr SIP/2.0"),
		"3.1.2.9 more than one space":           torture("OPTIONS  sip:user@example.com  SIP/2.0"),
		"3.1.2.10 spaces at the end":            torture("OPTIONS sip:user@example.com SIP/2.0  "),
		"3.1.2.16 another version":              torture("OPTIONS sip:user@example.com SIP/7.0"),
		"3.1.2.16 an answer of another version": torture("SIP/7.0 200 OK"),
		"3.1.2.17 another method in CSeq":       torture(plainStart, "CSeq: 8 INVITE"),
		"3.1.2.19 a status beyond all numbers":  torture("SIP/2.0 4294967301 better not break the receiver"),
		"3.3.1 no Call-ID":                      torture(plainStart, "Call-ID:"),
		"3.3.1 no From":                         torture(plainStart, "From:"),
		"3.3.1 no To":                           torture(plainStart, "To:"),
		"3.3.3 a URI of another kind":           torture("OPTIONS soap.beep://192.0.2.103:3002 SIP/2.0"),
		"3.3.8 two From":                        torture(plainStart, "From: <sip:a@x>;tag=1", "f: <sip:b@x>;tag=2"),
		"3.3.8 two To":                          torture(plainStart, "To: <sip:a@x>", "t: <sip:b@x>"),
		"3.3.8 two Call-ID":                     torture(plainStart, "Call-ID: 1", "i: 2"),
		"3.3.8 two CSeq":                        torture(plainStart, "CSeq: 8 OPTIONS", "CSeq: 9 OPTIONS"),
		"3.3.9 two lengths":                     torture(plainStart, "Content-Length: 0", "l: 5") + "12345",
	} {
		m, err := Parse([]byte(wire))
		if err == nil {
			_, err = ParseVia(m.Fields.Get("Via"))
		}
		if err == nil {
			t.Errorf("%s: taken for %v to %v, Via %q, body %q", name, m, m.URI, m.Fields.All("Via"), m.Body)
		}
	}
}

// Every beginning of what phones write is refused or read without a panic.
func TestCutFields(t *testing.T) {
	t.Parallel()
	whole := 0
	for read, text := range map[string]string{
		"address":     `"Ann \"A\" Lee" <sip:1001@192.0.2.1:5060;transport=tcp>;+sip.instance="<urn:uuid:00000000-0000>";x=y`,
		"via":         `SIP/2.0/TCP [2001:db8::1]:5061;rport=5060;received=192.0.2.1;branch=z9hG4bK5d9a`,
		"challenge":   Challenge{Realm: "a \"r\"", Nonce: "n,1", Opaque: "o", Stale: true, QOP: true}.String(),
		"credentials": Credentials{Username: "u", Realm: "r", Nonce: "n", URI: "sip:x", Response: strings.Repeat("0", 32), CNonce: "c", Count: 1}.String(),
		"alarm":       Alarm{Number: 25, Name: "SEP001122334455", Load: "sip88xx.12-1-1", Last: "initialized"}.String(),
		"remote":      `"Ann" <sip:1001@192.0.2.1>;party=calling;id-type=subscriber;privacy=off;screen=yes`,
		"statistics":  `Dur=12,Pkt=600,Oct=96000,LatePkt=2,LostPkt=3,AvgJit=1.25,VQMetrics="MLQK=4.5;VoRxCodec=G.711 u-law, 20ms"`,
	} {
		for n := range len(text) + 1 {
			part, err := text[:n], error(nil)
			switch read {
			case "address":
				_, err = ParseAddress(part)
			case "via":
				_, err = ParseVia(part)
			case "challenge":
				_, err = ParseChallenge(part)
			case "credentials":
				_, err = ParseCredentials(part)
			case "alarm":
				if a, ok := ParseAlarm(part); ok && n < len(text) {
					t.Errorf("%q without its last quote is taken for %+v", part, a)
				}
			case "remote":
				_, err = ParseRemoteParty(part)
			case "statistics":
				_, err = ParseRTPStat(part)
			}
			if n == len(text) && err == nil {
				whole++
			} else if n == 0 && err == nil && read != "alarm" {
				t.Errorf("nothing is taken for %s", read)
			}
		}
	}
	if whole != 7 {
		t.Errorf("%d of 7 whole fields are read", whole)
	}
}
