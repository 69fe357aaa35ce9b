package control_test

import (
	"reflect"
	"strings"
	"testing"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

const lost, spare, desk = "SEP00000000000A", "SEP00000000000B", "SEP00000000000C"

func household() *inventory.Set {
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001", DisplayName: "Anna", Secret: secret.New("old")}
	set.Lines["1002"] = &inventory.Line{Name: "1002", Secret: secret.New("old")}
	set.Devices[lost] = &inventory.Device{
		Name: lost, Description: "Anna at home", Model: "CP-8861", Load: "sip88xx.12", CommonPhoneProfile: "remote", Site: "berlin",
		Lines: []string{"1001", "1002"}, Buttons: []inventory.Button{{Feature: "Speed Dial", Number: "5"}}, PhoneLabel: "Anna", VPNAddress: "10.99.0.7",
	}
	set.Devices[desk] = &inventory.Device{Name: desk, Model: "CP-8861", Lines: []string{"1002"}}
	set.Users["anna"] = &inventory.User{Name: "anna", Devices: []string{desk, lost}}
	set.Users[lost] = &inventory.User{Name: lost}
	set.AccessLists["list"] = &inventory.AccessList{Name: "list", Entries: []inventory.AccessEntry{
		{Action: "permit", Destination: "any"}, {Action: "deny", Destination: "any", Devices: []string{desk, lost}},
	}}
	return set
}

// applied is the set after a change; what the change does not hold stays.
func applied(set *inventory.Set, change control.PhoneChange) *inventory.Set {
	after := inventory.NewSet()
	for _, o := range change.Objects {
		if err := after.Add(o); err != nil {
			panic(err)
		}
	}
	for _, o := range set.Objects() {
		if _, changed := after.Object(o.Kind(), o.ObjectName()); !changed {
			if err := after.Add(o); err != nil {
				panic(err)
			}
		}
	}
	return after
}

func noted(change control.PhoneChange, want ...string) string {
	all := strings.Join(change.Notes, "\n")
	for _, w := range want {
		if !strings.Contains(all, w) {
			return w + " is missing in:\n" + all
		}
	}
	return ""
}

func TestBlocking(t *testing.T) {
	t.Parallel()
	before := household()
	change, err := control.Blocking(before, lost)
	if err != nil {
		t.Fatal(err)
	}
	after := applied(before, change)
	first, second := after.Lines["1001"].Secret, after.Lines["1002"].Secret
	if !after.Devices[lost].Blocked || first == before.Lines["1001"].Secret || second == before.Lines["1002"].Secret || first == second || len(first.Reveal()) < 20 {
		t.Error("the phone is not blocked, or a secret stays, or two are one")
	}
	if after.Devices[desk].Blocked || after.Lines["1001"].DisplayName != "Anna" || before.Devices[lost].Blocked || before.Lines["1001"].Secret.Reveal() != "old" {
		t.Error("more was changed than the phone and its secrets, or the inventory in force was")
	}
	if missing := noted(change, "line 1001 gets another password", desk+" has line 1002, too", "longcord users passwd anna "); missing != "" {
		t.Error(missing)
	}
	again, err := control.Blocking(after, lost)
	if err != nil || len(again.Objects) != 1 || !reflect.DeepEqual(again.Objects[0], after.Devices[lost]) {
		t.Errorf("blocking twice changes %+v, %v", again, err)
	}
	if _, err := control.Blocking(before, "SEP000000000000"); err == nil {
		t.Error("a phone that is not there is blocked")
	}
}

func TestReplacement(t *testing.T) {
	t.Parallel()
	before := household()
	change, err := control.Replacement{Old: lost, New: spare, Model: "CP-8865"}.Change(before)
	if err != nil {
		t.Fatal(err)
	}
	after := applied(before, change)
	want := *before.Devices[lost]
	want.Name, want.Model, want.Load = spare, "CP-8865", ""
	if got := after.Devices[spare]; !reflect.DeepEqual(*got, want) {
		t.Errorf("the new phone is %+v, want %+v", *got, want)
	}
	if left := after.Devices[lost]; !left.Blocked || len(left.Lines) != 0 || left.VPNAddress != "" {
		t.Errorf("the old phone is left with %+v", *left)
	}
	if after.Lines["1001"].Secret == before.Lines["1001"].Secret {
		t.Error("the old phone knows the password of the line")
	}
	if got := after.Users["anna"].Devices; !reflect.DeepEqual(got, []string{desk, spare}) {
		t.Errorf("the user's devices are %q", got)
	}
	if got := after.AccessLists["list"].Entries[1].Devices; !reflect.DeepEqual(got, []string{desk, spare}) {
		t.Errorf("the access list speaks of %q", got)
	}
	if before.Users["anna"].Devices[1] != lost || before.AccessLists["list"].Entries[1].Devices[1] != lost {
		t.Error("the inventory in force was changed")
	}
	if missing := noted(change, "load sip88xx.12 is of a CP-8861", "user "+lost+" bears the old phone's name", "stays as a blocked device", "longcord users passwd anna "); missing != "" {
		t.Error(missing)
	}
	same, err := control.Replacement{Old: lost, New: spare, Remove: true}.Change(before)
	if err != nil || applied(before, same).Devices[spare].Load != "sip88xx.12" || noted(same, lost+" is deleted") != "" {
		t.Errorf("a phone of the same model: %+v, %v", same, err)
	}
	for _, bad := range []control.Replacement{{Old: "SEP000000000000", New: spare}, {Old: lost, New: desk}, {Old: lost, New: lost}} {
		if _, err := bad.Change(before); err == nil {
			t.Errorf("%+v is planned", bad)
		}
	}
}
