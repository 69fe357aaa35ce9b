package control

import (
	"context"
	"maps"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/stage/provision"
)

// PhoneAction is what a phone can be told to do.
type PhoneAction string

// The actions.
const (
	CheckVersion  PhoneAction = "check-version" // compare the version of its file, fetch it when that differs
	ApplyConfig   PhoneAction = "apply-config"  // fetch its file and take it up
	RestartPhone  PhoneAction = "restart"       // unregister, fetch its file, register
	ResetPhone    PhoneAction = "reset"         // boot: a tunnel ends and is made anew
	ReportProblem PhoneAction = "prt-report"    // send its logs to the address in its file
)

// Telling is what a phone was told last, and what became of it.
type Telling struct {
	Phone  string      `json:"phone"`
	Action PhoneAction `json:"action"`
	Stamp  string      `json:"version_stamp,omitempty" doc:"of the file that it was told to run"`
	State  string      `json:"state" enum:"queued,in-call,asked,taken,declined,silent,not-reached" doc:"taken: it answered that it does so"`
	Since  time.Time   `json:"since" doc:"of the state"`
	Why    string      `json:"why,omitempty" doc:"the phone's answer, or why there is none"`
	Again  bool        `json:"again,omitempty" doc:"not reached, and told anew when it registers"`
}

// Settled reports whether nothing more is going to happen about it.
func (t Telling) Settled() bool {
	return t.State == "taken" || t.State == "declined" || t.State == "silent" || t.State == "not-reached"
}

// Teller tells phones to read their files again; the call manager is one.
type Teller interface {
	// Tell has phones told, each in its turn and none during a call. It does not wait.
	Tell(phones []string, action PhoneAction) []Telling
	// Tellings returns what phones were told last.
	Tellings() []Telling
}

// Pushed is what a change of the inventory means for the files of phones.
type Pushed struct {
	NewFiles []string  `json:"new_files" doc:"phones whose file changed"`
	Tellings []Telling `json:"tellings" doc:"how telling them stands; empty when they are not told"`
	Told     bool      `json:"told" doc:"they are told"`
	Aside    bool      `json:"aside" doc:"no call manager runs here that could tell them"`
}

// Applied is what a change did.
type Applied struct {
	catalog.Changes
	Revoked int    `json:"certificates_revoked" doc:"certificates of devices that were deleted"`
	Pushed  Pushed `json:"pushed"`
}

type tellInput struct {
	Body struct {
		Phones []string    `json:"phones,omitempty" doc:"device names"`
		All    bool        `json:"all,omitempty" doc:"every phone of the inventory instead"`
		Action PhoneAction `json:"action" enum:"check-version,apply-config,restart,reset,prt-report"`
	}
}

// TellingList is what phones were told.
type TellingList struct {
	Tellings []Telling `json:"tellings"`
}

func (s *Server) registerTell(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "tell-phones", Method: http.MethodPost, Path: "/tellings", Summary: "Tell phones to read their files again, or to boot",
	}, func(ctx context.Context, in *tellInput) (*body[TellingList], error) {
		if s.config.Teller == nil {
			return nil, refuse(http.StatusConflict, "no call manager runs here that could tell phones: your PBX does that")
		}
		devices := s.config.Catalog.Current().Devices
		phones := in.Body.Phones
		if in.Body.All {
			phones = slices.Sorted(maps.Keys(devices))
		}
		for _, name := range phones {
			if devices[name] == nil {
				return nil, refuse(http.StatusNotFound, "there is no Device %q", name)
			}
		}
		s.log.Info("phones are told", "by", operator(ctx), "action", in.Body.Action, "phones", len(phones))
		return &body[TellingList]{TellingList{s.config.Teller.Tell(phones, in.Body.Action)}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "list-tellings", Method: http.MethodGet, Path: "/tellings", Summary: "What phones were told last, and what became of it",
	}, func(context.Context, *struct{}) (*body[TellingList], error) {
		all := TellingList{Tellings: []Telling{}}
		if s.config.Teller != nil {
			all.Tellings = append(all.Tellings, s.config.Teller.Tellings()...)
		}
		return &body[TellingList]{all}, nil
	})
}

// tellings returns what phones were told last, by phone.
func (s *Server) tellings() map[string]*Telling {
	all := map[string]*Telling{}
	if s.config.Teller != nil {
		for _, t := range s.config.Teller.Tellings() {
			all[t.Phone] = &t
		}
	}
	return all
}

// NewFiles returns the phones whose file is another than before. A phone that is new or gone has none.
func NewFiles(before, after map[string]string) []string {
	changed := []string{}
	for _, phone := range slices.Sorted(maps.Keys(after)) {
		if stamp, was := before[phone]; was && stamp != after[phone] {
			changed = append(changed, phone)
		}
	}
	return changed
}

// stamps returns the version stamps of phones' files as an inventory makes them.
func (s *Server) stamps(set *inventory.Set) map[string]string {
	if s.config.Stamps == nil {
		return nil
	}
	return s.config.Stamps(set)
}

// push tells phones whose file a change has made another.
func (s *Server) push(before map[string]string, tell bool) Pushed {
	p := Pushed{NewFiles: NewFiles(before, s.stamps(s.config.Catalog.Current())), Tellings: []Telling{}}
	p.Aside = s.config.Teller == nil
	p.Told = tell && !p.Aside
	if p.Told && len(p.NewFiles) > 0 {
		p.Tellings = append(p.Tellings, s.config.Teller.Tell(p.NewFiles, ApplyConfig)...)
	}
	return p
}

// Running returns the version stamp of the file that a phone runs: what it says itself, else of the newest one that had arrived, where
// it registers from, when its registration began. It is empty when that cannot be said, as for a phone that
// is not registered. Others may fetch a phone's file, too, and that tells nothing about the phone.
func Running(deliveries []Delivery, registrations []Registration) string {
	var began time.Time
	from := ""
	for _, r := range registrations {
		if r.Stamp != "" {
			return r.Stamp
		}
		if began.IsZero() || r.Began.Before(began) {
			began, from = r.Began, hostOf(r.Contact)
		}
	}
	for _, d := range deliveries { // newest first
		if d.OfConfig() && d.Complete.Before(began) && (d.Own || hostOf(d.Peer) == from) {
			return d.VersionStamp
		}
	}
	return ""
}

// Holds returns the version stamp of the newest file that arrived at a phone, whether it runs it or not; empty when that
// cannot be said.
func Holds(deliveries []Delivery, registrations []Registration) string {
	for _, d := range deliveries { // newest first
		registersThere := slices.ContainsFunc(registrations, func(r Registration) bool { return hostOf(r.Contact) == hostOf(d.Peer) })
		if d.OfConfig() && (d.Own || registersThere) {
			return d.VersionStamp
		}
	}
	return ""
}

func hostOf(address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return address
	}
	return host
}

// OfConfig reports whether the file is the phone's own, signed or not. Trust lists have stamps, too.
func (d Delivery) OfConfig() bool {
	return d.VersionStamp != "" && provision.HoldsConfig(d.File)
}
