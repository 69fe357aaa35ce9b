package read

import (
	"strings"
	"testing"
)

// TestExcerptKeeps gives files with secrets that no form of one line tells, which are the word hunter2, and wants what
// stands beside them kept.
func TestExcerptKeeps(t *testing.T) {
	t.Parallel()
	armored := func(begin, end string) string { return begin + "\nhunter2\nhunter2==\n" + end + "\nkept\n" }
	tests := map[string]struct{ name, text string }{
		"PKCS 8":               {"x", armored("-----BEGIN PRIVATE KEY-----", "-----END PRIVATE KEY-----")},
		"OpenSSH":              {"x", armored("-----BEGIN OPENSSH PRIVATE KEY-----", "-----END OPENSSH PRIVATE KEY-----")},
		"encrypted":            {"x", armored("-----BEGIN ENCRYPTED PRIVATE KEY-----", "-----END ENCRYPTED PRIVATE KEY-----")},
		"PGP":                  {"x", armored("-----BEGIN PGP PRIVATE KEY BLOCK-----", "-----END PGP PRIVATE KEY BLOCK-----")},
		"SSH 2":                {"x", armored("---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----", "---- END SSH2 ENCRYPTED PRIVATE KEY ----")},
		"PKCS 12":              {"x", armored("-----BEGIN PKCS12-----", "-----END PKCS12-----")},
		"OpenVPN":              {"x", armored("-----BEGIN OpenVPN Static key V1-----", "-----END OpenVPN Static key V1-----")},
		"a session":            {"x", armored("-----BEGIN SSL SESSION PARAMETERS-----", "-----END SSL SESSION PARAMETERS-----")},
		"PuTTY":                {"x", "PuTTY-User-Key-File-3: ssh-rsa\nPrivate-Lines: 2\nhunter2\nhunter2\nkept\n"},
		"OpenSSL in text":      {"x", "Private-Key: (2048 bit)\nprivateExponent:\n    0e:ad:be:ef:\n    0e:ad\nprime1:\n    0e:ad:\nkept\n"},
		"EC in text":           {"x", "priv:\n    0e:ad:be:ef:\n    0e\nkept\n"},
		"RADIUS client":        {"servers", "#Server Name or Client/Server pair\t\tKey kept\nradius.example.com\thunter2\nlocalhost/localhost  hunter2\n192.0.2.7:1812 hunter2\n"},
		"access point":         {"x", "# kept\n00:11:22:33:44:55 hunter2\n"},
		"by name":              {"ipsec.secrets", "kept is nothing\nhunter2\n"},
		"by name, in a folder": {"etc/ocserv/ocpasswd", "kept is nothing\nanna:phones:hunter2\n"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := readAll(t, test.name, strings.NewReader(test.text), Options{Excerpts: true})
			var kept []string
			for _, e := range f.Excerpts {
				for _, l := range e.Lines {
					kept = append(kept, l.Text)
				}
			}
			all := strings.Join(kept, "\n")
			if strings.Contains(all, "hunter2") || strings.Contains(all, "0e:ad") {
				t.Errorf("a secret is kept:\n%s", all)
			}
			if !strings.Contains(test.text, "kept is nothing") && !strings.Contains(all, "kept") {
				t.Errorf("what stands beside it is gone:\n%s", all)
			}
		})
	}
}

// TestExcerptOfCertificate keeps what is public.
func TestExcerptOfCertificate(t *testing.T) {
	t.Parallel()
	text := "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\nmodulus:\n    00:ad:be\n192.0.2.1 is up and more\n"
	f := readAll(t, "x", strings.NewReader(text), Options{Excerpts: true})
	if len(f.Excerpts) != 1 || len(f.Excerpts[0].Lines) != 6 {
		t.Errorf("got %v", f.Excerpts)
	}
}
