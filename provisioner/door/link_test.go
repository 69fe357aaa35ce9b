package door

import (
	"crypto/sha256"
	"strings"
	"testing"
)

const goodLink = "https://vpn.example.net:8443/.longcord/ABCDEFGHIJKLMNOPQRSTUVWXYZ#" +
	"n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg,Yf_ZC3Hda1w6aWe6mVmNmlAIjTgZ4ZNxA9rkSs_3mEo"

func TestLink(t *testing.T) {
	t.Parallel()
	link, err := ParseLink("  " + goodLink + "\n")
	if err != nil {
		t.Fatal(err)
	}
	if link.Host != "vpn.example.net:8443" || link.Token != "ABCDEFGHIJKLMNOPQRSTUVWXYZ" || len(link.Hashes) != 2 || link.Hashes[0] != sha256.Sum256([]byte("test")) {
		t.Errorf("link is %+v", link)
	}
	if link.String() != goodLink {
		t.Errorf("written again it is %s", link)
	}
}

// A link that was cut where somebody pasted it is refused, unless a whole hash is gone.
func TestCutLinks(t *testing.T) {
	t.Parallel()
	for n := range len(goodLink) {
		_, err := ParseLink(goodLink[:n])
		if whole := goodLink[n] == ','; (err == nil) != whole {
			t.Errorf("%q: %v", goodLink[:n], err)
		}
	}
	for _, bad := range []string{
		strings.Replace(goodLink, "https", "http", 1), strings.Replace(goodLink, "https://", "https://user@", 1), strings.Replace(goodLink, "#", "?x#", 1),
		strings.Replace(goodLink, "ABC", "abc", 1), strings.Replace(goodLink, ".longcord", "phones", 1), goodLink + strings.Repeat("x", maxLink),
		strings.Replace(goodLink, "/ABC", "/../ABC", 1), strings.Replace(goodLink, ",", "", 1), goodLink + ",",
	} {
		if link, err := ParseLink(bad); err == nil {
			t.Errorf("%q is taken for %+v", bad, link)
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add(goodLink)
	f.Add("https://[2001:db8::1]/.longcord/ABCDEFGHIJKLMNOPQRSTUVWXYZ#n4bQgYhMfWWaL-qgxVrQFaO_TxsrC4Is0V1sFbDwCgg")
	f.Add("https://a/.longcord/%41BCDEFGHIJKLMNOPQRSTUVWXYZ#")
	f.Fuzz(func(t *testing.T, text string) {
		link, err := ParseLink(text)
		if err != nil {
			return
		}
		again, err := ParseLink(link.String())
		if err != nil || again.String() != link.String() {
			t.Errorf("%q is read as %s, which is read as %s, %v", text, link, again, err)
		}
	})
}

func FuzzParseCarried(f *testing.F) {
	f.Add([]byte(`{"device":"SEP001122334455","model":"CP-8861","inside":"10.1.0.5","keys":{"vpnMenu":"a"},"file":"PGRldmljZS8+","ticket":"x","connected":true}`))
	f.Add([]byte(`{"device":"../../etc/passwd"}`))
	f.Fuzz(func(t *testing.T, body []byte) {
		if c, err := parseCarried(body); err == nil {
			if !deviceName.MatchString(c.Device) {
				t.Errorf("device %q is taken", c.Device)
			}
			_ = c.check() // whatever the file is, it does not panic
		}
	})
}
