package fitness_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/fitness"
)

var (
	fetched = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	server  = netip.MustParseAddr("10.47.11.5")
	outside = netip.MustParseAddr("192.0.2.10")
)

// ready is a phone that is fit in every way.
func ready() fitness.Facts {
	model, known := inventory.ModelByName("CP-7962G")
	yes := true
	return fitness.Facts{
		Device: "SEP001122334455", Model: model, Known: known,
		VPN:    &inventory.PhoneVPN{Gateways: []*inventory.VPNGateway{{Name: "gateway"}}, AutoNetworkDetection: true},
		Hashes: []string{"now", "spare"}, Own: fitness.File{Stamp: "7", WebAccess: "0"},
		Fetched: &fitness.Fetched{Stamp: "7", Hashes: []string{"now", "spare"}, Complete: fetched},
		Calls:   true, Registered: []time.Time{fetched.Add(time.Second)}, Load: "SCCP42.9-4-2SR3-1S",
		Page:   &fitness.Page{AlternateTFTP: &yes, Servers: [2]string{server.String(), server.String()}},
		Server: server, Outside: outside, Names: []fitness.Name{{Host: "vpn.example.net", Addresses: []netip.Addr{outside}}},
		Users: []string{"alice"}, Password: true,
	}
}

func TestReady(t *testing.T) {
	t.Parallel()
	checks := fitness.Judge(ready())
	for _, c := range checks {
		if c.State != fitness.Fit || c.Finding != nil || c.Says == "" {
			t.Errorf("%+v, want it fit", c)
		}
	}
	if fitness.Verdict(checks) != fitness.Fit || len(checks) != 11 {
		t.Errorf("%d checks, verdict %s, want 11 and fit", len(checks), fitness.Verdict(checks))
	}
}

func TestChecks(t *testing.T) {
	t.Parallel()
	no, yes := false, true
	model := func(f *fitness.Facts, name string) { f.Model, f.Known = inventory.ModelByName(name) }
	for _, c := range []struct {
		name  string
		spoil func(*fitness.Facts)
		check string
		state fitness.State
		code  string // or what to look at
	}{
		{"no VPN client", func(f *fitness.Facts) { model(f, "CP-7841") }, "model", fitness.Unfit, "model-without-vpn"},
		{"no known model", func(f *fitness.Facts) { f.Model, f.Known = inventory.Model{Name: "CP-1"}, false }, "model", fitness.Unknown, "PhoneModel"},
		{"no VPN group", func(f *fitness.Facts) { f.VPN = nil }, "vpn", fitness.Unfit, "vpn-not-configured"},
		{"old load", func(f *fitness.Facts) { f.Load = "SCCP42.9-0-2-1S" }, "load", fitness.Unfit, "load-too-old"},
		{"first load", func(f *fitness.Facts) { f.Load = "SCCP42.9-0-2SR1S" }, "load", fitness.Fit, ""},
		{"unknown load", func(f *fitness.Facts) { f.Load = "" }, "load", fitness.Unknown, "9.0(2)SR1S"},
		{"load of no bounded model", func(f *fitness.Facts) { model(f, "CP-8861"); f.Load = "" }, "load", fitness.Fit, ""},
		{"never fetched", func(f *fitness.Facts) { f.Fetched = nil }, "file", fitness.Unfit, "file-not-fetched"},
		{"fetched behind a router", func(f *fitness.Facts) { f.Fetched, f.Unproven = nil, &fitness.Unproven{To: server} }, "file", fitness.Unknown, "countRouted: true"},
		{"hashes behind a router", func(f *fitness.Facts) { f.Fetched, f.Unproven = nil, &fitness.Unproven{To: server} }, "hashes", fitness.Unknown, "see file"},
		{"fetched by another", func(f *fitness.Facts) { f.Fetched, f.Unproven = nil, &fitness.Unproven{To: server, Other: true} }, "file", fitness.Unknown, "restart"},
		{"stale", func(f *fitness.Facts) { f.Own.Stamp = "8" }, "file", fitness.Unfit, "config-change-not-taken"},
		{"hash in use missing", func(f *fitness.Facts) { f.Fetched.Hashes = []string{"spare"} }, "hashes", fitness.Unfit, "certificate-hash-mismatch"},
		{"spare missing in the file", func(f *fitness.Facts) { f.Fetched.Hashes = []string{"now"} }, "hashes", fitness.Unfit, "no-spare-certificate"},
		{"no spare", func(f *fitness.Facts) { f.Hashes = f.Hashes[:1] }, "hashes", fitness.Unfit, "no-spare-certificate"},
		{"no file, no hashes", func(f *fitness.Facts) { f.Fetched = nil }, "hashes", fitness.Unknown, "fetch"},
		{"never registered", func(f *fitness.Facts) { f.Registered = nil }, "registered", fitness.Unfit, "not-registered"},
		{"registered before", func(f *fitness.Facts) { f.Registered[0] = fetched }, "registered", fitness.Unfit, "not-registered"},
		{"a PBX", func(f *fitness.Facts) { f.Calls = false }, "registered", fitness.Unknown, "registered since"},
		{"no page", func(f *fitness.Facts) { f.Page = nil }, "alternate-tftp", fitness.Unknown, "unlock with * * #"},
		{"page without the word", func(f *fitness.Facts) { f.Page.AlternateTFTP = nil }, "alternate-tftp", fitness.Unknown, "10.47.11.5"},
		{"alternate off", func(f *fitness.Facts) { f.Page.AlternateTFTP = &no }, "alternate-tftp", fitness.Unfit, "alternate-tftp-not-set"},
		{"second field empty", func(f *fitness.Facts) { f.Page.Servers[1] = "" }, "alternate-tftp", fitness.Unfit, "alternate-tftp-not-set"},
		{"first field foreign", func(f *fitness.Facts) { f.Page.Servers[0] = "192.168.1.1" }, "alternate-tftp", fitness.Unfit, "alternate-tftp-not-set"},
		{"web page shut", func(f *fitness.Facts) { f.Own.WebAccess = "1" }, "web-access", fitness.Unfit, "web-access-off"},
		{"nobody", func(f *fitness.Facts) { f.Users = nil }, "credentials", fitness.Unfit, "credentials-missing"},
		{"anybody", func(f *fitness.Facts) { f.Users, f.Others = nil, 2 }, "credentials", fitness.Fit, ""},
		{"known elsewhere", func(f *fitness.Facts) { f.Users, f.Foreign = nil, true }, "credentials", fitness.Unknown, "try"},
		{"space", func(f *fitness.Facts) { f.Users = []string{"al ice"} }, "credentials", fitness.Unfit, "credential-characters"},
		{"umlaut", func(f *fitness.Facts) { f.Users = []string{"jürgen"} }, "credentials", fitness.Unfit, "credential-characters"},
		{"certificate", func(f *fitness.Facts) { f.Password, f.HasLSC = false, &yes }, "credentials", fitness.Fit, ""},
		{"no certificate", func(f *fitness.Facts) { f.Password, f.HasLSC = false, &no }, "credentials", fitness.Unfit, "credentials-missing"},
		{"certificate not known", func(f *fitness.Facts) { f.Password = false }, "credentials", fitness.Unknown, "LSC"},
		{"address outside", func(f *fitness.Facts) { f.Names[0] = fitness.Name{Host: "192.0.2.10"} }, "gateway-name", fitness.Fit, ""},
		{"address inside", func(f *fitness.Facts) { f.Names[0] = fitness.Name{Host: "10.1.0.5"} }, "gateway-name", fitness.Unfit, "gateway-name-elsewhere"},
		{"no such name here", func(f *fitness.Facts) { f.Names[0].Addresses, f.Names[0].Err = nil, errors.New("no such host") }, "gateway-name", fitness.Unknown, "--resolver"},
		{"no such name outside", func(f *fitness.Facts) {
			f.Names[0] = fitness.Name{Host: "vpn.example.net", Err: errors.New("no such host"), Public: true}
		}, "gateway-name", fitness.Unfit, "gateway-name-unresolved"},
		{"split DNS", func(f *fitness.Facts) { f.Names[0].Addresses = []netip.Addr{server} }, "gateway-name", fitness.Unknown, "--resolver"},
		{"private outside", func(f *fitness.Facts) { f.Names[0].Addresses, f.Names[0].Public = []netip.Addr{server}, true }, "gateway-name", fitness.Unfit, "gateway-name-elsewhere"},
		{"leads elsewhere", func(f *fitness.Facts) { f.Names[0].Addresses = []netip.Addr{netip.MustParseAddr("192.0.2.99")} }, "gateway-name", fitness.Unfit, "gateway-name-elsewhere"},
		{"forwarded", func(f *fitness.Facts) { f.Outside = server }, "gateway-name", fitness.Fit, ""},
		{"detection off", func(f *fitness.Facts) { f.VPN.AutoNetworkDetection = false }, "detection", fitness.Fit, "network-detection-unreliable"},
		{"load that does not detect", func(f *fitness.Facts) { f.Load = "SCCP42.9-1-1SR1S" }, "detection", fitness.Unfit, "network-detection-unreliable"},
		{"load not known", func(f *fitness.Facts) { f.Load = "" }, "detection", fitness.Unknown, "9.2(1)"},
		{"88xx", func(f *fitness.Facts) { model(f, "CP-8861"); f.Load = "" }, "detection", fitness.Fit, ""},
		{"a home's network", func(f *fitness.Facts) { f.Server = netip.MustParseAddr("192.168.178.5") }, "home-network", fitness.Unfit, "home-network-overlaps"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			facts := ready()
			c.spoil(&facts)
			for _, got := range fitness.Judge(facts) {
				if got.Name != c.check {
					continue
				}
				code := got.Look
				if got.Finding != nil {
					code = got.Finding.Code
				}
				if got.State != c.state || (c.code == "") != (code == "") || !strings.Contains(code, c.code) {
					t.Errorf("%+v, want %s with %q", got, c.state, c.code)
				}
				if got.State == fitness.Unknown && got.Look == "" || got.State == fitness.Unfit && got.Finding == nil {
					t.Errorf("%+v says not what to do", got)
				}
				return
			}
			t.Errorf("there is no check %s", c.check)
		})
	}
}

func TestVerdict(t *testing.T) {
	t.Parallel()
	f, u, n := fitness.Check{State: fitness.Fit}, fitness.Check{State: fitness.Unknown}, fitness.Check{State: fitness.Unfit}
	for want, checks := range map[fitness.State][]fitness.Check{fitness.Fit: {f, f}, fitness.Unknown: {f, u, f}, fitness.Unfit: {u, n, f}} {
		if got := fitness.Verdict(checks); got != want {
			t.Errorf("%v: %s, want %s", checks, got, want)
		}
	}
}
