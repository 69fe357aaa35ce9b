package read

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
)

// sepFacts reads a phone's file under its own name.
func sepFacts(t testing.TB, text string) []fact.Fact {
	t.Helper()
	c := fact.NewCollector("test", "files")
	if err := Input(t.Context(), c, "tftp/SEP001122334455.cnf.xml", strings.NewReader(text), Options{Now: phoneNow}); err != nil {
		t.Fatal(err)
	}
	return c.File().Facts
}

func TestSEP(t *testing.T) {
	t.Parallel()
	text := phoneSample(t, "SEP001122334455.cnf.xml")
	want := []string{
		"sep.file device=SEP001122334455 form=plain stamp=5d4c6e2a-1f2d-4d6c-9d86-0242ac110002 whole=true",
		"device device=SEP001122334455 load=SIP42.9-4-2SR3-1S",
		"sep.setting name=webAccess value=0",
		"sep.server host=10.20.30.5 what=call-manager",
		"sep.server host=10.20.30.5 what=tvs",
		"file.url index=1 url=https://vpn.example.com/phones",
		"file.hash index=1 sha1=" + leafSHA1,
		"file.hash index=2 sha1=" + issuerSHA1,
		"sep.vpn auth-method=2 auto-detect=1 fail-connect-time=30 hashes=2 host-check=1 mtu=1290 persistent=0 urls=1 whole=true",
	}
	all := sepFacts(t, text)
	if got := told(all); !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	lines := strings.Split(text, "\n")
	for _, f := range all {
		if f.Line == 0 || !strings.Contains(lines[f.Line-1], strings.Trim(f.Text, "<>")[:3]) {
			t.Errorf("%s: line %d is %q, and the text is %q", f.Kind, f.Line, lines[f.Line-1], f.Text)
		}
	}

	// In the middle of a message, quoted, with other line ends, and on one line.
	quoted := "Hello,\nhere is the file:\n> " + strings.ReplaceAll(text, "\n", "\r\n> ") + "\nDoes anybody see why?\n"
	oneLine := strings.ReplaceAll(text, "\n", "")
	for name, text := range map[string]string{"quoted": quoted, "on one line": oneLine} {
		got := told(sepFacts(t, text))
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s", name, strings.Join(got, "\n"))
		}
	}
}

// TestSEPPart: what people paste of a file tells what it holds, and that it is not all.
func TestSEPPart(t *testing.T) {
	t.Parallel()
	text := phoneSample(t, "SEP001122334455.cnf.xml")
	group := text[strings.Index(text, "<vpnGroup>"):strings.Index(text, "<vendorConfig>")]
	got := told(phoneFacts(t, "our file says\n```\n"+group+"```\nthanks\n"))
	if len(got) != 4 || !strings.HasSuffix(got[3], "whole=true") {
		t.Errorf("of a group: got %q", got)
	}
	got = told(phoneFacts(t, "our file says\n"+group[:strings.Index(group, "<credentials>")]+"\nand so on, and later VPNC: 'webvpn=' not found in cookie\n"))
	if len(got) != 3 || strings.Contains(got[1], "whole") || got[2] != "phone.cookie-missing" {
		t.Errorf("of a part: got %q", got)
	}
	got = told(phoneFacts(t, "<url1>https://vpn.example.com/phones</url1>\n<certHash1>NZN+UWM8ux0TNYXSTnEW/RzWS0A=</certHash1>\n"))
	if !slices.Equal(got, []string{"file.url index=1 url=https://vpn.example.com/phones", "file.hash index=1 sha1=35937E51633CBB1D133585D24E7116FD1CD64B40"}) {
		t.Errorf("of two elements: got %q", got)
	}
	if got := told(phoneFacts(t, "<device><name>printer</name></device>\n")); len(got) != 0 {
		t.Errorf("of another device: got %q", got)
	}
	for _, text := range []string{"<urls><url1>http://intranet/page.xml</url1></urls>", "<device><name>router</name><mtu>1500</mtu></device>", "<certHash1>abc</certHash1>"} {
		if got := told(phoneFacts(t, text+"\n")); len(got) != 0 {
			t.Errorf("%s of another program: got %q", text, got)
		}
	}
	if got := told(phoneFacts(t, "<?xml version=\"1.0\"?>\n<flat-profile>\n<Profile_Rule>/x.xml</Profile_Rule>\n</flat-profile>\n")); !slices.Equal(got, []string{"sep.multiplatform"}) {
		t.Errorf("of multiplatform firmware: got %q", got)
	}
}

func TestSEPInvalid(t *testing.T) {
	t.Parallel()
	text := phoneSample(t, "SEP001122334455.cnf.xml")
	for _, c := range []struct{ name, old, new, problem string }{
		{"plain HTTP", "https://vpn", "http://vpn", "https:// alone"},
		{"no URL", "https://vpn.example.com/phones", "vpn.example.com/phones", "no URL of a gateway"},
		{"fourth URL", "</addresses>", "<url4>https://vpn.example.com/x</url4></addresses>", "url4 is one too many"},
		{"eleventh hash", "</credentials>", "<certHash11>NZN+UWM8ux0TNYXSTnEW/RzWS0A=</certHash11></credentials>", "certHash11 is one too many"},
		{"hex digits", "<hashAlg>", "<certHash3>35:93:7E:51:63:3C:BB:1D:13:35:85:D2:4E:71:16:FD:1C:D6:4B:40</certHash3><hashAlg>", "phones want base64: NZN+UWM8ux0TNYXSTnEW/RzWS0A="},
		{"SHA-256", "<hashAlg>", "<certHash3>47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=</certHash3><hashAlg>", "SHA-256"},
		{"no hash", "<hashAlg>", "<certHash3>secret</certHash3><hashAlg>", "28 characters"},
		{"another algorithm", "<hashAlg>0", "<hashAlg>1", "hashAlg is 1"},
		{"MTU", "<mtu>1290", "<mtu>1500", "256 to 1406"},
		{"MTU in words", "<mtu>1290", "<mtu>auto", "must be a number"},
		{"time limit", "<failConnectTime>30", "<failConnectTime>3000", "0 to 600"},
		{"broken", "<loadInformation>", "<loadInformation", "on line 33"},
		{"an end that is missing", "</vendorConfig>", "", "on line"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			changed := strings.Replace(text, c.old, c.new, 1)
			if changed == text {
				t.Fatal("nothing changed")
			}
			all := ofKind(sepFacts(t, changed), fact.SEPInvalid)
			if !slices.ContainsFunc(all, func(f fact.Fact) bool { return strings.Contains(f.Get("problem"), c.problem) && f.Line > 1 }) {
				t.Errorf("got %v, want a problem with %q", all, c.problem)
			}
		})
	}
	for encoding, want := range map[string]bool{"UTF-8": true, "ISO-8859-1": false} {
		label := "<?xml version=\"1.0\" encoding=\"" + encoding + "\"?>\n" + strings.Replace(text[strings.Index(text, "<device"):], "</loadInformation>", "</loadInformation>\n<phoneLabel>M\xfcller</phoneLabel>", 1)
		all := ofKind(sepFacts(t, label), fact.SEPInvalid)
		if got := slices.ContainsFunc(all, func(f fact.Fact) bool { return strings.Contains(f.Get("problem"), "not saved as UTF-8") }); got != want {
			t.Errorf("a byte of ISO 8859-1 in a file of %s: got %v", encoding, all)
		}
	}
	if all := ofKind(sepFacts(t, text[:len(text)/2]), fact.SEPInvalid); len(all) != 1 || !strings.Contains(all[0].Get("problem"), "ends in the middle") {
		t.Errorf("half a file: got %v", all)
	}
}

func TestSigned(t *testing.T) {
	t.Parallel()
	read := func(name string) []fact.Fact {
		b, err := os.ReadFile("../../wire/tlv/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		return phoneFacts(t, string(b))
	}
	signed := read("certutils-SEP001122334455.cnf.xml.sgn")
	signer := ofKind(signed, fact.SEPSigner)
	if len(signer) != 1 || !strings.HasPrefix(signer[0].Get("file"), "SEP001122334455.cnf.xml") {
		t.Fatalf("got %v", signed)
	}
	list := read("certutils-ITLFile.tlv")
	records := ofKind(list, fact.TrustRecord)
	if len(ofKind(list, fact.TrustList)) != 1 || len(records) != 2 {
		t.Fatalf("got %v", list)
	}
	if !slices.ContainsFunc(records, func(r fact.Fact) bool {
		return r.Get("serial") == signer[0].Get("serial") && r.Get("issuer") == signer[0].Get("issuer")
	}) {
		t.Errorf("the signer %v is not among %v", signer[0].Values, records)
	}
}

// TestPhoneCut: nothing that phones or openssl write makes trouble when it is cut, at any place.
func TestPhoneCut(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"SEP001122334455.cnf.xml", "s_client.txt", "x509-text.txt", "x509-fields.txt", "leaf.der"} {
		text := phoneSample(t, name)
		for n := 0; n < len(text); n += 41 {
			for _, f := range phoneFacts(t, text[:n]) {
				if f.Line > strings.Count(text[:n], "\n")+1 {
					t.Fatalf("%s cut at %d: %v stands in line %d", name, n, f, f.Line)
				}
			}
		}
	}
	for _, name := range []string{"certutils-SEP001122334455.cnf.xml.sgn", "certutils-ITLFile.tlv"} {
		b, err := os.ReadFile("../../wire/tlv/testdata/" + name)
		if err != nil {
			t.Fatal(err)
		}
		for n := 0; n < len(b); n += 29 {
			phoneFacts(t, string(b[:n]))
		}
	}
}

// FuzzPhone feeds everything that phones and openssl write, changed.
func FuzzPhone(f *testing.F) {
	for _, name := range []string{"SEP001122334455.cnf.xml", "s_client.txt", "x509-text.txt", "x509-fields.txt", "leaf.der"} {
		f.Add(phoneSample(f, name))
	}
	f.Add("5007: NOT 10:25:10.060663 SECD: clpSetupSsl: Trying to connect to IPV4, IP: 192.0.2.6, Port : 2445 5013: ERR 10:25:10.075656 SECD: EROR:clpSetupSsl: ** SSL handshake failed, <192.0.2.6>\n")
	f.Add("3233 NOT Nov 29 06:33:59.033132 dgetfile(870)-GETXXTP [GT870][src=SEP001122334455.cnf.xml][dest=/tmp/x][serv=][serv6=][sec=0]\n3281 NOT Dec 14 06:34:00.488697 dgetfile(870)-XXTP complete - status = 2 \n")
	f.Add("[8:52:30am 10/01/19] Trust List update failed\n25: Name=SEP001122334455 Load= 9.0(3) Last=Phone-Reg-Rej\n")
	f.Fuzz(func(t *testing.T, text string) {
		for _, f := range phoneFacts(t, text) {
			if len(f.Text) > fact.MaxText+len("…") || f.Line > strings.Count(text, "\n")+1 {
				t.Fatalf("%v", f)
			}
		}
	})
}
