package main

import (
	"cmp"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

// Bounds of strangers: who sends many names in the place of one phone fills neither memory nor list.
const (
	maxStrangers      = 200
	maxStrangersOf    = 16 // of one address
	maxAskedFor       = 4  // things that one is shown to have asked for
	strangerForgotten = 24 * time.Hour
)

// strangers are phones that asked for files or tried to register and are in no inventory. They are kept in
// memory: one that is still there asks again after a restart.
type strangers struct {
	set   func() *inventory.Set
	board *finding.Board

	mu  sync.Mutex
	all map[string]*control.Stranger // by device name
}

func newStrangers(set func() *inventory.Set, board *finding.Board) *strangers {
	return &strangers{set: set, board: board, all: map[string]*control.Stranger{}}
}

// met notes what a phone asked for. The agent is what it calls itself, if that is known.
func (s *strangers) met(device string, peer netip.AddrPort, asked, agent string) {
	now, address := time.Now().Round(0), peer.Addr().Unmap().String()
	s.mu.Lock()
	one := s.all[device]
	if one == nil {
		if !s.room(address, now) {
			s.mu.Unlock()
			return
		}
		one = &control.Stranger{Name: device, First: now}
		s.all[device] = one
	}
	one.Address, one.Last = address, now
	one.Count++
	one.Model = cmp.Or(modelIn(agent), one.Model)
	if !slices.Contains(one.Asked, asked) && len(one.Asked) < maxAskedFor {
		one.Asked = append(one.Asked, asked)
	}
	model := asModel(one)
	one.Add = "longcord phones add " + device + " --model " + model + " --line NUMBER"
	s.mu.Unlock()
	f := finding.UnknownPhone.With(device, address, model).Because("serve", 0, "asked for "+asked)
	s.board.RaiseFor(strangerForgotten, f)
}

// room makes room for one more, and is false when there is none. mu is held.
func (s *strangers) room(address string, now time.Time) bool {
	ofAddress := 0
	var stalest string
	for name, one := range s.all {
		if now.Sub(one.Last) > strangerForgotten {
			delete(s.all, name)
			continue
		}
		if one.Address == address {
			ofAddress++
		}
		if stalest == "" || one.Last.Before(s.all[stalest].Last) {
			stalest = name
		}
	}
	if ofAddress >= maxStrangersOf {
		return false
	}
	if len(s.all) >= maxStrangers {
		delete(s.all, stalest)
	}
	return true
}

// list returns those whom nobody has added since, the last to ask first.
func (s *strangers) list() []control.Stranger {
	set, now := s.set(), time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := []control.Stranger{}
	for name, one := range s.all {
		if set.Devices[name] != nil {
			delete(s.all, name)
			s.board.Clear(finding.UnknownPhone, name)
			continue
		}
		if now.Sub(one.Last) <= strangerForgotten {
			copied := *one
			copied.Asked = slices.Clone(one.Asked)
			all = append(all, copied)
		}
	}
	slices.SortFunc(all, func(a, b control.Stranger) int {
		return cmp.Or(b.Last.Compare(a.Last), strings.Compare(a.Name, b.Name))
	})
	return all
}

// modelInAgent finds the model in what phones call themselves, such as Cisco-CP8861/12.1.1.
var modelInAgent = regexp.MustCompile(`CP-?([0-9]{4}[A-Z0-9-]*)`)

func modelIn(agent string) string {
	found := modelInAgent.FindStringSubmatch(agent)
	if found == nil {
		return ""
	}
	model, ok := inventory.ModelByName(found[1])
	if !ok {
		return ""
	}
	return model.Name
}

// askedBySCCP is what a phone has asked for whose load speaks SCCP.
const askedBySCCP = "registration by SCCP"

// asModel is what the command that adds a phone says of its model.
func asModel(one *control.Stranger) string {
	model := cmp.Or(one.Model, "MODEL")
	if slices.Contains(one.Asked, askedBySCCP) {
		model += " --protocol SCCP"
	}
	return model
}
