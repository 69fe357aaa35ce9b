//go:build interop

package serve_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// TestTVSByOpenSSL asks the trust verification service about its own certificate in both ways that phones ask, and
// about others, by openssl's TLS and bytes put together here as docs/wire/tvs.md has them: nothing is shared with
// wire/tvs. What is vouched for has openssl's fingerprint.
func TestTVSByOpenSSL(t *testing.T) {
	t.Parallel()
	program := office.Peer(t, "openssl")
	o := office.New(t)
	o.Serve()
	connect := program + " s_client -connect " + office.Inside + ":2445 -tls1_2 "
	shell := func(stdin, line string) string {
		t.Helper()
		out, err := o.Run(o.Inside, stdin, "sh", "-c", line)
		if err != nil {
			t.Fatalf("%s: %v\n%s", line, err, out)
		}
		return strings.TrimSpace(out)
	}
	shown := shell("", connect+"-showcerts </dev/null 2>/dev/null | "+program+" x509")
	x509 := func(args string) string {
		t.Helper()
		_, value, _ := strings.Cut(shell(shown+"\n", program+" x509 -noout "+args), "=")
		return value
	}
	// The name as phones and call managers write it: what X.509 has last comes first.
	issuer := strings.ReplaceAll(x509("-issuer -nameopt utf8,sep_semi_plus_space,sname,dn_rev"), "; ", ";") + "\x00"
	serial, err := hex.DecodeString(x509("-serial"))
	must(t, err)
	want := strings.ToLower(strings.ReplaceAll(x509("-fingerprint -sha256"), ":", ""))
	der, err := base64.StdEncoding.DecodeString(shell(shown+"\n", program+" x509 -outform DER | base64 -w0"))
	must(t, err)

	element := func(tag byte, value string) string {
		return string(binary.BigEndian.AppendUint16([]byte{tag}, uint16(len(value)))) + value
	}
	device := element(1, "\x01CP-8861-SEP001122334455")
	query := func(number string) string {
		return device + element(3, issuer) + element(4, issuer) + element(5, number)
	}
	other := bytes.Clone(der)
	other[len(other)-1] ^= 1
	for what, c := range map[string]struct {
		command  byte
		elements string
		good     bool
	}{
		"by the certificate":         {1, device + element(2, string(der)), true},
		"by its number":              {3, query(string(serial)), true},
		"by its number, with a zero": {3, query("\x00" + string(serial)), true},
		"another signature":          {1, device + element(2, string(other)), false},
		"an unknown number":          {3, query("\x01\x02\x03"), false},
	} {
		asked := string(binary.BigEndian.AppendUint16([]byte{0x57, 1, c.command, 0, 0xca, 0xfe, 0, 7}, uint16(len(c.elements)))) + c.elements
		said, err := base64.StdEncoding.DecodeString(shell(asked, connect+"-quiet -ign_eof 2>/dev/null | base64 -w0"))
		if err != nil || len(said) < 10 || !bytes.Equal(said[:8], []byte{0x57, 1, c.command + 1, 0, 0xca, 0xfe, 0, 7}) || len(said) != 10+int(binary.BigEndian.Uint16(said[8:])) {
			t.Errorf("%s: the answer is %x, %v", what, said, err)
			continue
		}
		values := map[byte][]byte{}
		for rest := said[10:]; len(rest) > 0; {
			n := 3 + int(binary.BigEndian.Uint16(rest[1:]))
			values[rest[0]], rest = rest[3:n], rest[n:]
		}
		if !c.good {
			if !bytes.Equal(values[7], []byte{1}) || len(values) != 1 {
				t.Errorf("%s: the answer holds %x, want status 1 alone", what, values)
			}
			continue
		}
		const day = "\x00\x01\x51\x80"
		if sum := sha256.Sum256(values[2]); hex.EncodeToString(sum[:]) != want || !bytes.Equal(values[7], []byte{0}) || string(values[9]) != day || !bytes.Contains(values[8], []byte{21}) {
			t.Errorf("%s: status %x, roles %x, time %x, certificate %x, want openssl's %s", what, values[7], values[8], values[9], sum, want)
		}
	}
}
