package control

import (
	"context"
	"crypto/rand"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

// Phones is every device with what it does now.
type Phones struct {
	Phones []Phone `json:"phones"`
}

type nameInput struct {
	Name string `path:"name"`
}

func (s *Server) registerPhones(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-phones", Method: http.MethodGet, Path: "/phones", Summary: "Every phone with what it does now",
	}, func(context.Context, *struct{}) (*body[Phones], error) {
		return &body[Phones]{Phones{s.phones()}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "show-phone", Method: http.MethodGet, Path: "/phones/{name}", Summary: "One phone with what it does now",
	}, func(_ context.Context, in *nameInput) (*body[Phone], error) {
		for _, phone := range s.phones() {
			if phone.Name == in.Name {
				return &body[Phone]{phone}, nil
			}
		}
		return nil, refuse(http.StatusNotFound, "there is no Device %q", in.Name)
	})
}

func (s *Server) phones() []Phone {
	set := s.config.Catalog.Current()
	registrations, sessions, deliveries := s.config.Registrations(), s.sessions(), s.config.Deliveries()
	stamps, tellings := s.stamps(set), s.tellings()
	registered := map[string][]Registration{}
	for _, r := range registrations {
		registered[r.Phone] = append(registered[r.Phone], r)
	}
	newest := map[string]*Session{}
	for _, session := range sessions {
		newest[session.Phone] = &session // the newest one is listed last
	}
	phones := make([]Phone, 0, len(set.Devices))
	for _, name := range slices.Sorted(maps.Keys(set.Devices)) {
		device := set.Devices[name]
		_, vpn := set.VPNSettingsFor(device)
		phone := Phone{
			Name: name, Description: device.Description, Model: device.Model, Lines: append([]string{}, device.Lines...), VPN: vpn, Registrations: []Registration{},
			Deliveries: append([]Delivery{}, deliveries[name]...),
		}
		phone.Registrations = append(phone.Registrations, registered[name]...)
		phone.Session = newest[name]
		phone.ShouldRun, phone.Runs, phone.Told = stamps[name], Running(phone.Deliveries, phone.Registrations), tellings[name]
		phones = append(phones, phone)
	}
	return phones
}

// NewPhone is a phone to be added.
type NewPhone struct {
	Device      string // SEP and the MAC address
	Model       string
	Protocol    string // of its load: SIP or SCCP; empty: SIP
	Line        string
	DisplayName string // may be empty
	Profile     string // CommonPhoneProfile; empty: the only one that fits the model
	Site        string // empty: the only one, if there is one
}

// Objects returns what has to be applied to add the phone to set: its device and, unless it is there
// already, its line with a fresh secret.
func (p NewPhone) Objects(set *inventory.Set) ([]inventory.Object, error) {
	profile, err := p.profile(set)
	if err != nil {
		return nil, err
	}
	site := p.Site
	if names := slices.Sorted(maps.Keys(set.Sites)); site == "" && len(names) == 1 {
		site = names[0]
	}
	objects := []inventory.Object{&inventory.Device{
		Name: p.Device, Description: p.DisplayName, Model: p.Model, Protocol: p.Protocol, CommonPhoneProfile: profile, Site: site, Lines: []string{p.Line},
	}}
	if _, exists := set.Lines[p.Line]; !exists {
		objects = append(objects, &inventory.Line{Name: p.Line, DisplayName: p.DisplayName, Secret: secret.New(rand.Text())})
	}
	return objects, nil
}

// profile chooses the profile that the model can use: one with a VPN group for models with a VPN client,
// one without for the others.
func (p NewPhone) profile(set *inventory.Set) (string, error) {
	if p.Profile != "" {
		return p.Profile, nil
	}
	model, known := set.Model(p.Model)
	if !known {
		return "", fmt.Errorf("%q is no model known here, so no profile can be chosen for it", p.Model)
	}
	var fitting []string
	for _, name := range slices.Sorted(maps.Keys(set.CommonPhoneProfiles)) {
		if _, vpn := set.VPNSettingsFor(&inventory.Device{CommonPhoneProfile: name}); vpn == model.VPN {
			fitting = append(fitting, name)
		}
	}
	switch {
	case len(fitting) == 1:
		return fitting[0], nil
	case len(fitting) == 0 && !model.VPN:
		return "", nil // a device without a profile has no VPN
	}
	return "", fmt.Errorf("%d profiles fit a %s (%s)", len(fitting), model.Name, strings.Join(fitting, ", "))
}

// Removal returns what goes with a device: itself and those of its lines that no other device has.
func Removal(set *inventory.Set, device string) []catalog.Ref {
	gone := []catalog.Ref{{Kind: inventory.KindDevice, Name: device}}
	d, ok := set.Devices[device]
	if !ok {
		return gone
	}
	for _, number := range d.Lines {
		used := 0
		for _, other := range set.Devices {
			if slices.Contains(other.Lines, number) {
				used++
			}
		}
		if used == 1 {
			gone = append(gone, catalog.Ref{Kind: inventory.KindLine, Name: number})
		}
	}
	return gone
}
