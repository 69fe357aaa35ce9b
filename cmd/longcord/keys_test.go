package main

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"testing"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/reader"
	"github.com/longcord/longcord/wire/phoneweb"
)

func TestKeys(t *testing.T) {
	t.Parallel()
	set := inventory.NewSet()
	for name, model := range map[string]string{
		"SEP000000000001": "CP-7965G", "SEP000000000002": "CP-7965G", "SEP000000000003": "CP-7965G", "SEP000000000004": "CP-8861", "SEP000000000005": "CP-7965G",
	} {
		set.Devices[name] = &inventory.Device{Name: name, Model: model, Lines: []string{"10" + name[13:]}}
	}
	at := map[string]netip.Addr{
		"SEP000000000001": netip.MustParseAddr("10.99.0.1"), "SEP000000000002": netip.MustParseAddr("10.99.0.2"), "SEP000000000003": netip.MustParseAddr("10.99.0.3"),
	}
	answers := map[netip.Addr]error{
		at["SEP000000000001"]: nil, at["SEP000000000002"]: phoneweb.ExecuteDenied, at["SEP000000000003"]: fmt.Errorf("%w: refused", reader.ErrClosed),
	}
	said := make(chan struct{}, 100)
	k := &keyTeller{
		set: func() *inventory.Set { return set }, stamps: func(*inventory.Set) map[string]string { return map[string]string{"SEP000000000001": "x"} },
		address: func(phone string) (netip.Addr, bool) { a, ok := at[phone]; return a, ok },
		permit:  func(phone string) (string, secret.String) { return "u", secret.New("for " + phone) },
		press: func(_ context.Context, a netip.Addr, user string, password secret.String) error {
			for phone, address := range at {
				if address == a && (user != "u" || password.Reveal() != "for "+phone) {
					t.Errorf("%s is told as %s with %q", phone, user, password.Reveal())
				}
			}
			return answers[a]
		},
		log: slog.New(counting{slog.DiscardHandler, said}), some: make(chan struct{}, 1), last: map[string]control.Telling{},
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- k.run(ctx) }()
	all := []string{"SEP000000000001", "SEP000000000002", "SEP000000000003", "SEP000000000004", "SEP000000000005"}
	if first := k.Tell(all, control.ApplyConfig); len(first) != 5 || first[0].Stamp != "x" || first[3].State != "declined" {
		t.Errorf("at first %+v", first)
	}
	for !settled(k.Tellings()) {
		<-said
	}
	want := map[string][2]string{
		"SEP000000000001": {"taken", "keys"}, "SEP000000000002": {"declined", "/authenticate"}, "SEP000000000003": {"silent", "do not answer"},
		"SEP000000000004": {"declined", "sip notify cisco-restart 1004"}, "SEP000000000005": {"not-reached", "address"},
	}
	for _, told := range k.Tellings() {
		if w := want[told.Phone]; told.State != w[0] || !strings.Contains(told.Why, w[1]) {
			t.Errorf("%s is %s: %s; want %s: …%s…", told.Phone, told.State, told.Why, w[0], w[1])
		}
	}
	if reset := k.Tell(all[:1], control.ResetPhone); reset[0].State != "declined" || !strings.Contains(reset[0].Why, "cisco-reset 1001") {
		t.Errorf("reset: %+v", reset)
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func settled(all []control.Telling) bool {
	for _, t := range all {
		if !t.Settled() {
			return false
		}
	}
	return true
}

// counting is a log that says that there was a line.
type counting struct {
	slog.Handler
	said chan<- struct{}
}

func (c counting) Enabled(context.Context, slog.Level) bool { return true }
func (c counting) Handle(context.Context, slog.Record) error {
	c.said <- struct{}{}
	return nil
}
func (c counting) WithAttrs([]slog.Attr) slog.Handler { return c }
