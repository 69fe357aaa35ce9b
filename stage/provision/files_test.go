package provision

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phonexml"
)

var update = flag.Bool("update", false, "write the golden files anew")

var renderer = Renderer{CallManagers: []string{"10.0.0.1"}, NTPServers: []string{"10.0.0.1"}}

// whole is the office of testdata/office.yaml, read as an operator's file is.
func whole(t testing.TB) *inventory.Set {
	t.Helper()
	read, err := file.Read("testdata/office.yaml")
	if err != nil {
		t.Fatal(err)
	}
	set, err := read.Set()
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// TestGolden shows every file of the office as phones get it.
func TestGolden(t *testing.T) {
	t.Parallel()
	set := whole(t)
	names := []string{
		DefaultFile, RingList, WidebandRingList, DistinctiveRingList, "DRBerlin.xml", "SKFew.xml", "FPVideo.xml",
	}
	for name := range set.Devices {
		names = append(names, ConfigFile(name))
	}
	for _, name := range names {
		made, err := renderer.File(set, strings.ToUpper(name))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if made.Name != name || made.Device != DeviceIn(name) || made.Fallback != (name == DefaultFile) {
			t.Errorf("%s is %q of %q, fallback %t", name, made.Name, made.Device, made.Fallback)
		}
		path := filepath.Join("testdata", "golden", name)
		if *update {
			if err := os.WriteFile(path, made.Content, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(made.Content, want) {
			t.Errorf("%s is now\n%s\nwant\n%s\nif that is meant: go test ./stage/provision -update", name, made.Content, want)
		}
	}
}

// config renders a device of the office and reads it as a phone does.
func config(t *testing.T, set *inventory.Set, device string) *cnf.Device {
	t.Helper()
	made, err := renderer.File(set, ConfigFile(device))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cnf.Parse(made.Content)
	if err != nil {
		t.Fatal(err)
	}
	if err := Usable(doc); err != nil {
		t.Error(err)
	}
	return doc
}

// TestFamiliesReadSettingsTheirWay has the published numbers for the settings that differ.
func TestFamiliesReadSettingsTheirWay(t *testing.T) {
	t.Parallel()
	set := whole(t)
	for _, c := range []struct {
		device             string
		block, log, caller int
		waiting            []int
	}{
		{"SEP001122334401", 1, 1, 0, []int{1, 0}}, // 8800: 0 off, 1 on
		{"SEP001122334403", 1, 1, 0, []int{1}},    // 7900: 1 on, for the user to change
		{"SEP001122334404", 2, 2, 0, []int{2}},    // 9900: 0 and 1 are off
	} {
		doc := config(t, set, c.device)
		features := doc.SIPProfile.Features
		if features.AnonymousCallBlock != c.block || doc.Common.CallLogBLF != c.log || features.CallerIDBlocking != c.caller {
			t.Errorf("%s: anonymousCallBlock %d, callLogBlfEnabled %d, callerIdBlocking %d, want %d, %d, %d", c.device,
				features.AnonymousCallBlock, doc.Common.CallLogBLF, features.CallerIDBlocking, c.block, c.log, c.caller)
		}
		for i, want := range c.waiting {
			if got := doc.SIPProfile.Lines[i].CallWaiting; got != want {
				t.Errorf("%s: callWaiting of line %d is %d, want %d", c.device, i+1, got, want)
			}
		}
	}
}

func TestCompanionsOfAPhone(t *testing.T) {
	t.Parallel()
	set := whole(t)
	newest, oldest, video := config(t, set, "SEP001122334401"), config(t, set, "SEP001122334402"), config(t, set, "SEP001122334404")
	if newest.SIPProfile.DialTemplate != "DRBerlin.xml" || newest.SIPProfile.SoftKeyFile != "SKFew.xml" || newest.FeaturePolicyFile != "" {
		t.Errorf("8861 is told of %q, %q, %q", newest.SIPProfile.DialTemplate, newest.SIPProfile.SoftKeyFile, newest.FeaturePolicyFile)
	}
	if video.FeaturePolicyFile != "FPVideo.xml" {
		t.Errorf("9971 is told of feature policy %q", video.FeaturePolicyFile)
	}
	if oldest.SIPProfile != nil || oldest.SCCPMarks == nil || oldest.Transport != cnf.SCCPTransport || oldest.VPN == nil || oldest.Load != "SCCP42.9-4-2SR3-1S" {
		t.Errorf("SCCP file is %s with load %q, marks %v, transport %d", oldest, oldest.Load, oldest.SCCPMarks, oldest.Transport)
	}
	for _, name := range []string{newest.SIPProfile.DialTemplate, newest.SIPProfile.SoftKeyFile, video.FeaturePolicyFile, RingList, WidebandRingList} {
		made, err := renderer.File(set, name)
		if err != nil {
			t.Fatal(err)
		}
		if doc, err := phonexml.Parse(made.Content); err != nil {
			t.Errorf("%s: %v", name, err)
		} else if made.VersionStamp != "" && !strings.Contains(doc.String(), made.VersionStamp) {
			t.Errorf("%s: %s does not show stamp %s", name, doc, made.VersionStamp)
		}
	}
}

func TestCompanionsCountForTheStamp(t *testing.T) {
	t.Parallel()
	set := whole(t)
	before, desk := config(t, set, "SEP001122334401").VersionStamp, config(t, set, "SEP001122334402").VersionStamp
	set.SIPDialRules["Berlin"].Rules[0].Timeout = 9
	if after := config(t, set, "SEP001122334401").VersionStamp; after == before {
		t.Error("the phone's stamp is the same after its dial rules changed: it would not fetch them")
	}
	if after := config(t, set, "SEP001122334402").VersionStamp; after != desk {
		t.Error("the stamp of a phone without dial rules changed with them")
	}
}

func TestNoRingTonesNoList(t *testing.T) {
	t.Parallel()
	set := whole(t)
	set.RingTones["Old Telephone"].Wideband = ""
	if _, err := renderer.File(set, WidebandRingList); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound, so that the operator's own list counts", err)
	}
}

func TestDefaultFileNamesLoads(t *testing.T) {
	t.Parallel()
	made, err := renderer.File(whole(t), DefaultFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cnf.ParseDefault(made.Content)
	if err != nil {
		t.Fatal(err)
	}
	want := []cnf.DefaultLoad{{DeviceType: 404, Model: "Cisco 7962G", Load: "SCCP42.9-4-2SR3-1S"}, {DeviceType: 685, Model: "Cisco 8861", Load: "sip88xx.14-2-1-0001-124"}}
	if !slices.Equal(doc.Loads, want) {
		t.Errorf("loads are %+v, want %+v", doc.Loads, want)
	}
}

func TestButtons(t *testing.T) {
	t.Parallel()
	lines := config(t, whole(t), "SEP001122334401").SIPProfile.Lines
	if len(lines) != 5 {
		t.Fatalf("%d buttons, want 2 lines and 3 others", len(lines))
	}
	if blf := lines[2]; blf.Button != 3 || blf.FeatureID != 21 || blf.SpeedDialNumber != "1003" || blf.FeatureOptions != 1 || blf.LineIndex != 0 {
		t.Errorf("third button is %+v, want the lamp for 1003 that picks up", blf)
	}
	if service := lines[3]; service.Button != 4 || service.FeatureID != 20 || service.ServiceURI != "http://10.1.0.9/book" || service.FeatureLabel != "Phone book" {
		t.Errorf("fourth button is %+v, want the phone book", service)
	}
	if calls := lines[4]; calls.Button != 10 || calls.FeatureID != 140 {
		t.Errorf("fifth button is %+v, want All Calls on key 10", calls)
	}
}
