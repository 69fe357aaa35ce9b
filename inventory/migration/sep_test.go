package migration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/migration"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/tlv"
)

func sepOptions() migration.SEPOptions {
	return migration.SEPOptions{Models: map[string]string{"SEP000000000004": "8845"}}
}

// TestSEP also makes each phone's new file and compares it with the one that it has: what matters to a phone
// at home has to be the same.
func TestSEP(t *testing.T) {
	t.Parallel()
	given := sources(t, "sep")
	result, err := migration.SEP(given, sepOptions())
	if err != nil {
		t.Fatal(err)
	}
	set := golden(t, "sep", result)
	renderer := provision.Renderer{CallManagers: []string{"192.0.2.99"}}
	for name, device := range set.Devices {
		file, err := renderer.File(set, name+".cnf.xml")
		if err != nil {
			t.Fatal(err)
		}
		i := slices.IndexFunc(given, func(s migration.Source) bool { return strings.EqualFold(s.Name, name+".cnf.xml") })
		for _, element := range []string{"url1", "certHash1", "authMethod", "processNodeName", "authPassword", "webAccess", "timeZone", "speedDialNumber"} {
			was, is := elementOf(string(given[i].Content), element), elementOf(string(file.Content), element)
			if was != is {
				t.Errorf("%s (%s): <%s> was %q and is %q", name, device.Model, element, was, is)
			}
		}
	}
}

func elementOf(text, name string) string {
	_, rest, _ := strings.Cut(text, "<"+name+">")
	value, _, _ := strings.Cut(rest, "</")
	return value
}

// TestSEPWithoutCertificate refuses what would send phones a file that leads nowhere.
func TestSEPWithoutCertificate(t *testing.T) {
	t.Parallel()
	given := slices.DeleteFunc(sources(t, "sep"), func(s migration.Source) bool { return s.Name == "vpn.pem" })
	_, err := migration.SEP(given, sepOptions())
	if err == nil || !strings.Contains(err.Error(), "kh7BtFWIIDMZTbMBLOHt9Jk5GZQ=") || !strings.Contains(err.Error(), "openssl s_client") {
		t.Errorf("got %v", err)
	}
}

// TestSigned reads a signed file like a plain one, and refuses an encrypted one.
func TestSigned(t *testing.T) {
	t.Parallel()
	given := sources(t, "sep")
	certificate := given[slices.IndexFunc(given, func(s migration.Source) bool { return s.Name == "vpn.pem" })]
	plain := given[slices.IndexFunc(given, func(s migration.Source) bool { return s.Name == "SEP000000000001.cnf.xml" })]
	file, err := tlv.New(tlv.Header{FileName: "SEP000000000001.cnf.xml.sgn", Digest: tlv.SHA512, KeyBits: 2048}, plain.Content)
	if err == nil {
		file, err = file.Sign(make([]byte, 256))
	}
	if err != nil {
		t.Fatal(err)
	}
	signed, err := file.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	result, err := migration.SEP([]migration.Source{{Name: "SEP000000000001.cnf.xml.sgn", Content: signed}, certificate}, migration.SEPOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if template := valid(t, result).PhoneTemplates["SEP000000000001"]; template == nil || template.Content.Reveal() != string(plain.Content) {
		t.Errorf("the template is %+v", template)
	}
	if _, err := migration.SEP([]migration.Source{{Name: "SEP000000000001.cnf.xml.enc.sgn", Content: signed}}, migration.SEPOptions{}); err == nil {
		t.Error("an encrypted file makes a device")
	}
}

// TestSEPTruncated: a file that is cut anywhere makes no device.
func TestSEPTruncated(t *testing.T) {
	t.Parallel()
	given := sources(t, "sep")
	i := slices.IndexFunc(given, func(s migration.Source) bool { return s.Name == "SEP000000000001.cnf.xml" })
	certificate := given[slices.IndexFunc(given, func(s migration.Source) bool { return s.Name == "vpn.pem" })]
	whole := []byte(strings.TrimSpace(string(given[i].Content)))
	for cut := range len(whole) {
		result, err := migration.SEP([]migration.Source{{Name: given[i].Name, Content: whole[:cut]}, certificate}, migration.SEPOptions{})
		if err == nil {
			t.Fatalf("cut to %d bytes it makes %d objects", cut, len(result.Objects))
		}
	}
}

func FuzzSEP(f *testing.F) {
	for _, s := range sources(f, "sep") {
		f.Add(s.Content)
	}
	certificate := sources(f, "sep")
	certificate = slices.DeleteFunc(certificate, func(s migration.Source) bool { return s.Name != "vpn.pem" })
	f.Fuzz(func(t *testing.T, content []byte) {
		for _, name := range []string{"SEP000000000001.cnf.xml", "SEP000000000001.cnf.xml.sgn"} {
			result, err := migration.SEP(append(slices.Clone(certificate), migration.Source{Name: name, Content: content}), migration.SEPOptions{Models: map[string]string{"": "CP-8861"}})
			if err == nil {
				valid(t, result)
			}
		}
	})
}

// valid fails when what was made is no valid inventory.
func valid(t *testing.T, result migration.Result) *inventory.Set {
	t.Helper()
	set := inventory.NewSet()
	for _, o := range result.Objects {
		if err := set.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	if problems := set.Validate(); len(problems) > 0 {
		t.Fatalf("what was made is refused: %v", problems)
	}
	return set
}
