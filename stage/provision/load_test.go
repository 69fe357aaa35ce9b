package provision_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

func TestPartsOfLoad(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		content string
		want    []string
	}{
		"lines":             {"apps45.9-4-2ES26.sbn\ncnu45.9-4-2ES26.sbn\r\njar45sccp.9-4-2ES26.sbn", []string{"apps45.9-4-2ES26.sbn", "cnu45.9-4-2ES26.sbn", "jar45sccp.9-4-2ES26.sbn"}},
		"between bytes":     {"\x01\x00\x14kern88xx.12-1-1SR1-4.sbn\x00\x02\xffrootfs88xx.12-1-1SR1-4.sbn\x00", []string{"kern88xx.12-1-1SR1-4.sbn", "rootfs88xx.12-1-1SR1-4.sbn"}},
		"signed":            {"dkern9971.100609R2-9-4-2SR2-2.sebn sboot.bin1.sgn sip9971.zz.sgn", []string{"sboot.bin1.sgn", "sip9971.zz.sgn"}},
		"each once":         {"apps45.sbn apps45.sbn", []string{"apps45.sbn"}},
		"nothing":           {"", nil},
		"no name":           {".sbn ..sbn a.sbnx", nil},
		"never too many":    {manyParts(1000), parts(64)},
		"a name that is me": {"SCCP45.9-4-2SR3-1S.loads", nil},
	} {
		if got := provision.PartsOfLoad([]byte(c.content)); !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func manyParts(n int) string { return strings.Join(parts(n), "\n") }

func parts(n int) (all []string) {
	for i := range n {
		all = append(all, "part"+strings.Repeat("x", i/10)+string(rune('0'+i%10))+".sbn")
		if len(all[i]) > 100 {
			all[i] = "part" + strings.Repeat("y", i%90) + ".sbn"
		}
	}
	return all
}

func TestHasPart(t *testing.T) {
	t.Parallel()
	folder := []string{"Apps45.9-4.sbn", "other.txt"}
	for part, want := range map[string]bool{"apps45.9-4.SBN": true, "0apps45.9-4.sbn": true, "10apps45.9-4.sbn": true, "210apps45.9-4.sbn": false, "cnu45.sbn": false, "": false} {
		if got := provision.HasPart(folder, part); got != want {
			t.Errorf("%q: %t, want %t", part, got, want)
		}
	}
}

func TestLoads(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	for name, load := range map[string]string{"SEPB": "sip88xx.12", "SEPA": "sip88xx.12", "SEPC": ""} {
		set.Devices[name] = &inventory.Device{Name: name, Load: load}
	}
	got := provision.Loads(set)
	if !slices.Equal(slices.Collect(maps.Keys(got)), []string{"sip88xx.12"}) || !slices.Equal(got["sip88xx.12"], []string{"SEPA", "SEPB"}) {
		t.Errorf("got %v", got)
	}
}

func FuzzPartsOfLoad(f *testing.F) {
	f.Add([]byte("apps45.9-4-2ES26.sbn\ncnu45.9-4-2ES26.sbn"))
	f.Add([]byte("\x00\x14kern88xx.12-1-1SR1-4.sbn\x00"))
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, part := range provision.PartsOfLoad(content) {
			if clean, err := provision.Clean(part); err != nil || clean != part || !strings.Contains(string(content), part) {
				t.Errorf("%q is no name of a file: %v", part, err)
			}
		}
	})
}
