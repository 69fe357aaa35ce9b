package impact_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/impact"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust"
)

const (
	home   = "SEP000000000001" // in a session of user ann
	old    = "SEP000000000002" // a 79xx
	office = "SEP000000000003" // without VPN
	url    = "https://vpn.example.net/phones"
)

var pairs = func() (pairs [2]trust.Pair) {
	now := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range pairs {
		var err error
		if pairs[i], err = trust.CreateCertificate("vpn.example.net", now, 24*365*time.Hour); err != nil {
			panic(err)
		}
	}
	return pairs
}()

// declared is an inventory with three phones, fresh for each caller.
func declared(t testing.TB) *inventory.Set {
	t.Helper()
	set := inventory.NewSet()
	for _, o := range []inventory.Object{
		&inventory.Certificate{Name: "first", Certificate: pairs[0].Certificate, Key: pairs[0].Key},
		&inventory.Certificate{Name: "second", Certificate: pairs[1].Certificate, Key: pairs[1].Key},
		&inventory.AddressPool{Name: "pool", Network: "10.99.0.0/24"},
		&inventory.AccessList{Name: "fence", Entries: []inventory.AccessEntry{{Action: "permit", Destination: "10.1.0.0/16"}}},
		&inventory.GroupPolicy{Name: "phones", Filter: "fence"},
		&inventory.TunnelGroup{Name: "phones", GroupURLs: []string{url}, AddressPool: "pool", DefaultGroupPolicy: "phones", Phones: true, LegacyPhones: true},
		&inventory.VPNGateway{Name: "gateway", URL: url, Certificates: []string{"first"}},
		&inventory.VPNGroup{Name: "vpn", Gateways: []string{"gateway"}},
		&inventory.CommonPhoneProfile{Name: "home", VPNGroup: "vpn"},
		&inventory.Line{Name: "1001", Secret: secret.New("a")}, &inventory.Line{Name: "1002", Secret: secret.New("b")}, &inventory.Line{Name: "1003", Secret: secret.New("c")},
		&inventory.Device{Name: home, Model: "CP-8861", CommonPhoneProfile: "home", Lines: []string{"1001"}},
		&inventory.Device{Name: old, Model: "CP-7965G", CommonPhoneProfile: "home", Lines: []string{"1002"}},
		&inventory.Device{Name: office, Model: "CP-7841", Lines: []string{"1003"}},
		&inventory.User{Name: "ann", PasswordHash: secret.New("$1$a$b"), Devices: []string{home}},
		&inventory.User{Name: "ben", PasswordHash: secret.New("$1$a$b"), Devices: []string{old}},
	} {
		if err := set.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	return set
}

func facts() impact.Facts {
	return impact.Facts{
		Sessions:      []impact.Session{{Device: home, User: "ann", TunnelGroup: "phones"}, {User: "guest", TunnelGroup: "phones"}},
		Registrations: []impact.Registration{{Device: home, Line: "1001"}, {Device: office, Line: "1003"}},
		File:          provision.Renderer{CallManagers: []string{"10.1.0.5"}}.Device,
	}
}

// TestOf makes one change after another and looks at who is touched, and why.
func TestOf(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*inventory.Set)
		want   string // device effect: parts of the reasons
	}{
		"nothing":             {func(*inventory.Set) {}, ""},
		"a hash more":         {func(s *inventory.Set) { s.VPNGateways["gateway"].Certificates = []string{"first", "second"} }, home + " new-file | " + old + " new-file"},
		"another certificate": {func(s *inventory.Set) { s.VPNGateways["gateway"].Certificates = []string{"second", "first"} }, home + " lost: hash is not in the file | " + old + " lost: hash is not in the file"},
		"one for old phones": {func(s *inventory.Set) {
			s.VPNGateways["gateway"].Certificates, s.VPNGateways["gateway"].LegacyCertificate = []string{"first", "second"}, "second"
		}, old + " lost: presents certificate \"second\" | " + home + " new-file"},
		"one beside": {func(s *inventory.Set) {
			s.VPNGateways["gateway"].Certificates, s.VPNGateways["gateway"].ECDSACertificate = []string{"first", "second"}, "second"
		}, home + " lost: presents certificate \"second\" | " + old + " lost: presents certificate \"second\""},
		"another URL": {func(s *inventory.Set) {
			s.TunnelGroups["phones"].GroupURLs[0], s.VPNGateways["gateway"].URL = url+"2", url+"2"
		}, home + " lost: no tunnel group has the URL | " + old + " lost: no tunnel group has the URL"},
		"a VPN of elsewhere": {func(s *inventory.Set) { s.VPNGateways["gateway"].URL = "https://other.example.net/x" }, home + " lost: no VPNGateway has the URL | " + old + " lost: no VPNGateway has the URL"},
		"another way to log in": {func(s *inventory.Set) {
			s.VPNFeatures["all"] = &inventory.VPNFeatureConfiguration{Name: "all", VPNSettings: inventory.VPNSettings{ClientAuthentication: inventory.ByCertificate}}
		}, home + " lost: with its next file: tunnel group \"phones\" takes a password | " + old + " lost: with its next file"},
		"a URL more":        {func(s *inventory.Set) { s.TunnelGroups["phones"].GroupURLs = []string{url, url + "2"} }, ""},
		"no old TLS":        {func(s *inventory.Set) { s.TunnelGroups["phones"].LegacyPhones = false }, old + " lost: speaks old TLS only"},
		"certificates only": {func(s *inventory.Set) { s.TunnelGroups["phones"].Authentication = "certificate" }, home + " lost: takes certificates only | " + old + " lost: takes certificates only"},
		"nobody may log in": {func(s *inventory.Set) { n := 0; s.GroupPolicies["phones"].SimultaneousLogins = &n }, home + " lost: lets nobody in | " + old + " lost: lets nobody in"},
		"a device deleted":  {func(s *inventory.Set) { delete(s.Devices, home) }, home + " removed: it is deleted"},
		"a device blocked":  {func(s *inventory.Set) { s.Devices[home].Blocked = true }, home + " removed: blocked"},
		"a user deleted":    {func(s *inventory.Set) { delete(s.Users, "ann") }, home + " lost: user ann, who logs in on it, is gone"},
		"a user blocked":    {func(s *inventory.Set) { s.Users["ben"].Blocked = true }, old + " lost: user ben, who logs in on it"},
		"a lock": {func(s *inventory.Set) {
			s.TunnelGroups["other"] = &inventory.TunnelGroup{Name: "other"}
			s.Users["ann"].GroupLock = "other"
		}, home + " lost: user ann"},
		"another password":     {func(s *inventory.Set) { s.Users["ann"].PasswordHash = secret.New("$1$c$d") }, home + " new-password: user ann has another password"},
		"the group is deleted": {func(s *inventory.Set) { delete(s.TunnelGroups, "phones") }, home + " lost: the tunnel group was deleted | " + old + " lost: no tunnel group | user guest disconnects: the tunnel group was deleted"},
		"a line's secret":      {func(s *inventory.Set) { s.Lines["1003"].Secret = secret.New("x") }, office + " unregisters: line 1003 has another secret"},
		"a line taken away":    {func(s *inventory.Set) { s.Devices[home].Lines = nil }, home + " unregisters: line 1001 is not its own"},
		"a new phone": {func(s *inventory.Set) {
			s.Devices["SEP000000000009"] = &inventory.Device{Name: "SEP000000000009", Model: "CP-8861"}
		}, "SEP000000000009 new: not known yet"},
		"VPN taken away": {func(s *inventory.Set) { s.CommonPhoneProfiles["home"].VPNGroup = "" }, home + " lost: its next file has no VPN | " + old + " lost: its next file has no VPN"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			after := declared(t)
			test.change(after)
			got := impact.Of(declared(t), after, facts())
			var wanted []string
			if test.want != "" {
				wanted = strings.Split(test.want, " | ")
			}
			if len(got) != len(wanted) {
				t.Fatalf("got %+v, want %q", got, wanted)
			}
			for i, want := range wanted {
				who, why, _ := strings.Cut(want, ": ")
				if text := fmt.Sprintf("%s %s", got[i].Device, got[i].Effect); text != who || !strings.Contains(strings.Join(got[i].Why, "; "), why) {
					t.Errorf("got %s: %q, want %s", text, got[i].Why, want)
				}
			}
		})
	}
}

// TestFile names the elements that change, and no values.
func TestFile(t *testing.T) {
	t.Parallel()
	after := declared(t)
	after.VPNGateways["gateway"].Certificates = []string{"first", "second"}
	after.Lines["1001"].Secret = secret.New("another secret")
	got := impact.Of(declared(t), after, facts())
	if want := "[sipProfile/sipLines/line/authPassword vpnGroup/credentials/certHash2]"; len(got) != 2 || fmt.Sprint(got[0].File) != want {
		t.Errorf("got %+v, want the elements %s", got, want)
	}
}

// TestSecondGateway: who has another way in is not lost.
func TestSecondGateway(t *testing.T) {
	t.Parallel()
	two := func() *inventory.Set {
		set := declared(t)
		set.VPNGateways["theirs"] = &inventory.VPNGateway{Name: "theirs", URL: "https://other.example.net/phones", Certificates: []string{"second"}}
		set.VPNGroups["vpn"].Gateways = []string{"gateway", "theirs"}
		return set
	}
	after := two()
	after.VPNGateways["gateway"].Certificates = []string{"second", "first"}
	for _, p := range impact.Of(two(), after, facts()) {
		if p.Effect == impact.Lost {
			t.Errorf("%s is said to be lost: %q", p.Device, p.Why)
		}
	}
}

// TestFetched says when a phone may hold another file than the one it was judged by.
func TestFetched(t *testing.T) {
	t.Parallel()
	after := declared(t)
	after.VPNGateways["gateway"].Certificates = []string{"second", "first"}
	for stamp, want := range map[string]string{"": "never seen to fetch", "other": "is another than the one"} {
		f := facts()
		f.Fetched = func(string) (string, time.Time) { return stamp, time.Unix(0, 0) }
		if got := impact.Of(declared(t), after, f); !strings.Contains(strings.Join(got[0].Why, "; "), want) {
			t.Errorf("stamp %q: got %q, want %q", stamp, got[0].Why, want)
		}
	}
}

// TestKeptOut takes what phones have shown to hold before what the inventory stands for.
func TestKeptOut(t *testing.T) {
	t.Parallel()
	f := facts()
	f.KeptOut = map[string]string{home: "the file it holds is without the hash"}
	got := impact.Of(declared(t), declared(t), f)
	if len(got) != 1 || got[0].Device != home || got[0].Effect != impact.Lost || !strings.Contains(got[0].Why[0], "without the hash") {
		t.Errorf("got %+v", got)
	}
}
