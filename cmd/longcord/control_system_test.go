package main

import (
	"context"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
)

// startSystem, the command system of scripts, runs what the command line speaks to: the control socket over a real
// catalog, without any part that listens to phones. It takes the configuration file, and ends with the
// script.
func startSystem(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: system FILE")
	}
	c, err := config.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	kept := memory.New()
	objects, err := catalog.Open(context.Background(), catalog.Config{
		Store: kept, Sealer: trust.NewSealer([trust.KeySize]byte{}), HashPassword: login.HashPassword, VerifyPassword: login.VerifyPassword,
	})
	ts.Check(err)
	declared, err := file.Read(c.Inventory)
	ts.Check(err)
	_, err = objects.Apply(context.Background(), declared.Objects, catalog.Options{})
	ts.Check(err)
	board := finding.NewBoard()
	board.Raise(finding.AddressPoolExhausted.With("10.99.0.0/24").Because("gateway", 0, "no address for bob"))
	server, err := control.New(control.Config{
		Findings: board,
		Socket:   c.Socket, Catalog: objects, Status: func() control.Status { return control.Status{Version: version()} }, Sessions: &twoSessions{ids: []uint64{1, 2}},
		Registrations: func() []control.Registration {
			return []control.Registration{{Phone: "SEP020000001001", Line: "1001", Contact: "10.99.0.2:5060"}}
		},
	})
	ts.Check(err)
	ts.Check(server.Open())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	ts.Defer(func() {
		cancel()
		ts.Check(<-done)
		ts.Check(kept.Close())
	})
}

// twoSessions is a gateway with two sessions.
type twoSessions struct{ ids []uint64 }

func (s *twoSessions) List() []control.Session {
	all := []control.Session{
		{ID: 1, User: "alice", Phone: "SEP020000001001", TunnelGroup: "phones", State: "connected", InnerAddress: "10.99.0.2", Transport: "dtls", DTLSVersion: "1.2", Began: time.Unix(0, 0)},
		{ID: 2, User: "bob", TunnelGroup: "phones", State: "disconnected", Began: time.Unix(60, 0)},
	}
	return slices.DeleteFunc(all, func(c control.Session) bool { return !slices.Contains(s.ids, c.ID) })
}

func (s *twoSessions) Logoff(_ context.Context, ids []uint64) (int, error) {
	before := len(s.ids)
	s.ids = slices.DeleteFunc(s.ids, func(id uint64) bool { return slices.Contains(ids, id) })
	return before - len(s.ids), nil
}
