package login

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
)

// foreign holds passwords and their hashes as other programs write them: crypt's by openssl passwd 3.0,
// the ASA's from a published factory configuration of version 9.7(1), whose password is empty; the other
// ASA hash is computed with Python's hashlib, the argon2id one is a test vector of the reference program.
var foreign = []struct{ password, hash string }{
	{"x", "$1$Ab./0189$clWOKjQi2Z6D/LwkGvnH11"},
	{"secret", "$1$Ab./0189$LxMFGIdT1T8fPsVFzw.PN0"},
	{"a longer password with spaces and more than 64 bytes, so that every loop runs twice over", "$1$Ab./0189$d.GxiWM2I0ybkkeiRgyEw/"},
	{"schlüssel", "$1$Ab./0189$se82RMpumvr7SIJW0M042/"},
	{"x", "$5$Ab./0189$XV.K53U5n4Zs6SygoxeqrsNYQzz//KI7LEzonxbS4SD"},
	{"secret", "$5$Ab./0189$vSzKHHcQ79RLWtFa5oSkl0LUJtIMzsf7nd2yBTayVi0"},
	{"a longer password with spaces and more than 64 bytes, so that every loop runs twice over", "$5$Ab./0189$T2wxj4DNsa8qfB.laXVc93.WsHT.TA2AE74jBxL/pk4"},
	{"schlüssel", "$5$Ab./0189$CvEbaOLGW/LOpOABOQQvjs9PBUnO1AkvuG/Oa/OWHn7"},
	{"x", "$6$Ab./0189$QIw1KNLns1.Cn52bGQ5fow9spY441uXPH2i2tH/puWKrVDrROWgAiABRTANzx2PR76JffFCjBpumUIiqmyqCY0"},
	{"secret", "$6$Ab./0189$vWfrCIIDnWl1ej.IYLHmW5WiXD2c0eUbc37ChDxg9EJ4vb1uVyPCNkjmAB.ncFUw0uCV3nGUTr1EF0qaRHk68/"},
	{"a longer password with spaces and more than 64 bytes, so that every loop runs twice over", "$6$Ab./0189$07vnQ56MxvHOYg92bIETxLZkV2ln/KxX94VJn27ctUFBJgwIul1GJQ59.4lWxRnOgnv3W35Oxu1CdrL2JlGww."},
	{"schlüssel", "$6$Ab./0189$K3l2z5Oc4JVRR04bXdvDsi9u4WsATCGtK2U16CdvncPTyHfTxbMJE3Ol3pSexxOCZoLAE1OFwC5lWxrnqvXWo1"},
	{"", "$1$ab$rn6aQS/o7141mj179E/zA."},
	{"test", "$6$rounds=1400$anotherlongsalts$ZF0O6PuoI5ys7MQcgTCxR/QEbWXLgl2tOwPj9dMAT7/94evkRnu4eomfC.GPHoAQtmkxetYcLY1njISRXo0qw1"},
	{"x", "$5$rounds=1400$anotherlongsal$n82fvY3DD2.NlntUVEShJoXxsjU/CW0KDQae3I6vcJ2"},
	{"", "$sha512$5000$uVo7mQJnnj35qWt+LCLb8w==$YdUyvqvvj9wI0qCvrKAqoQ=="},
	{"secret", "$sha512$5000$AAECAwQFBgcICQoLDA0ODw==$xrgDMI01ROu6O2Kb98Cigw=="},
	{"password", "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"},
}

func TestForeignHashes(t *testing.T) {
	t.Parallel()
	for _, test := range foreign {
		h, err := parseHash(test.hash)
		if err != nil {
			t.Errorf("%s: %v", test.hash, err)
			continue
		}
		if !h.verify(test.password) {
			t.Errorf("%s is not of %q", test.hash, test.password)
		}
		if h.verify(test.password+"x") || h.verify("X"+test.password) {
			t.Errorf("%s is of another password", test.hash)
		}
		if !outdated(h) {
			t.Errorf("%s need not be renewed", test.hash)
		}
	}
}

func TestHashPassword(t *testing.T) {
	t.Parallel()
	password := secret.New("correct horse")
	text, err := HashPassword(password)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("got %s", text)
	}
	h, err := parseHash(text)
	if err != nil || outdated(h) {
		t.Errorf("a new hash is outdated, or %v", err)
	}
	stored := secret.New(text)
	if !VerifyPassword(stored, password) || VerifyPassword(stored, secret.New("correct house")) || VerifyPassword(secret.New("plain"), password) {
		t.Error("verification")
	}
	if again, err := HashPassword(password); err != nil || again == text {
		t.Errorf("the same hash twice, or %v", err)
	}
	for _, bad := range []string{"", strings.Repeat("x", maxPassword+1)} {
		if _, err := HashPassword(secret.New(bad)); err == nil {
			t.Errorf("a password of %d bytes was hashed", len(bad))
		}
	}
}

func TestParseHashRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "plain", "$2y$10$abcdefghijklmnopqrstuv", "$argon2i$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=16$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=999999,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=99,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$argon2id$v=19$m=65536,t=2,p=1,keyid=x$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc",
		"$1$toolongsalt$rn6aQS/o7141mj179E/zA.", "$1$ab$rn6aQS/o7141mj179E/z!.", "$1$rounds=1000$ab$rn6aQS/o7141mj179E/zA.",
		"$5$rounds=999$salt$n82fvY3DD2.NlntUVEShJoXxsjU/CW0KDQae3I6vcJ2", "$5$rounds=99999999$salt$n82fvY3DD2.NlntUVEShJoXxsjU/CW0KDQae3I6vcJ2",
		"$sha512$0$uVo7mQJnnj35qWt+LCLb8w==$YdUyvqvvj9wI0qCvrKAqoQ==", "$sha512$99999999$uVo7mQJnnj35qWt+LCLb8w==$YdUyvqvvj9wI0qCvrKAqoQ==",
		"$sha512$5000$uVo7mQJnnj35qWt+LCLb8w$YdUyvqvvj9wI0qCvrKAqoQ==",
	} {
		if h, err := parseHash(text); err == nil {
			t.Errorf("%q was taken as %T", text, h)
		}
	}
}

func TestParseHashCut(t *testing.T) {
	t.Parallel()
	for _, test := range foreign {
		for n := range test.hash {
			// What is left of a cut argon2id hash can be a shorter one, which is another hash.
			if h, err := parseHash(test.hash[:n]); err == nil && h.verify(test.password) {
				t.Errorf("%s cut at %d still verifies", test.hash, n)
			}
		}
	}
}

func FuzzParseHash(f *testing.F) {
	for _, test := range foreign {
		f.Add(test.hash)
	}
	f.Fuzz(func(t *testing.T, text string) {
		h, err := parseHash(text)
		if err != nil {
			return
		}
		if a, ok := h.(*argon); ok && a.String() != text {
			t.Errorf("%q was read as %s", text, a)
		}
	})
}

func BenchmarkHash(b *testing.B) {
	for name, stored := range map[string]hash{"argon2id": newArgon(), "crypt6": &cryptHash{'6', defaultRounds, "saltsalt", ""}, "asa": &asa{5000, make([]byte, 16), make([]byte, 16)}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				stored.verify("password")
			}
		})
	}
}
