package login_test

import (
	"errors"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
)

func TestCertified(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	for _, o := range []inventory.Object{
		&inventory.TunnelGroup{Name: "phones", Phones: true, Authentication: inventory.AuthenticateCertificate},
		&inventory.TunnelGroup{Name: "staff", Authentication: inventory.AuthenticateCertificate},
		&inventory.Device{Name: "SEP001122334455", Model: "CP-7962G"},
		&inventory.User{Name: "anna", Devices: []string{"SEP001122334455"}, GroupLock: "staff"},
	} {
		if err := set.Add(o); err != nil {
			t.Fatal(err)
		}
	}
	const known, stranger = "CP-7962G-SEP001122334455", "CP-7962G-SEP00112233FFFF"
	for name, c := range map[string]struct {
		certificate  *login.Certificate
		group        string
		user, device string // empty user: refused
	}{
		"office's, declared":           {&login.Certificate{Subject: known, Device: "SEP001122334455"}, "phones", known, "SEP001122334455"},
		"office's, not declared":       {&login.Certificate{Subject: stranger, Device: "SEP00112233FFFF"}, "phones", stranger, "SEP00112233FFFF"},
		"maker's, declared":            {&login.Certificate{Subject: known, Device: "SEP001122334455", Manufacturer: true}, "phones", known, "SEP001122334455"},
		"maker's, not declared":        {&login.Certificate{Subject: stranger, Device: "SEP00112233FFFF", Manufacturer: true}, "phones", "", ""},
		"maker's, no phone's":          {&login.Certificate{Subject: "anna", Manufacturer: true}, "staff", "", ""},
		"user":                         {&login.Certificate{Subject: "anna"}, "staff", "anna", "SEP001122334455"},
		"user locked to another":       {&login.Certificate{Subject: "anna"}, "phones", "", ""},
		"somebody nobody has heard of": {&login.Certificate{Subject: "berta"}, "staff", "berta", ""},
		"nothing":                      {nil, "staff", "", ""},
	} {
		got, err := login.Certified(set, login.Request{TunnelGroup: c.group, Certificate: c.certificate})
		switch {
		case c.user == "" && !errors.Is(err, login.ErrRefused):
			t.Errorf("%s: got %+v, %v; want it refused", name, got, err)
		case c.user != "" && (err != nil || got.User != c.user || got.Device != c.device):
			t.Errorf("%s: got %+v, %v; want %s on %q", name, got, err, c.user, c.device)
		}
	}
}
