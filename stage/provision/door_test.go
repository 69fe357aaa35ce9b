package provision

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

var (
	atNoon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	home   = netip.MustParseAddr("198.51.100.77")
)

// A phone that boots at its door gets through all its names to its file. Everybody else hears nothing.
func TestDoorAnswersOnePhone(t *testing.T) {
	t.Parallel()
	door := &Door{Device: "SEP001122334455", Address: home, Until: atNoon.Add(DoorTime)}
	for _, ask := range []struct {
		name string
		want DoorAnswer
	}{
		{"ITLFile.tlv", Silence}, // who asks has not said who it is
		{"CTLSEP001122334466.tlv", Silence},
		{"SEP001122334466.cnf.xml", Silence},
		{"XMLDefault.cnf.xml", Silence},
		{"", Silence},
		{"../SEP001122334455.cnf.xml", Silence},
		{"x/SEP001122334455.cnf.xml", Silence},
		{"SEP001122334455.cnf.xml.bak", Silence},
		{"CTLSEP001122334455.tlv", NoSuchFile},
		{`\ITLsep001122334455.TLV`, NoSuchFile},
		{"/ITLFile.tlv", NoSuchFile},
		{"/sep001122334455.cnf.xml", SendFile},
		{"SEP001122334466.cnf.xml", Silence},
		{"sip88xx.loads", Silence},
	} {
		if got := door.Asked(atNoon, ask.name); got != ask.want {
			t.Errorf("%q is answered %d, want %d", ask.name, got, ask.want)
		}
	}
	if door.WantsSigned() {
		t.Error("the door says that the phone wants signed files")
	}
	if door.Asked(atNoon, "SEP001122334455.cnf.xml.sgn") != NoSuchFile || !door.WantsSigned() {
		t.Error("a phone that wants signed files is not seen")
	}
}

func TestDoorShuts(t *testing.T) {
	t.Parallel()
	const own = "SEP001122334455.cnf.xml"
	open := func() *Door { return &Door{Device: "SEP001122334455", Address: home, Until: atNoon.Add(DoorTime)} }
	if d := open(); d.Asked(atNoon.Add(DoorTime), own) != Silence {
		t.Error("it answers after its time")
	}
	d := open()
	d.Arrived(atNoon)
	if d.Asked(atNoon.Add(DoorLinger-time.Second), own) != SendFile || d.Asked(atNoon.Add(DoorLinger), own) != Silence || !d.Delivered() {
		t.Error("after a delivery it does not serve for a minute, and no longer")
	}
	if d := open(); true {
		d.Arrived(atNoon.Add(DoorTime - time.Second))
		if d.Open(atNoon.Add(DoorTime)) {
			t.Error("a late delivery keeps it open")
		}
	}
	for d, i := open(), 0; i <= doorSends; i++ {
		if want := i < doorSends; (d.Asked(atNoon, own) == SendFile) != want {
			t.Errorf("file asked for the time %d: sent is not %v", i+1, want)
		}
	}
	answered := 0
	for d := open(); answered <= maxDoorAsking && d.Asked(atNoon, "CTLSEP001122334455.tlv") == NoSuchFile; {
		answered++
	}
	if answered != maxDoorAsking {
		t.Errorf("%d requests are answered, want %d and then silence", answered, maxDoorAsking)
	}
}

func TestDoorsOneForEachAddress(t *testing.T) {
	t.Parallel()
	var doors Doors
	until := atNoon.Add(DoorTime)
	if _, err := doors.Open(atNoon, "SEP001122334455", home, until); err != nil {
		t.Fatal(err)
	}
	if _, err := doors.Open(atNoon, "SEP001122334466", home, until); !errors.Is(err, ErrDoorTaken) {
		t.Errorf("a second phone's door at one address: %v, want ErrDoorTaken", err)
	}
	elsewhere := netip.MustParseAddr("198.51.100.78")
	if _, err := doors.Open(atNoon, "SEP001122334455", elsewhere, until); err != nil {
		t.Fatal(err)
	}
	if doors.At(atNoon, home) != nil || doors.At(atNoon, elsewhere) != doors.Of(atNoon, "SEP001122334455") {
		t.Error("a door that moved is open in two places, or in none")
	}
	if doors.At(until, elsewhere) != nil || doors.Wake() != until {
		t.Error("a door is open after its time, or does not say until when")
	}
	if over := doors.Sweep(until); len(over) != 1 || len(doors.Addresses()) != 0 || !doors.Wake().IsZero() {
		t.Errorf("%d doors are swept, want the one", len(over))
	}
	for i := range maxDoors + 1 {
		_, err := doors.Open(atNoon, ConfigFile("SEP"+strings.Repeat("x", i)), netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}), until)
		if want := i == maxDoors; errors.Is(err, ErrDoors) != want {
			t.Errorf("door %d: %v", i+1, err)
		}
	}
	if !doors.Shut(ConfigFile("SEP")) || doors.Shut(ConfigFile("SEP")) {
		t.Error("a door is not shut once")
	}
}

// What must not leave the office stays out of a starter file, and what leads in is in it.
func TestStarter(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	certificate, _ := testcert.PEM(testcert.RSA("vpn.example.net"))
	set.Certificates["now"] = &inventory.Certificate{Name: "now", Certificate: certificate}
	set.VPNGateways["gw"] = &inventory.VPNGateway{Name: "gw", URL: "https://vpn.example.net/phones", Certificates: []string{"now"}}
	set.VPNGroups["gw"] = &inventory.VPNGroup{Name: "gw", Gateways: []string{"gw"}}
	set.CommonPhoneProfiles["home"] = &inventory.CommonPhoneProfile{Name: "home", VPNGroup: "gw"}
	set.CommonPhoneProfiles["office"] = &inventory.CommonPhoneProfile{Name: "office"}
	set.Lines["4711"] = &inventory.Line{Name: "4711", DisplayName: "Alice Secretive", Secret: secret.New("line-secret")}
	for name, profile := range map[string]string{"SEP001122334455": "home", "SEP001122334466": "office"} {
		set.Devices[name] = &inventory.Device{
			Name: name, Description: "Alice Secretive", Model: "CP-8861", CommonPhoneProfile: profile, Lines: []string{"4711"}, Load: "sip88xx.14-2",
		}
	}
	r := Renderer{CallManagers: []string{"10.1.0.5"}}
	file, err := r.Starter(set, "SEP001122334455")
	if err != nil {
		t.Fatal(err)
	}
	for _, not := range []string{"4711", "line-secret", "Alice", "sip88xx"} {
		if strings.Contains(string(file.Content), not) {
			t.Errorf("the file holds %q:\n%s", not, file.Content)
		}
	}
	d, err := cnf.Parse(file.Content)
	if err != nil || Usable(d) != nil {
		t.Fatalf("the file is of no use: %v, %v", err, Usable(d))
	}
	if d.VPN == nil || len(d.VPN.CertificateHashes) != 1 || d.VPN.URLs[0] != "https://vpn.example.net/phones" {

		t.Errorf("the file is %s", file.Content)
	}
	if web, _ := d.Setting("webAccess"); web != "0" {
		t.Errorf("webAccess is %q, want the phone's web page open", web)
	}
	own, err := r.File(set, file.Name)
	if err != nil || own.VersionStamp == file.VersionStamp || file.Name != own.Name {
		t.Errorf("starter %s %s, the phone's own %s %s, %v: want one name and two stamps", file.Name, file.VersionStamp, own.Name, own.VersionStamp, err)
	}
	if _, err := r.Starter(set, "SEP001122334466"); err == nil {
		t.Error("a device without VPN has a starter file")
	}
	if _, err := r.Starter(set, "SEP001122334477"); !errors.Is(err, ErrNotFound) {
		t.Errorf("a stranger's starter file: %v, want ErrNotFound", err)
	}
}
