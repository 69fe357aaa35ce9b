package provision

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// adopted is the office with its phone's file begun from one that another call manager made.
func adopted(t *testing.T) (*inventory.Set, []string) {
	t.Helper()
	set, hashes := office(t)
	text, err := os.ReadFile("testdata/adopted.cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	set.PhoneTemplates["old"] = &inventory.PhoneTemplate{Name: "old", Content: secret.New(string(text))}
	set.CommonPhoneProfiles["remote"].Template = "old"
	return set, hashes
}

func render(t *testing.T, set *inventory.Set) (*cnf.Device, string) {
	t.Helper()
	file, err := Renderer{CallManagers: []string{"10.0.0.1"}}.File(set, phone+".cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	doc, err := cnf.Parse(file.Content)
	if err != nil {
		t.Fatal(err)
	}
	return doc, string(file.Content)
}

func TestTemplateKeepsWhatTheInventoryDoesNotSay(t *testing.T) {
	t.Parallel()
	set, hashes := adopted(t)
	doc, text := render(t, set)
	if !slices.Equal(doc.VPN.CertificateHashes, hashes) || doc.VPN.URLs[0] != "https://vpn.example.com/phones" {
		t.Errorf("VPN is %+v, want that of the inventory", doc.VPN)
	}
	if doc.Pool.CallManagers[0].Host != "10.1.0.2" || doc.SecurityMode != notSecured || doc.Transport != cnf.TCP {
		t.Errorf("call managers %+v, security mode %d, transport %d: want the site's, in clear", doc.Pool.CallManagers, doc.SecurityMode, doc.Transport)
	}
	first := doc.SIPProfile.Lines[0]
	if first.Name != "1001" || first.AuthPassword.Reveal() != "s3cret" || first.RingActive != 2 || first.MessagesNumber != "8000" {
		t.Errorf("first line is %+v, want our number with the template's ring and mailbox", first)
	}
	for _, part := range []string{"<!-- our own house rules -->", "<frobnicate>7</frobnicate>", "<speedDialNumber>2000</speedDialNumber>", "<sshUserId>root</sshUserId>", `<phoneServices useHTTPS="false">`} {
		if !strings.Contains(text, part) {
			t.Errorf("the file lacks %s of the template:\n%s", part, text)
		}
	}
	for _, gone := range []string{"0302", "geheim", "{old}", "cucm1.example.com", "old-vpn.example.com"} {
		if strings.Contains(text, gone) {
			t.Errorf("the file still has %s, which was another phone's or is replaced:\n%s", gone, text)
		}
	}
	if strings.Index(text, "<vendorConfig>") > strings.Index(text, "<devicePool>") {
		t.Error("the template's order is lost")
	}
}

func TestTemplateAlone(t *testing.T) {
	t.Parallel()
	set, _ := adopted(t)
	device := set.Devices[phone]
	device.Lines, device.Site, device.Template = nil, "", "old"
	set.CommonPhoneProfiles["remote"].VPNGroup = ""
	doc, _ := render(t, set)
	if doc.Pool.CallManagers[0].Host != "cucm1.example.com" || doc.Transport != cnf.TLS || doc.Pool.TimeZone != "Romance Standard/Daylight Time" {
		t.Errorf("pool is %+v by transport %d, want the template's", doc.Pool, doc.Transport)
	}
	if doc.VPN == nil || doc.VPN.URLs[0] != "https://old-vpn.example.com/phones" || len(doc.SIPProfile.Lines) != 3 {
		t.Errorf("VPN %+v, %d buttons: want the template's", doc.VPN, len(doc.SIPProfile.Lines))
	}
	if doc.VersionStamp == "" || doc.VersionStamp == "{old}" {
		t.Errorf("stamp is %q, want one of ours", doc.VersionStamp)
	}
}

// TestTemplateTakesWhatTheInventorySays has something of everything that may stand over a template.
func TestTemplateTakesWhatTheInventorySays(t *testing.T) {
	t.Parallel()
	set, _ := adopted(t)
	set.SIPDialRules["Berlin"] = &inventory.SIPDialRules{Name: "Berlin", Rules: []inventory.DialRule{{Pattern: "*", Timeout: 5}}}
	profile := set.CommonPhoneProfiles["remote"]
	profile.SIPDialRules, profile.SoftkeyTemplate = "Berlin", "Few"
	profile.VendorConfig = map[string]string{"webAccess": "0", "dfBit": "1"}
	profile.SecureShellUser, profile.SecureShellPassword, profile.UnlockPassword = "admin", secret.New("a"), secret.New("b")
	profile.ExternalDataLocations = inventory.ExternalDataLocations{Directory: "http://10.1.0.9/", IdleTimer: 60}
	set.PhoneServices["book"] = &inventory.PhoneService{Name: "book", URL: "http://10.1.0.9/book"}
	profile.PhoneServices = []string{"book"}
	set.Sites["berlin"].UserLocale = inventory.UserLocale{Name: "German_Germany", Version: "2"}
	set.Sites["berlin"].NetworkLocale = inventory.NetworkLocale{Name: "Germany"}
	device := set.Devices[phone]
	device.Load, device.AddOnModules = "sip88xx.14-2-1", []inventory.AddOnModule{{Model: "BEKEM"}}
	device.Buttons = []inventory.Button{{Feature: "Do Not Disturb", Position: 3}, {Feature: "Redial"}}
	doc, text := render(t, set)
	for name, got := range map[string][2]string{
		"dial rules": {doc.SIPProfile.DialTemplate, "DRBerlin.xml"}, "soft keys": {doc.SIPProfile.SoftKeyFile, "SKFew.xml"}, "SSH user": {doc.SSHUser, "admin"},
		"unlock password": {doc.Common.PhonePassword.Reveal(), "b"}, "directory": {doc.URLs.Directory, "http://10.1.0.9/"}, "load": {doc.Load, "sip88xx.14-2-1"},
		"locale": {doc.UserLocale.Name, "German_Germany"}, "tones": {doc.NetworkLocale.Name, "Germany"}, "module": {doc.AddOnModules[0].Type, "BEKEM"},
	} {
		if got[0] != got[1] {
			t.Errorf("%s: got %q, want the inventory's %q", name, got[0], got[1])
		}
	}
	for key, want := range map[string]string{"webAccess": "0", "dfBit": "1", "frobnicate": "7"} {
		if got, _ := doc.Setting(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	services := doc.Services.Services
	if last := services[len(services)-1]; last.URL != "http://10.1.0.9/book" || doc.URLs.IdleTimeout != 60 {
		t.Errorf("last service is %+v, idle after %d", last, doc.URLs.IdleTimeout)
	}
	var features []int
	for _, button := range doc.SIPProfile.Lines {
		features = append(features, button.FeatureID)
	}
	if !slices.Equal(features, []int{9, 130, 1}) {
		t.Errorf("buttons are %v, want our line, our button on key 3 in place of the speed dial there, and redial behind\n%s", features, text)
	}
}
