package cstp

import (
	"bufio"
	"bytes"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/dtls"
)

// recorded returns the files of testdata with an ending, with the line ends of the wire.
func recorded(t testing.TB, ending string) map[string][]byte {
	t.Helper()
	files, err := filepath.Glob("testdata/*." + ending)
	if err != nil || len(files) == 0 {
		t.Fatalf("no testdata/*.%s: %v", ending, err)
	}
	heads := make(map[string][]byte)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		heads[strings.TrimSuffix(filepath.Base(file), "."+ending)] = bytes.ReplaceAll(text, []byte("\n"), []byte("\r\n"))
	}
	return heads
}

func TestRecordedRequests(t *testing.T) {
	t.Parallel()
	for name, head := range recorded(t, "request") {
		r, err := ParseRequest(head)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if r.UserAgent != "Open AnyConnect VPN Agent v9.01-3" || r.Cookie.IsZero() || r.BaseMTU != 1500 || r.MTU != 1390 || !r.FullIPv6 {
			t.Errorf("%s: read %+v", name, r)
		}
		if _, err := r.MasterKey(); (err != nil) != (name == "tls-only") {
			t.Errorf("%s: master key: %v", name, err)
		}
		// Apart from the lines without a field, which move to the end, it is written as it was read.
		var lines []string
		for line := range strings.Lines(string(head)) {
			if !strings.HasPrefix(line, "X-AnyConnect-") && line != "X-DTLS-CipherSuite: \r\n" {
				lines = append(lines, line)
			}
		}
		r.Other = nil
		back, err := r.AppendBinary(nil)
		if err != nil || string(back) != strings.Join(lines, "") {
			t.Errorf("%s: wrote\n%s(%v)\nwant\n%s", name, back, err, strings.Join(lines, ""))
		}
	}
}

func TestRecordedSuites(t *testing.T) {
	t.Parallel()
	r, err := ParseRequest(recorded(t, "request")["psk"])
	if err != nil {
		t.Fatal(err)
	}
	if r.CipherSuites[0] != "PSK-NEGOTIATE" || r.CipherSuites[7] != "AES128-SHA" || len(r.CipherSuites) != 8 {
		t.Errorf("X-DTLS-CipherSuite: %q", r.CipherSuites)
	}
	if r.CipherSuites12[0] != "ECDHE-RSA-AES256-GCM-SHA384" || len(r.CipherSuites12) != 8 {
		t.Errorf("X-DTLS12-CipherSuite: %q", r.CipherSuites12)
	}
	if len(r.Other) != 2 || r.Other[0].Name != "X-AnyConnect-STRAP-Verify" {
		t.Errorf("other headers: %q", r.Other)
	}
}

func TestRecordedAnswers(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]struct {
		version dtls.Version
		suite   dtls.Suite
		mtu     int
	}{
		"dtls09-aes128sha":    {dtls.Version09, dtls.AES128SHA, 1406},
		"dtls09-aes256sha":    {dtls.Version09, dtls.AES256SHA, 1406},
		"form-login":          {dtls.Version09, dtls.AES256SHA, 1406},
		"oc-dtls12-aes128gcm": {dtls.Version12, dtls.AES128GCM, 1434},
		"dtls12-aes256gcm":    {dtls.Version12, dtls.AES256GCM, 1434},
		"tls-only":            {mtu: 1472},
		"psk":                 {mtu: 1434},
	} {
		a, err := ParseAnswer(recorded(t, "answer")[name])
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if psk := a.DTLS.PSK(); psk != (name == "psk") {
			t.Errorf("%s: a pre-shared key is wanted: %t", name, psk)
		}
		version, suite, found := a.DTLS.Suite()
		if version != want.version || suite != want.suite || found != (want.suite != 0) || a.MTU != want.mtu {
			t.Errorf("%s: %v %v, mtu %d, want %v %v, %d", name, version, suite, a.MTU, want.version, want.suite, want.mtu)
		}
		if a.Prefix() != netip.MustParsePrefix("10.88.0.190/24") || a.DPD != 5*time.Second || a.Keepalive != 20*time.Second || a.RekeyMethod != RekeyNewTunnel || a.SessionTimeout != 0 {
			t.Errorf("%s: read %+v", name, a)
		}
	}
}

// forPhone is an answer with everything that a phone gets.
var forPhone = Answer{
	Address: netip.MustParseAddr("10.99.0.12"), Netmask: netip.MustParseAddr("255.255.255.0"),
	DNS: []netip.Addr{netip.MustParseAddr("10.1.1.53")}, Domain: "example.net", Banner: "Hello\nphones 100%",
	DPD: 30 * time.Second, Keepalive: 20 * time.Second, IdleTimeout: 30 * time.Minute, DisconnectedTimeout: 30 * time.Minute,
	RekeyMethod: RekeyNone, Keep: true, TCPKeepalive: true, SmartcardRemoval: true, License: "accept",
	DTLS: DTLSAnswer{
		SessionID: bytes.Repeat([]byte{0xab}, SessionIDLen), Port: 443, DPD: 30 * time.Second, Keepalive: 20 * time.Second,
		CipherSuite: "AES256-SHA", MTU: 1290,
	},
	BaseMTU: 1500, MTU: 1290,
}

const forPhoneText = `HTTP/1.1 200 CONNECTED
X-CSTP-Version: 1
X-CSTP-Address: 10.99.0.12
X-CSTP-Netmask: 255.255.255.0
X-CSTP-DNS: 10.1.1.53
X-CSTP-Default-Domain: example.net
X-CSTP-Tunnel-All-DNS: false
X-CSTP-Client-Bypass-Protocol: false
X-CSTP-Banner: Hello%0Aphones%20100%25
X-CSTP-DPD: 30
X-CSTP-Keepalive: 20
X-CSTP-Idle-Timeout: 1800
X-CSTP-Session-Timeout: none
X-CSTP-Disconnected-Timeout: 1800
X-CSTP-Rekey-Time: 0
X-CSTP-Rekey-Method: none
X-CSTP-Keep: true
X-CSTP-TCP-Keepalive: true
X-CSTP-Smartcard-Removal-Disconnect: true
X-CSTP-License: accept
X-DTLS-Session-ID: abababababababababababababababababababababababababababababababab
X-DTLS-Port: 443
X-DTLS-DPD: 30
X-DTLS-Keepalive: 20
X-DTLS-CipherSuite: AES256-SHA
X-DTLS-MTU: 1290
X-CSTP-Base-MTU: 1500
X-CSTP-MTU: 1290

`

func TestAnswerBytes(t *testing.T) {
	t.Parallel()
	want := strings.ReplaceAll(forPhoneText, "\n", "\r\n")
	got, err := forPhone.AppendBinary(nil)
	if err != nil || string(got) != want {
		t.Fatalf("wrote\n%s(%v)\nwant\n%s", got, err, want)
	}
	for name, head := range map[string]string{
		"as written":  want,
		"lower case":  "HTTP/1.1 200 CONNECTED" + strings.ToLower(want[len("HTTP/1.1 200 CONNECTED"):]),
		"bare LF":     forPhoneText,
		"folded line": strings.Replace(want, "X-CSTP-License: accept", "X-CSTP-License:\r\n accept", 1),
	} {
		back, err := ParseAnswer([]byte(head))
		if name == "lower case" {
			back.DTLS.CipherSuite, back.Banner = forPhone.DTLS.CipherSuite, forPhone.Banner
		}
		if err != nil || !reflect.DeepEqual(back, forPhone) {
			t.Errorf("%s: read %+v, %v, want %+v", name, back, err, forPhone)
		}
	}
}

func TestAnswerNetworks(t *testing.T) {
	t.Parallel()
	a := Answer{
		DNS:          []netip.Addr{netip.MustParseAddr("10.0.0.53"), netip.MustParseAddr("fd00::53")},
		SplitInclude: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/16")},
		SplitExclude: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/32"), netip.MustParsePrefix("2001:db8::/32")},
	}
	const want = "X-CSTP-DNS: 10.0.0.53\r\nX-CSTP-DNS-IP6: fd00::53\r\n" +
		"X-CSTP-Split-Include: 10.0.0.0/255.0.0.0\r\nX-CSTP-Split-Include-IP6: fd00::/16\r\n" +
		"X-CSTP-Split-Exclude: 0.0.0.0/255.255.255.255\r\nX-CSTP-Split-Exclude-IP6: 2001:db8::/32\r\n"
	wire, err := a.AppendBinary(nil)
	if err != nil || !strings.Contains(string(wire), want) {
		t.Fatalf("wrote\n%s(%v)", wire, err)
	}
	back, err := ParseAnswer(wire)
	if err != nil || !reflect.DeepEqual(a, back) {
		t.Errorf("read %+v %v", back, err)
	}
}

// The form that gateways use towards clients that did not say FullIPv6.
func TestAnswerOldIPv6(t *testing.T) {
	t.Parallel()
	head := "HTTP/1.1 200 CONNECTED\r\nX-CSTP-Address: 10.0.0.2\r\nX-CSTP-Netmask: 255.255.0.0\r\n" +
		"X-CSTP-Address: fd00::5\r\nX-CSTP-Netmask: fd00::/64\r\n\r\n"
	a, err := ParseAnswer([]byte(head))
	if err != nil || a.Prefix() != netip.MustParsePrefix("10.0.0.2/16") || len(a.Other) != 2 {
		t.Errorf("read %+v %v", a, err)
	}
}

func TestAnswerRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ line, want string }{
		{"X-CSTP-MTU: 70000", `cstp: X-CSTP-MTU: "70000" is not a number up to 65535`},
		{"X-CSTP-DPD: soon", `cstp: X-CSTP-DPD: "soon" is not a number of seconds`},
		{"X-CSTP-Netmask: 255.0.255.0", `cstp: X-CSTP-Netmask: 255.0.255.0 is not a netmask`},
		{"X-DTLS-Session-ID: abcd", `cstp: X-DTLS-Session-ID: "abcd" is not 64 hex digits`},
		{"no colon", `cstp: header line 1 is "no colon", want name: value`},
	} {
		_, err := ParseAnswer([]byte("HTTP/1.1 200 CONNECTED\r\n" + c.line + "\r\n\r\n"))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: %v, want %s", c.line, err, c.want)
		}
	}
	if _, err := (Answer{Domain: "a\r\nX-Evil: 1"}).AppendBinary(nil); err == nil {
		t.Error("a value with a line break was written")
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		refusal Refusal
		wire    string
	}{
		{CookieRefused, "HTTP/1.1 401 Cookie is not acceptable\r\nContent-Length: 0\r\n\r\n"},
		{NoAddress, "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\nX-Reason: No address available\r\n\r\n"},
	} {
		wire, err := c.refusal.AppendBinary(nil)
		if err != nil || string(wire) != c.wire {
			t.Errorf("wrote %q, %v, want %q", wire, err, c.wire)
		}
		_, err = ParseAnswer(wire)
		if got, ok := err.(*Refusal); !ok || *got != c.refusal {
			t.Errorf("read %v, want %v", err, c.refusal)
		}
	}
	for _, line := range []string{"", "HTTP/1.1", "HTTP/1.1 2000 X", "ICY 200 OK", "HTTP/1.1 -99 X"} {
		if _, err := ParseAnswer([]byte(line + "\r\n\r\n")); err == nil {
			t.Errorf("status line %q was accepted", line)
		}
	}
}

func TestRequestForPhone(t *testing.T) {
	t.Parallel()
	r := Request{
		Host: "vpn.example.net", UserAgent: "Cisco SVC IPPhone Client v1.0", Cookie: secret.New("c00kie="), Hostname: "SEP001122334455",
		MTU: 1290, Addresses: []netip.Addr{netip.MustParseAddr("10.99.0.12")},
		MasterSecret: secret.New(strings.Repeat("0F", MasterSecretLen)), CipherSuites: []string{"AES256-SHA", "AES128-SHA"},
		CipherSuites12: []string{"ECDHE-RSA-AES128-GCM-SHA256"},
	}
	want := "CONNECT /CSCOSSLC/tunnel HTTP/1.1\r\nHost: vpn.example.net\r\nUser-Agent: Cisco SVC IPPhone Client v1.0\r\n" +
		"Cookie: webvpn=c00kie=\r\nX-CSTP-Version: 1\r\nX-CSTP-Hostname: SEP001122334455\r\nX-CSTP-MTU: 1290\r\nX-CSTP-Address: 10.99.0.12\r\n" +
		"X-DTLS-Master-Secret: " + strings.Repeat("0F", MasterSecretLen) + "\r\n" +
		"X-DTLS-CipherSuite: AES256-SHA:AES128-SHA\r\nX-DTLS12-CipherSuite: ECDHE-RSA-AES128-GCM-SHA256\r\n\r\n"
	wire, err := r.AppendBinary(nil)
	if err != nil || string(wire) != want {
		t.Errorf("wrote\n%s(%v)\nwant\n%s", wire, err, want)
	}
	back, err := ParseRequest(wire)
	if err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("read %+v, %v", back, err)
	}
	if s := fmt.Sprintf("%v %+v %#v", r, r, r.Cookie); strings.Contains(s, "c00kie") || strings.Contains(s, "0F0F") {
		t.Errorf("a secret is printed: %s", s)
	}
	// What a Go HTTP server makes of the same request.
	parsed, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
	if err != nil {
		t.Fatal(err)
	}
	back, err = RequestOf(parsed.Header)
	back.Host = r.Host
	if err != nil || !reflect.DeepEqual(back, r) {
		t.Errorf("through net/http: read %+v, %v", back, err)
	}
}

func TestRequestDialects(t *testing.T) {
	t.Parallel()
	r, err := ParseRequest([]byte("CONNECT CSCOSSLC/tunnel HTTP/1.0\nCOOKIE: webvpnlogin=1; webvpn=abc=; x=y\nx-cstp-mtu:1290\nX-Odd: 1\nAccept: */*\n\n"))
	if err != nil || r.Cookie.Reveal() != "abc=" || r.MTU != 1290 || !reflect.DeepEqual(r.Other, []Header{{"X-Odd", "1"}}) {
		t.Errorf("read %+v, %v", r, err)
	}
	for _, first := range []string{"GET /CSCOSSLC/tunnel HTTP/1.1", "CONNECT example.net:443 HTTP/1.1", "CONNECT /CSCOSSLC/tunnel", ""} {
		if _, err := ParseRequest([]byte(first + "\r\n\r\n")); err == nil {
			t.Errorf("%q was accepted", first)
		}
	}
}

func TestReadHead(t *testing.T) {
	t.Parallel()
	stream := "HTTP/1.1 200 CONNECTED\r\nX-CSTP-MTU: 1290\r\n\r\nSTF"
	r := bufio.NewReaderSize(strings.NewReader(stream), 16) // lines longer than the buffer
	head, err := ReadHead(r)
	if err != nil || string(head) != stream[:len(stream)-3] {
		t.Fatalf("got %q, %v", head, err)
	}
	if rest, _ := r.Peek(3); string(rest) != "STF" {
		t.Errorf("%q is left, want STF", rest)
	}
	if _, err := ReadHead(bufio.NewReader(strings.NewReader(strings.Repeat("X-Long: 1\r\n", MaxHead)))); err == nil {
		t.Error("a head without end was read")
	}
	head = []byte(stream[:len(stream)-3])
	for n := range head {
		if _, err := ReadHead(bufio.NewReader(bytes.NewReader(head[:n]))); err == nil {
			t.Errorf("head cut at %d was read", n)
		}
		if _, err := ParseAnswer(head[:n]); err == nil && n < len(head)-1 {
			t.Errorf("head cut at %d was parsed", n)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, head := range recorded(f, "request") {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		r, err := ParseRequest(head)
		if err != nil {
			return
		}
		wire, err := r.AppendBinary(nil)
		if err != nil {
			return // a value with a lone carriage return cannot be written
		}
		back, err := ParseRequest(wire)
		if err != nil || !reflect.DeepEqual(back, r) {
			t.Errorf("%q: read %+v, wrote %q, read %+v, %v", head, r, wire, back, err)
		}
	})
}

func FuzzParseAnswer(f *testing.F) {
	for _, head := range recorded(f, "answer") {
		f.Add(head)
	}
	f.Fuzz(func(t *testing.T, head []byte) {
		a, err := ParseAnswer(head)
		if err != nil {
			return
		}
		wire, err := a.AppendBinary(nil)
		if err != nil {
			return
		}
		back, err := ParseAnswer(wire)
		if err != nil || !reflect.DeepEqual(back, a) {
			t.Errorf("%q: read %+v, wrote %q, read %+v, %v", head, a, wire, back, err)
		}
	})
}
