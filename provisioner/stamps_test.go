package provisioner

import (
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// Stamps follow the inventory, and what a phone is to do about its certificate; they are those of the files
// that are served.
func TestStamps(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	for _, device := range []string{"SEP001122334455", "SEP00AABBCCDDEE"} {
		set.Devices[device] = &inventory.Device{Name: device, Model: "CP-8861"}
	}
	modes := map[string]int{}
	p := &Provisioner{}
	p.library.renderer = provision.Renderer{
		CallManagers: []string{"10.20.0.1"}, Trust: "10.20.0.1", EnrolMode: func(device string) int { return modes[device] },
	}
	served := func(set *inventory.Set, device string) string {
		file, err := p.library.renderer.File(set, provision.ConfigFile(device))
		if err != nil {
			t.Fatal(err)
		}
		return file.VersionStamp
	}
	first := p.Stamps(set)
	if len(first) != 2 || first["SEP001122334455"] != served(set, "SEP001122334455") {
		t.Fatalf("stamps %v", first)
	}
	modes["SEP001122334455"] = 2
	second := p.Stamps(set)
	if second["SEP001122334455"] == first["SEP001122334455"] || second["SEP001122334455"] != served(set, "SEP001122334455") {
		t.Errorf("a phone that is to fetch a certificate keeps the stamp %s", second["SEP001122334455"])
	}
	if second["SEP00AABBCCDDEE"] != first["SEP00AABBCCDDEE"] {
		t.Error("another phone's stamp changes with it")
	}
	changed := inventory.NewSet()
	changed.Devices["SEP001122334455"] = &inventory.Device{Name: "SEP001122334455", Model: "CP-8861", Load: "sip88xx.14-2-1"}
	if third := p.Stamps(changed); len(third) != 1 || third["SEP001122334455"] != served(changed, "SEP001122334455") || third["SEP001122334455"] == second["SEP001122334455"] {
		t.Errorf("of another inventory stamps are %v", third)
	}
	if again := p.Stamps(changed); len(again) != 1 {
		t.Errorf("asked again: %v", again)
	}
}
