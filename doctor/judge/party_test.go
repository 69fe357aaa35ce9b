package judge

import (
	"slices"
	"testing"
)

// TestTwoPhones has what is wrong with one phone hide what follows from it, and nothing of another phone.
func TestTwoPhones(t *testing.T) {
	t.Parallel()
	const (
		one, other = "SEP001122334455", "SEP001122334466"
		notFetched = "system.finding code=file-not-fetched certainty=likely says="
		expired    = "own.finding code=client-certificate-expired certainty=certain says="
		untrusted  = "own.finding code=client-certificate-untrusted certainty=certain says="
		lost       = "own.lost session=7 user=anna device=" + one
	)
	for name, c := range map[string]struct{ facts, want []string }{
		"a file that is missing is not fetched": {
			[]string{"server.missing file=" + one + ".cnf.xml server=10.1.1.5", "phone.file-missing file=" + one + ".cnf.xml", notFetched + one + "_has_never_fetched_its_file"},
			[]string{"tftp-file-missing certain"},
		},
		"a file of another phone is missing": {
			[]string{"phone.file-missing file=" + one + ".cnf.xml", notFetched + other + "_has_never_fetched_its_file"},
			[]string{"file-not-fetched likely", "tftp-file-missing certain"},
		},
		"a certificate that has run out is not believed": {
			[]string{expired + "of_CP-8861-" + one, untrusted + "of_CP-8861-" + one},
			[]string{"client-certificate-expired certain"},
		},
		"another phone's is not believed": {
			[]string{expired + "of_CP-8861-" + one, untrusted + "of_CP-8861-" + other},
			[]string{"client-certificate-expired certain", "client-certificate-untrusted certain"},
		},
		"nobody says whose is not believed": {
			[]string{expired + "of_CP-8861-" + one, untrusted + "of_somebody"},
			[]string{"client-certificate-expired certain"},
		},
		"who cannot be typed is refused": {
			[]string{"walk.credential user=an_na", "walk.login user=an_na by=password outcome=refused"},
			[]string{"credential-characters certain"},
		},
		"another user is refused": {
			[]string{"walk.credential user=an_na", "walk.login user=bert by=password outcome=refused"},
			[]string{"credential-characters certain", "login-refused certain"},
		},
		"the user of a blocked phone is refused": {
			[]string{lost, "system.phone device=" + one + " blocked=true", "own.finding code=login-refused user=anna"},
			[]string{"dead-peer possible", "phone-blocked certain"},
		},
		"the user of another phone than the blocked one is refused": {
			[]string{lost, "system.phone device=" + other + " blocked=true", "own.finding code=login-refused user=anna"},
			[]string{"dead-peer possible", "login-refused certain", "phone-blocked certain"},
		},
		"who is lost does not register": {
			[]string{lost, "own.back session=7", "own.finding code=registration-refused line=1001 why=403 phone=" + one},
			[]string{"dead-peer likely"},
		},
		"somebody else does not register": {
			[]string{lost, "own.back session=7", "own.finding code=registration-refused line=1002 why=403 phone=" + other},
			[]string{"dead-peer likely", "registration-refused certain"},
		},
		"two users are refused": {
			[]string{"walk.login user=anna by=password outcome=refused", "own.finding code=login-refused user=anna", "own.finding code=login-refused user=bert"},
			[]string{"login-refused certain", "login-refused certain"},
		},
		"one gateway has another URL, and by the other a certificate is not known": {
			[]string{"walk.group-url url=https://a.example.com/p outcome=missing", "own.finding code=group-url-mismatch url=https://b.example.com/p", "own.finding code=group-url-mismatch url=https://a.example.com/p"},
			[]string{"group-url-mismatch certain", "group-url-mismatch certain"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := phoneFindings(t, c.facts...); !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
