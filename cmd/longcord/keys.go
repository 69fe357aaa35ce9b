package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/reader"
	"github.com/longcord/longcord/wire/phoneweb"
)

// keyTeller tells phones that a PBX has: by pressing the keys of those that have keys for it, through their
// web pages. Of the others it says what the PBX has to do.
type keyTeller struct {
	set     func() *inventory.Set
	stamps  func(*inventory.Set) map[string]string
	address func(phone string) (netip.Addr, bool)
	permit  func(phone string) (user string, password secret.String)
	press   func(ctx context.Context, at netip.Addr, user string, password secret.String) error
	log     *slog.Logger
	some    chan struct{}

	mu    sync.Mutex
	last  map[string]control.Telling
	queue []string
}

func (s *system) newKeyTeller() *keyTeller {
	pages := reader.New(reader.Config{})
	return &keyTeller{
		set: s.catalog.Current, stamps: s.stamps, address: s.addressOf, permit: s.provisioner.Permit, press: pages.Restart,
		log: s.log.With(logging.Actor, "keys"), some: make(chan struct{}, 1), last: map[string]control.Telling{},
	}
}

// keyWorkers is how many phones have their keys pressed at a time: one that is away takes seconds to be known
// as such.
const keyWorkers = 4

// Tell has phones told. They restart, whatever they are told to do: it is all that keys can do.
func (k *keyTeller) Tell(phones []string, action control.PhoneAction) []control.Telling {
	set := k.set()
	stamps := k.stamps(set)
	k.mu.Lock()
	defer k.mu.Unlock()
	var told []control.Telling
	for _, phone := range phones {
		t := control.Telling{Phone: phone, Action: action, Stamp: stamps[phone], State: "queued", Since: time.Now()}
		if why := beyondKeys(set, phone, action); why != "" {
			t.State, t.Why = "declined", why
		} else if !slices.Contains(k.queue, phone) {
			k.queue = append(k.queue, phone)
		}
		k.last[phone] = t
		told = append(told, t)
	}
	select {
	case k.some <- struct{}{}:
	default:
	}
	return told
}

// beyondKeys returns why no keys do this to a phone, and who can do it; nothing if they may.
func beyondKeys(set *inventory.Set, phone string, action control.PhoneAction) string {
	device := set.Devices[phone]
	model, _ := set.Model(device.Model)
	line := strings.Join(device.Lines[:min(1, len(device.Lines))], "")
	words := "restart"
	if action == control.ResetPhone {
		words = "reset"
	}
	pbx := fmt.Sprintf("let the PBX do it, such as: asterisk -rx 'sip notify cisco-%s %s'", words, line)
	switch {
	case action == control.ResetPhone || action == control.ReportProblem:
		return fmt.Sprintf("no keys are known for %s; %s", action, pbx)
	case model.Family != inventory.Family7900:
		return fmt.Sprintf("no keys are known that make a %s read its file; %s", device.Model, pbx)
	}
	return ""
}

// Tellings returns what phones were told last.
func (k *keyTeller) Tellings() []control.Telling {
	k.mu.Lock()
	defer k.mu.Unlock()
	var all []control.Telling
	for _, t := range k.last {
		all = append(all, t)
	}
	slices.SortFunc(all, func(a, b control.Telling) int { return strings.Compare(a.Phone, b.Phone) })
	return all
}

// run presses keys until ctx ends.
func (k *keyTeller) run(ctx context.Context) error {
	work := make(chan string)
	var working sync.WaitGroup
	for range keyWorkers {
		working.Go(func() {
			for phone := range work {
				k.tell(ctx, phone)
			}
		})
	}
	defer working.Wait()
	defer close(work)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-k.some:
		}
		for phone, ok := k.take(); ok; phone, ok = k.take() {
			select {
			case <-ctx.Done():
				return nil
			case work <- phone:
			}
		}
	}
}

func (k *keyTeller) take() (string, bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.queue) == 0 {
		return "", false
	}
	phone := k.queue[0]
	k.queue = k.queue[1:]
	return phone, true
}

func (k *keyTeller) tell(ctx context.Context, phone string) {
	at, ok := k.address(phone)
	if !ok {
		k.note(phone, "not-reached", "nobody knows its address: it has no tunnel, and no file was certainly fetched by it")
		return
	}
	k.note(phone, "asked", "")
	user, password := k.permit(phone)
	err := k.press(ctx, at, user, password)
	var refused phoneweb.ExecuteNumber
	switch {
	case err == nil:
		k.note(phone, "taken", "its keys were pressed")
	case errors.As(err, &refused) && refused == phoneweb.ExecuteDenied:
		k.note(phone, "declined", err.Error()+": externalDataLocations.authenticationServer of its profile is to name http://THIS-MACHINE:6970/authenticate")
	case errors.Is(err, reader.ErrClosed):
		k.note(phone, "silent", err.Error())
	default:
		k.note(phone, "declined", err.Error())
	}
}

func (k *keyTeller) note(phone, state, why string) {
	k.mu.Lock()
	defer k.mu.Unlock()
	t := k.last[phone]
	t.State, t.Why, t.Since = state, why, time.Now()
	k.last[phone] = t
	k.log.Info("phone told by its keys", logging.Phone, phone, "state", state, "why", why)
}
