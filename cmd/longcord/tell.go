package main

import (
	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// What control asks about telling phones of their files is fitted here to provisioner and call manager.

// stamps are of the files that the provisioner makes, none without one.
func (s *system) stamps(set *inventory.Set) map[string]string {
	if s.provisioner == nil {
		return nil
	}
	return s.provisioner.Stamps(set)
}

// teller is the call manager; with a PBX in its place the phones' own web pages; else nil.
func (s *system) teller() control.Teller {
	switch {
	case s.callmanager != nil:
		return tellerAdapter{s}
	case s.keys != nil:
		return s.keys
	}
	return nil
}

type tellerAdapter struct{ system *system }

func (a tellerAdapter) Tell(phones []string, action control.PhoneAction) []control.Telling {
	stamps := a.system.stamps(a.system.catalog.Current())
	return tellings(a.system.callmanager.Tell(phones, func(device string) register.Order {
		return register.Order{Action: sip.ServiceAction(action), Stamp: stamps[device]}
	}))
}

func (a tellerAdapter) Tellings() []control.Telling { return tellings(a.system.callmanager.Tellings()) }

func tellings(all []register.Telling) []control.Telling {
	told := make([]control.Telling, len(all))
	for i, t := range all {
		told[i] = control.Telling{
			Phone: t.Device, Action: control.PhoneAction(t.Order.Action), Stamp: t.Order.Stamp,
			State: string(t.State), Since: t.Since, Why: t.Why, Again: t.State == register.NotReached && t.Order.Stamp != "",
		}
	}
	return told
}

// tellChanged tells phones whose file is another than before, after a change that did not come through control.
func (s *system) tellChanged(before map[string]string) {
	changed := control.NewFiles(before, s.stamps(s.catalog.Current()))
	if teller := s.teller(); teller != nil && len(changed) > 0 {
		teller.Tell(changed, control.ApplyConfig)
	}
}

// behind returns the version stamp of a phone's file, and whether it is known to run another: by what it says itself,
// else by what arrived there last.
func (s *system) behind(device string) (string, bool) {
	should := s.stamps(s.catalog.Current())[device]
	if s.provisioner == nil {
		return should, false
	}
	for _, b := range s.callmanager.Registrations() {
		if b.Device == device && b.Stamp != "" {
			return should, should != "" && b.Stamp != should
		}
	}
	d, ok := newestFile(s.provisioner.Deliveries()[device], s.counting())
	return should, ok && should != "" && d.VersionStamp != should
}
