package migration_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/inventory/migration"
)

// sources reads every file of a folder of testdata whose name has no extension that is expected.
func sources(t testing.TB, folder string) (all []migration.Source) {
	t.Helper()
	root := filepath.Join("testdata", folder)
	err := filepath.WalkDir(root, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasPrefix(entry.Name(), "want.") {
			return err
		}
		content, err := os.ReadFile(path)
		name, _ := filepath.Rel(root, path)
		all = append(all, migration.Source{Name: name, Content: content})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// golden compares a result with want.yaml and want.txt of its folder; UPDATE=1 writes them. What is made has
// to be a whole valid inventory, also when it is read back.
func golden(t *testing.T, folder string, result migration.Result) *inventory.Set {
	t.Helper()
	text, err := file.Encode(result.Objects, true)
	if err != nil {
		t.Fatal(err)
	}
	read, err := file.Parse("want.yaml", text, file.NoFiles)
	if err != nil {
		t.Fatal(err)
	}
	set, err := read.Set()
	if err != nil {
		t.Fatalf("what was made is refused: %v", err)
	}
	var remarks strings.Builder
	for _, r := range result.Remarks {
		fmt.Fprintf(&remarks, "%-9s %s\n", r.Kind, r)
	}
	compare(t, filepath.Join("testdata", folder, "want.yaml"), text)
	compare(t, filepath.Join("testdata", folder, "want.txt"), []byte(remarks.String()))
	return set
}

func compare(t *testing.T, path string, got []byte) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Equal(got, want) {
		return
	}
	gotLines, wantLines := strings.Split(string(got), "\n"), strings.Split(string(want), "\n")
	for i, line := range gotLines {
		if i >= len(wantLines) || line != wantLines[i] {
			t.Fatalf("%s: line %d is\n%s\nwant\n%s\nif that is meant: UPDATE=1 go test", path, i+1, line, strings.Join(wantLines[min(i, len(wantLines)):min(i+1, len(wantLines))], ""))
		}
	}
	t.Fatalf("%s: %d lines, want %d", path, len(gotLines), len(wantLines))
}

func TestASA(t *testing.T) {
	t.Parallel()
	result, err := migration.ASA(sources(t, "asa"), migration.ASAOptions{Passphrase: secret.New("cisco123")})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "asa", result)
}

// asaSet imports a text of commands alone.
func asaSet(t *testing.T, text string) (*inventory.Set, string) {
	t.Helper()
	result, err := migration.ASA([]migration.Source{{Name: "run", Content: []byte(text + "\n: end\n")}}, migration.ASAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	set := inventory.NewSet()
	for _, o := range result.Objects {
		if err := set.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	if problems := set.Validate(); len(problems) > 0 {
		t.Fatalf("what was made is refused: %v", problems)
	}
	var remarks strings.Builder
	for _, r := range result.Remarks {
		fmt.Fprintf(&remarks, "%s %s\n", r.Kind, r)
	}
	return set, remarks.String()
}

// TestNothingIsOpened looks at what narrows access on an ASA and has no like here.
func TestNothingIsOpened(t *testing.T) {
	t.Parallel()
	const group = "ip local pool P 10.99.0.1-10.99.0.254 mask 255.255.255.0\ntunnel-group T type remote-access\ntunnel-group T general-attributes\n address-pool P\n default-group-policy G\ntunnel-group T webvpn-attributes\n group-url https://vpn.example.net/t enable\n"
	policy := func(lines string) string {
		return group + "group-policy G internal\ngroup-policy G attributes\n vpn-tunnel-protocol ssl-client\n" + lines
	}
	t.Run("a filter that does not exist", func(t *testing.T) {
		set, _ := asaSet(t, policy(" vpn-filter value NOWHERE"))
		if e := set.AccessLists["NOWHERE"].Entries; len(e) != 1 || e[0].Action != "deny" || set.GroupPolicies["G"].Filter != "NOWHERE" {
			t.Errorf("entries %+v", e)
		}
	})
	t.Run("a deny that is not understood", func(t *testing.T) {
		set, remarks := asaSet(t, policy(" vpn-filter value F\naccess-list F extended permit tcp any any eq 1\naccess-list F extended deny tcp any eq 2 any\naccess-list F extended permit ip any any"))
		if e := set.AccessLists["F"].Entries; len(e) != 1 || e[0].Ports != "1" || !strings.Contains(remarks, "1 entries below it are left out") {
			t.Errorf("entries %+v\n%s", e, remarks)
		}
	})
	for name, line := range map[string]string{"a lock": " group-lock value T", "hours": " vpn-access-hours value WORK", "another protocol": " vpn-tunnel-protocol ikev2"} {
		t.Run(name, func(t *testing.T) {
			set, _ := asaSet(t, policy(line))
			if n := set.GroupPolicies["G"].SimultaneousLogins; n == nil || *n != 0 {
				t.Errorf("simultaneousLogins %v, want 0", n)
			}
		})
	}
	t.Run("the default policy", func(t *testing.T) {
		set, _ := asaSet(t, policy("")+"group-policy DfltGrpPolicy attributes\n vpn-tunnel-protocol ikev1\n vpn-simultaneous-logins 5")
		if got := set.PolicyFor(set.TunnelGroups["T"], "", "").SimultaneousLogins; *got != 5 {
			t.Errorf("simultaneousLogins of the policy that lets clients in: %d, want 5", *got)
		}
		if got := *set.GroupPolicies["DfltGrpPolicy"].SimultaneousLogins; got != 0 {
			t.Errorf("simultaneousLogins of the default policy: %d, want 0", got)
		}
	})
	t.Run("a user's own filter", func(t *testing.T) {
		set, _ := asaSet(t, policy("")+"username u password $sha512$5000$iZcFyPyTFRXqYzMwEjTnNw==$r98Y1oYaFjzZdYYL7MfzoA== pbkdf2\nusername u attributes\n vpn-filter value F")
		if !set.Users["u"].Blocked {
			t.Error("the user is not blocked")
		}
	})
	t.Run("a server that is not there", func(t *testing.T) {
		set, _ := asaSet(t, strings.Replace(policy(""), " address-pool P\n", " address-pool P\n authentication-server-group NOWHERE\n", 1))
		if set.TunnelGroups["T"] != nil {
			t.Error("the tunnel group asks nobody, so it asks this inventory's users")
		}
	})
}

func TestPools(t *testing.T) {
	t.Parallel()
	const inside = "interface g0\n nameif inside\n ip address 10.1.1.5 255.255.255.0\n"
	for line, want := range map[string]string{
		"10.99.0.1-10.99.0.254 mask 255.255.255.0":   "10.99.0.0/24",
		"10.99.0.10-10.99.0.20 mask 255.255.255.0":   "10.99.0.0/24",
		"10.99.0.10-10.99.0.20":                      "10.99.0.0/27",
		"10.1.1.200-10.1.1.250 mask 255.255.255.0":   "10.1.1.208/28", // 208–223, 224–239 and parts
		"10.1.1.200-10.1.1.201 mask 255.255.255.0":   "",
		"10.1.2.1-10.1.3.254 mask 255.255.254.0":     "10.1.2.0/23",
		"172.16.0.1-172.31.255.254 mask 255.240.0.0": "", // wider than a pool may be
		"10.99.0.9-10.99.0.1":                        "",
	} {
		set, remarks := asaSet(t, inside+"ip local pool P "+line)
		got := ""
		if p := set.AddressPools["P"]; p != nil {
			got = p.Network
		}
		if got != want || got == "" && !strings.Contains(remarks, "lost run:4: ") {
			t.Errorf("%s: got %q, want %q\n%s", line, got, want, remarks)
		}
	}
}

// TestASACertificate: without its key the certificate is not declared, so that no gateway is made that
// cannot start.
func TestASACertificate(t *testing.T) {
	t.Parallel()
	configuration := sources(t, "asa")[0]
	result, err := migration.ASA([]migration.Source{configuration}, migration.ASAOptions{})
	if err != nil {
		t.Fatal(err)
	}
	told := false
	for _, r := range result.Remarks {
		told = told || r.Kind == migration.Lost && strings.Contains(r.Why, "crypto ca export VPN pkcs12")
	}
	for _, o := range result.Objects {
		if o.Kind() == inventory.KindVPNGateway || o.Kind() == inventory.KindCertificate {
			t.Errorf("there is a %s %s without a key", o.Kind(), o.ObjectName())
		}
	}
	if !told {
		t.Error("nothing says how to get the key")
	}
	for name, passphrase := range map[string]string{"wrong": "other", "none": ""} {
		if _, err := migration.ASA(sources(t, "asa"), migration.ASAOptions{Passphrase: secret.New(passphrase)}); err == nil || !strings.Contains(err.Error(), "passphrase") {
			t.Errorf("%s passphrase: got %v", name, err)
		}
	}
}

// TestOneRecording reads configuration and PKCS#12 out of one file, in either order, and shows nothing of the
// latter.
func TestOneRecording(t *testing.T) {
	t.Parallel()
	given := sources(t, "asa")
	for _, both := range [][]byte{slices.Concat(given[0].Content, given[1].Content), slices.Concat(given[1].Content, []byte("\n"), given[0].Content)} {
		result, err := migration.ASA([]migration.Source{{Name: "session.log", Content: both}}, migration.ASAOptions{Passphrase: secret.New("cisco123")})
		if err != nil {
			t.Fatal(err)
		}
		if set := valid(t, result); len(set.VPNGateways) != 1 || len(set.Users) != 1 {
			t.Errorf("%d gateways, %d users", len(set.VPNGateways), len(set.Users))
		}
		for _, r := range result.Remarks {
			if strings.HasPrefix(r.Text, "MII") || len(r.Text) == 64 {
				t.Errorf("shown: %s", r)
			}
		}
	}
}

func TestASARefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ content, says string }{
		"binary":   {"ASA Version 9\x00\x01", "is not text"},
		"prose":    {"Dear colleague, the configuration is attached.", "neither a certificate"},
		"empty":    {"", "neither a certificate"},
		"key only": {"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n", "x:1: "},
	} {
		if _, err := migration.ASA([]migration.Source{{Name: "x", Content: []byte(test.content)}}, migration.ASAOptions{}); err == nil || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%s: got %v, want %q", name, err, test.says)
		}
	}
	configuration := sources(t, "asa")[0]
	if _, err := migration.ASA([]migration.Source{configuration, configuration}, migration.ASAOptions{}); err == nil || !strings.Contains(err.Error(), "one ASA at a time") {
		t.Errorf("two configurations: got %v", err)
	}
}

func FuzzASA(f *testing.F) {
	for _, s := range sources(f, "asa") {
		f.Add(s.Content)
	}
	f.Add([]byte("group-policy A internal from A\ngroup-policy A attributes\n vpn-idle-timeout\n webvpn\n  anyconnect\n  svc\n"))
	f.Fuzz(func(t *testing.T, content []byte) {
		result, err := migration.ASA([]migration.Source{{Name: "x", Content: content}}, migration.ASAOptions{})
		if err != nil {
			return
		}
		set := inventory.NewSet()
		for _, o := range result.Objects {
			if err := set.Add(o); err != nil {
				t.Fatal(err)
			}
		}
		if problems := set.Validate(); len(problems) > 0 {
			t.Fatalf("what was made is refused: %v", problems)
		}
	})
}
