package callmanager

import (
	"slices"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/call"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// Tell has phones told to read their files again, each when its turn comes and its call is over. It returns
// how that stands now, in the order of devices; Tellings says what became of it.
func (m *Manager) Tell(devices []string, orders func(device string) register.Order) []register.Telling {
	var all []register.Telling
	m.event(func(now time.Time) {
		asked := map[string]bool{}
		for _, device := range devices {
			asked[device] = true
			m.doTell(m.teller.Tell(now, device, orders(device)))
		}
		for _, t := range m.teller.Last() {
			if asked[t.Device] {
				all = append(all, t)
			}
		}
	})
	return all
}

// Tellings returns what every phone was told last, and what became of it, by device name.
func (m *Manager) Tellings() []register.Telling {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.teller.Last()
}

// Busy returns whether a device is in a call.
func (m *Manager) Busy(device string) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.busy(device)
}

func (m *Manager) busy(device string) bool {
	lines := m.directory.lines(device)
	speaks := func(phone, number string) bool {
		return phone == device || phone == "" && slices.Contains(lines, number)
	}
	return slices.ContainsFunc(m.calls.Calls(), func(c call.Info) bool {
		return c.State != call.Over && (speaks(c.CallerPhone, c.Caller) || speaks(c.CalledPhone, c.Called))
	})
}

// greet tells a phone that has just registered, and has another file than it should, that there is a new
// one: it was away when that was told. It is told of each file once, lest a phone that does not take it
// goes on registering for ever.
func (m *Manager) greet(device string) {
	if m.config.Behind == nil || device == "" {
		return
	}
	// Not before the answer to its REGISTER is on its way. The question is asked there too, because it may
	// take its time.
	m.keeper.then(func() {
		stamp, behind := m.config.Behind(device)
		if !behind {
			return
		}
		m.event(func(now time.Time) {
			if m.greeted[device] == stamp {
				return
			}
			m.greeted[device] = stamp
			m.doTell(m.teller.Tell(now, device, register.Order{Action: sip.CheckVersion, Stamp: stamp}))
		})
	})
}

func (m *Manager) doTell(actions []register.Action) {
	for _, action := range actions {
		switch a := action.(type) {
		case register.Notify:
			if err := m.stack.Request(a.Flow, a.Request); err != nil {
				m.doTell(m.teller.Failed(m.now, a.Request, err.Error()))
			}
		case register.Say:
			send := m.sccp.message(a)
			if send == nil {
				b := m.registrar.AnyAt(a.Flow)
				m.doTell(m.teller.Unsent(m.now, b.Device, "it has not connected again"))
				continue
			}
			send()
		case register.Told:
			m.logTelling(a.Telling)
		case register.Learned:
			m.log.Info("phone takes another manner of telling", "agent", a.UserAgent, "refused", a.Refused, "took", a.Manner)
		}
	}
}

func (m *Manager) logTelling(t register.Telling) {
	log := m.log.With(logging.Phone, t.Device, "action", t.Order.Action, "stamp", t.Order.Stamp)
	switch t.State {
	case register.Taken:
		log.Info("phone told", "answer", t.Why)
	case register.Declined, register.Silent:
		log.Warn("phone not told", "state", t.State, "why", t.Why)
	default:
		log.Debug("phone to be told", "state", t.State, "why", t.Why)
	}
}
