package migration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory/migration"
	"github.com/longcord/longcord/login"
)

func TestOcserv(t *testing.T) {
	t.Parallel()
	result, err := migration.Ocserv(sources(t, "ocserv"), migration.OcservOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set := golden(t, "ocserv", result)
	for name, password := range map[string]string{"anna": "first secret", "ben": "second", "cleo": "third"} {
		if !login.VerifyPassword(set.Users[name].PasswordHash, secret.New(password)) {
			t.Errorf("%s has lost the password", name)
		}
	}
	if !set.Users["cleo"].Blocked || set.Users["anna"].Blocked {
		t.Error("who is locked there is not blocked here, or the other way round")
	}
	if n := set.GroupPolicies["user-ben"].SimultaneousLogins; n == nil || *n != 0 {
		t.Errorf("a user who was held to his routes may log in: %v", n)
	}
}

func TestOcservRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		sources []migration.Source
		says    string
	}{
		"no configuration": {[]migration.Source{{Name: "a"}, {Name: "b"}}, "no file is called ocserv.conf"},
		"no host":          {[]migration.Source{{Name: "ocserv.conf", Content: []byte("tcp-port = 443\n")}}, "--host"},
		"prose":            {[]migration.Source{{Name: "ocserv.conf", Content: []byte("Dear colleague,\n")}}, "line 1"},
	} {
		if _, err := migration.Ocserv(test.sources, migration.OcservOptions{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
}

func TestAsterisk(t *testing.T) {
	t.Parallel()
	result, err := migration.Asterisk(sources(t, "asterisk"))
	if err != nil {
		t.Fatal(err)
	}
	set := golden(t, "asterisk", result)
	for number, want := range map[string]string{"1001": "secret-1001", "1101": "secret-1101", "1102": "secret-1102", "1301": "secret-1301"} {
		if line := set.Lines[number]; line == nil || line.Secret.Reveal() != want {
			t.Errorf("line %s is %+v", number, line)
		}
	}
	if _, err := migration.Asterisk([]migration.Source{{Name: "extensions.conf", Content: []byte("[default]\nexten => 1,1,Answer\n")}}); err == nil || !strings.Contains(err.Error(), "no extension was found") {
		t.Errorf("a dial plan: got %v", err)
	}
}

func TestCUCM(t *testing.T) {
	t.Parallel()
	given := sources(t, "cucm")
	// The list refers to what the document declares, whichever comes first.
	slices.Reverse(given)
	result, err := migration.CUCM(given, migration.CUCMOptions{})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "cucm", result)
	result, err = migration.CUCM(given, migration.CUCMOptions{NewSecrets: true})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for number, line := range valid(t, result).Lines {
		if s := line.Secret.Reveal(); len(s) < 20 || seen[s] {
			t.Errorf("line %s has the secret %q", number, s)
		} else {
			seen[s] = true
		}
	}
	for name, content := range map[string]string{"nothing": "", "prose": "Dear colleague,\nhere it is.\n", "document": "<html>"} {
		if _, err := migration.CUCM([]migration.Source{{Name: "x", Content: []byte(content)}}, migration.CUCMOptions{}); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

// TestArchiveTruncated cuts an archive between and inside its files.
func TestArchiveTruncated(t *testing.T) {
	t.Parallel()
	archive := sources(t, "cucm")[slices.IndexFunc(sources(t, "cucm"), func(s migration.Source) bool { return s.Name == "phones.tar" })]
	for cut := 0; cut < len(archive.Content); cut += 61 {
		result, err := migration.CUCM([]migration.Source{{Name: "phones.tar", Content: archive.Content[:cut]}}, migration.CUCMOptions{})
		if err == nil {
			valid(t, result)
		}
	}
}

func FuzzOthers(f *testing.F) {
	for _, folder := range []string{"ocserv", "asterisk", "cucm"} {
		for _, s := range sources(f, folder) {
			f.Add(s.Name, s.Content)
		}
	}
	f.Fuzz(func(t *testing.T, name string, content []byte) {
		for _, made := range []func([]migration.Source) (migration.Result, error){
			migration.Asterisk,
			func(s []migration.Source) (migration.Result, error) {
				return migration.CUCM(s, migration.CUCMOptions{})
			},
			func(s []migration.Source) (migration.Result, error) {
				return migration.Ocserv(s, migration.OcservOptions{Host: "vpn.example.net"})
			},
		} {
			result, err := made([]migration.Source{{Name: name, Content: content}})
			if err != nil {
				continue
			}
			valid(t, result)
		}
	})
}
