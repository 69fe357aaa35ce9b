package login

import (
	"fmt"
	"strings"
	"testing"
)

const (
	argonText  = "$argon2id$v=19$m=19456,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	cryptText5 = "$5$Ab./0189$vSzKHHcQ79RLWtFa5oSkl0LUJtIMzsf7nd2yBTayVi0"
	asaText    = "$sha512$5000$uVo7mQJnnj35qWt+LCLb8w==$YdUyvqvvj9wI0qCvrKAqoQ=="
)

// row is an imported user on one line.
func row(u ImportedUser) string {
	return fmt.Sprintf("%d %s p=%s h=%s g=%v l=%s", u.Line, u.User.Name, u.User.Password.Reveal(), u.User.PasswordHash.Reveal(), u.Groups, u.User.GroupLock)
}

func TestParseUsersFile(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, text, want string }{
		{"nothing", "", ""},
		{"comments", "# users\n\n! ASA's\n  \n", ""},
		{"clear", "anna:pass:word $1$ \n", "1 anna p=pass:word $1$  h= g=[] l="},
		{"windows", "anna:password\r\n", "1 anna p=password h= g=[] l="},
		{"no end of line", "anna:password", "1 anna p=password h= g=[] l="},
		{"argon2id", "anna:{ARGON2ID}" + argonText, "1 anna p= h=" + argonText + " g=[] l="},
		{"hash alone", "anna:" + cryptText5, "1 anna p= h=" + cryptText5 + " g=[] l="},
		{"ocpasswd", "anna:*:" + cryptText5, "1 anna p= h=" + cryptText5 + " g=[] l="},
		{"ocpasswd, groups", "anna:phones,staff:" + cryptText5, "1 anna p= h=" + cryptText5 + " g=[phones staff] l="},
		{"ASA", "username anna password " + asaText + " pbkdf2 privilege 15", "1 anna p= h=" + asaText + " g=[] l="},
		{"ASA, attributes", "username anna password " + asaText + " pbkdf2\nusername anna attributes\n vpn-group-policy P\n group-lock value phones\nbert:x",
			"1 anna p= h=" + asaText + " g=[] l=phones\n5 bert p=x h= g=[] l="},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			users, err := ParseUsersFile(strings.NewReader(test.text))
			if err != nil {
				t.Fatal(err)
			}
			var rows []string
			for _, u := range users {
				rows = append(rows, row(u))
			}
			if got := strings.Join(rows, "\n"); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

func TestParseUsersFileRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ text, want string }{
		{"anna", "line 1: no colon after the name; write name:password"},
		{"\nanna:", "line 2: no password after the colon"},
		{":x", "line 1: no name before the colon"},
		{"anna:x\nbert:y\nanna:z", `line 3: user "anna" stands already on line 1`},
		{"anna:{SSHA}abc", "line 1: hashes of the scheme {SSHA} are not known"},
		{"anna:$2y$10$abc", "line 1: the hash is of no known form"},
		{"anna:{ARGON2ID}x", "line 1: the hash is of no known form"},
		{"anna:*:!" + cryptText5, `line 1: user "anna" is locked`},
		{"anna:*:$5$damaged$x", "line 1: the crypt hash $5$ has a damaged salt or hash"},
		{"username anna password ***** pbkdf2", "line 1: the ASA has hidden the hash"},
		{"username anna password xGOFDtVjWTLNzZ8t encrypted", `line 1: the ASA's password is "encrypted", only pbkdf2`},
		{"username anna nopassword", "line 1: want username NAME password HASH pbkdf2"},
		{"username anna password $sha512$x pbkdf2", "line 1: the ASA hash is not of the form"},
		{"username anna attributes\n group-lock value x", `line 2: attributes of user "anna"`},
		{"anna\nbert", "line 1: no colon after the name; write name:password\nline 2: no colon"},
		{"anna:" + strings.Repeat("x", maxPassword+1), "line 1: a password of 513 bytes"},
		{"anna:x\n" + strings.Repeat("x", maxImportLine+1), "line 2: bufio.Scanner: token too long"},
	} {
		users, err := ParseUsersFile(strings.NewReader(test.text))
		if err == nil || !strings.Contains(err.Error(), test.want) || users != nil {
			t.Errorf("%.40q: got %d users, %v, want %q", test.text, len(users), err, test.want)
		}
		if err != nil && strings.Contains(err.Error(), "vSzKHHcQ79") {
			t.Errorf("%.40q: the error quotes the hash: %v", test.text, err)
		}
	}
}

func FuzzParseUsersFile(f *testing.F) {
	f.Add("anna:x\nbert:{ARGON2ID}" + argonText + "\ncarl:a,b:" + cryptText5)
	f.Add("username anna password " + asaText + " pbkdf2\nusername anna attributes\n group-lock value x\n")
	f.Fuzz(func(t *testing.T, text string) {
		users, err := ParseUsersFile(strings.NewReader(text))
		if err != nil {
			return
		}
		for _, u := range users {
			if u.User.Name == "" || u.User.Password.IsZero() == u.User.PasswordHash.IsZero() {
				t.Errorf("%q: %s", text, row(u))
			}
		}
	})
}

func TestParseUsersFileCut(t *testing.T) {
	t.Parallel()
	text := "username anna password " + asaText + " pbkdf2\nusername anna attributes\n group-lock value x\ncarl:a,b:" + cryptText5
	for n := range text {
		users, err := ParseUsersFile(strings.NewReader(text[:n]))
		if err == nil && len(users) > 2 {
			t.Errorf("cut at %d: %d users", n, len(users))
		}
	}
}
