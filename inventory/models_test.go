package inventory_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/inventory"
)

// TestModelTable holds the table that the program brings to the rules for what users declare.
func TestModelTable(t *testing.T) {
	t.Parallel()
	models := inventory.Models()
	if len(models) < 40 {
		t.Fatalf("the table has %d models", len(models))
	}
	set := inventory.NewSet()
	for _, m := range models {
		set.PhoneModels[m.Name] = &inventory.PhoneModel{Name: m.Name}
		if m.VPN && m.Keys.VPNMenu == "" {
			t.Errorf("%s has the VPN client, and nobody can find it: no vpnMenu", m.Name)
		}
		if m.Keys.FactoryReset != "" && strings.Contains(m.Keys.FactoryReset, "hold") && !strings.HasSuffix(m.Keys.FactoryReset, "* 0 #") {
			t.Errorf("%s: factory reset is %q, which is cut", m.Name, m.Keys.FactoryReset)
		}
		if m.SIP != (len(m.SIPLoads) > 0) || m.SCCP != (len(m.SCCPLoads) > 0) {
			t.Errorf("%s: SIP %t, SCCP %t, loads %v and %v", m.Name, m.SIP, m.SCCP, m.SIPLoads, m.SCCPLoads)
		}
	}
	for _, problem := range set.Validate() {
		t.Error(problem)
	}
}

// TestPublishedModels compares a few models with what is published about them.
func TestPublishedModels(t *testing.T) {
	t.Parallel()
	for _, want := range []inventory.Model{
		{Name: "CP-7962G", Number: 404, Family: inventory.Family7900, SIP: true, SCCP: true, VPN: true, Legacy: true, Lines: 6, MaxCalls: 50, Background: "320x196x4", LocaleJar: "mk"},
		{Name: "CP-7975G", Number: 437, Family: inventory.Family7900, SIP: true, SCCP: true, VPN: true, Legacy: true, Lines: 8, MaxCalls: 50, Background: "320x216x16", LocaleJar: "td"},
		{Name: "CP-7841", Number: 622, Family: inventory.Family7800, SIP: true, Lines: 4, MaxCalls: 24, LocaleJar: "sp"},
		{Name: "CP-8845", Number: 36224, Family: inventory.Family8800, SIP: true, VPN: true, Lines: 10, MaxCalls: 200, Background: "800x480x24", LocaleJar: "sl-bev"},
		{Name: "CP-8945", Number: 585, Family: inventory.Family8900, SIP: true, SCCP: true, VPN: true, Legacy: true, Lines: 10, MaxCalls: 24, Background: "800x480x24", LocaleJar: "gb-sccp"},
		{Name: "CP-9971", Number: 493, Family: inventory.Family9900, SIP: true, VPN: true, Legacy: true, Lines: 6, MaxCalls: 200, Background: "640x480x24", LocaleJar: "gd"},
	} {
		got, _ := inventory.ModelByName(want.Name)
		if got.Name != want.Name || got.Number != want.Number || got.Family != want.Family || got.SIP != want.SIP || got.SCCP != want.SCCP ||
			got.VPN != want.VPN || got.Legacy != want.Legacy || got.Lines != want.Lines || got.MaxCalls != want.MaxCalls ||
			got.Background != want.Background || got.LocaleJar != want.LocaleJar {
			t.Errorf("%s is %+v, want %+v", want.Name, got, want)
		}
	}
}

func TestUsersCorrectTheTable(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	set.PhoneModels["CP-7841"] = &inventory.PhoneModel{Name: "CP-7841", VPN: pointer(true), Keys: inventory.KeyPresses{VPNMenu: "Applications > VPN"},
		Notes: []inventory.ModelNote{{Field: "vpn", Certainty: "reported", Says: "tried in June"}}}
	set.PhoneModels["CP-8875"] = &inventory.PhoneModel{Name: "CP-8875", Number: 36700, Family: inventory.Family8800, Protocols: []string{"SIP"}, LineKeys: 10}
	if problems := set.Validate(); len(problems) > 0 {
		t.Fatal(problems)
	}
	corrected, _ := set.Model("7841")
	if !corrected.VPN || corrected.Lines != 4 || corrected.Number != 622 || corrected.Certainty("vpn") != "reported" || corrected.Keys.AlternateTFTP == "" || corrected.Keys.VPNMenu == "" {
		t.Errorf("7841 is %+v, want the table's with a VPN client", corrected)
	}
	added, ok := set.Model("cp-8875")
	if !ok || added.Keys.VPNMenu == "" || !added.SIP || added.SCCP {
		t.Errorf("8875 is %+v, %t, want what was declared, with the keys of its family", added, ok)
	}
	if got := len(set.Models()) - len(inventory.Models()); got != 1 {
		t.Errorf("the inventory knows %d models more, want 1", got)
	}
	if table, _ := inventory.ModelByName("7841"); table.VPN {
		t.Error("the correction of one inventory has changed the table of all")
	}
	device := &inventory.Device{Name: "SEP001122334455", Model: "CP-8875", Protocol: "SCCP"}
	set.Devices[device.Name] = device
	if problems := set.Validate(); len(problems) != 1 || !strings.Contains(problems[0].Says, "CP-8875 has no SCCP loads") {
		t.Errorf("got %v, want the device refused by what was declared of its model", problems)
	}
}

func TestPhoneModelRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		model      inventory.PhoneModel
		want, hint string
	}{
		{inventory.PhoneModel{Name: "8861"}, `name: "8861" is no name of a model`, "CP-8861"},
		{inventory.PhoneModel{Name: "CP-8875"}, `number: is missing`, "RisPort"},
		{inventory.PhoneModel{Name: "CP-8875", Number: 36700}, `family: is missing`, "8800"},
		{inventory.PhoneModel{Name: "CP-8875", Number: 36700, Family: "8880"}, `family: "8880" is not a value`, `did you mean "8800"?`},
		{inventory.PhoneModel{Name: "CP-8875", Number: 36700, Family: "8800"}, `protocols: is missing`, "[SIP]"},
		{inventory.PhoneModel{Name: "CP-8875", Number: 36700, Family: "8800", Protocols: []string{"sip"}}, `protocols: "sip" is not a value`, "SIP"},
		{inventory.PhoneModel{Name: "CP-8875", Number: 36700, Family: "8800", Protocols: []string{"SIP"}}, `lineKeys: is 0`, "how many"},
		{inventory.PhoneModel{Name: "CP-8875", Number: 685, Family: "8800", Protocols: []string{"SIP"}, LineKeys: 10}, `number: is 685, which is the number of CP-8861`, ""},
		{inventory.PhoneModel{Name: "CP-8861", Background: "800*480"}, `background: "800*480" is no size`, "800x480x24"},
		{inventory.PhoneModel{Name: "CP-8861", Notes: []inventory.ModelNote{{Field: "vpn", Certainty: "sure"}}}, `notes: "sure" is not a value`, "documented"},
	} {
		set := inventory.NewSet()
		set.PhoneModels[test.model.Name] = &test.model
		problems := set.Validate()
		if !slices.ContainsFunc(problems, func(p inventory.Problem) bool {
			return strings.HasPrefix(p.Error(), `PhoneModel "`+test.model.Name+`": `+test.want) && strings.Contains(p.Hint, test.hint)
		}) {
			t.Errorf("%+v: got %v, want %s (%s)", test.model, problems, test.want, test.hint)
		}
	}
}

func TestFeatures(t *testing.T) {
	t.Parallel()
	model, _ := inventory.ModelByName("7962")
	want := []inventory.Feature{
		{Product: "Cisco 7962G", Protocol: "SIP", Feature: "Virtual Private Network Client", Parameter: "loads from 9.0(2)SR1S on, inferred", Certainty: "documented"},
		{Product: "Cisco 7962G", Protocol: "SCCP", Feature: "Virtual Private Network Client", Parameter: "loads from 9.0(2)SR1S on, inferred", Certainty: "documented"},
	}
	if got := model.Features("vpn"); !slices.Equal(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := model.Features("sccp"); len(got) != 1 || got[0].Parameter != "SCCP42" {
		t.Errorf("got %+v, want the SCCP load alone", got)
	}
	desk, _ := inventory.ModelByName("7841")
	if got := desk.Features("vpn"); len(got) != 0 {
		t.Errorf("a 7841 has %+v", got)
	}
	if all := desk.Features(""); len(all) < 4 {
		t.Errorf("a 7841 has only %+v", all)
	}
}
