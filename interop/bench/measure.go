package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"time"

	"github.com/longcord/longcord/fleet"
	"github.com/longcord/longcord/internal/secret"
)

// What can be measured, in the order in which it is.
const (
	partFloor  = "floor"  // what system calls and encryption cost here
	partIdle   = "idle"   // memory of sessions that do nothing
	partVoice  = "voice"  // 50 packets a second and client, each way, AES-128-GCM
	partOneWay = "oneway" // the same, up alone and down alone
	partAcross = "across" // voice from client to client
	partStorm  = "storm"  // voice while as many others log in for the first time
	partRate   = "rate"   // the highest rate
	partSetUp  = "setup"  // set-ups of users who have logged in before
	partCBC    = "cbc"    // voice with DTLS 0.9, AES-128-CBC and HMAC-SHA1
	partTCP    = "tcp"    // iperf3 through openconnect, which negotiates a pre-shared key
)

var parts = []string{partFloor, partIdle, partVoice, partOneWay, partAcross, partStorm, partRate, partSetUp, partCBC, partTCP}

// Suites as CONNECT names them; both gateways know both names.
var (
	gcm = []string{"OC-DTLS1_2-AES128-GCM"}
	cbc = []string{"AES128-SHA"}
)

// settleTime is how long sessions stay idle before their memory is read.
const settleTime = 15 * time.Second

// bench is the whole run.
type bench struct {
	options
	parts    []string
	Floors   []floor             `json:"floor,omitempty"` // one a round
	Gateways map[string][]result `json:"gateways"`        // likewise, by name
}

// result is what one gateway's turn gave. What was not measured is nil.
type result struct {
	FirstLogins *fleet.SetUp `json:"first_logins"`
	Logins      *fleet.SetUp `json:"logins,omitempty"`
	Idle        *idle        `json:"idle,omitempty"`
	Voice       *fleet.Voice `json:"voice,omitempty"`
	Up          *fleet.Voice `json:"voice_up,omitempty"`
	Down        *fleet.Voice `json:"voice_down,omitempty"`
	Across      *fleet.Voice `json:"voice_across,omitempty"`
	CBC         *fleet.Voice `json:"voice_cbc,omitempty"`
	Storm       *fleet.Voice `json:"voice_storm,omitempty"`
	Rate        *fleet.Found `json:"rate,omitempty"`
	TCP         *bulk        `json:"tcp,omitempty"`
}

// idle is the gateway's memory without and with sessions.
type idle struct {
	Sessions int         `json:"sessions"`
	Before   fleet.Usage `json:"before"`
	After    fleet.Usage `json:"after"`
}

func (i idle) pss() float64 { return float64(i.After.PSS-i.Before.PSS) / float64(i.Sessions) }
func (i idle) rss() float64 { return float64(i.After.RSS-i.Before.RSS) / float64(i.Sessions) }

// turn measures one gateway, started for the purpose in a laboratory of its own.
func (b *bench) turn(ctx context.Context, start func(context.Context, options, *laboratory, string) (*gateway, error)) (r result, err error) {
	dir, err := os.MkdirTemp("", "longcord-bench")
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	l, err := newLaboratory()
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	g, err := start(ctx, b.options, l, dir)
	if err != nil {
		return r, err
	}
	defer func() {
		if stopped := g.stop(); err != nil {
			err = errors.Join(fmt.Errorf("%w\n%s", err, g.output()), stopped)
		}
	}()
	return r, b.measure(ctx, l, g, dir, &r)
}

func (b *bench) wants(part ...string) bool {
	return slices.ContainsFunc(part, func(p string) bool { return slices.Contains(b.parts, p) })
}

// measure does what is wanted with a gateway that has just started.
func (b *bench) measure(ctx context.Context, l *laboratory, g *gateway, dir string, r *result) (err error) {
	if b.wants(partIdle) {
		r.Idle = &idle{Sessions: b.clients}
		// One session first: what a gateway takes for whatever number is not the sessions'.
		if err := b.with(ctx, l, g, 1, gcm, func(*fleet.Fleet, fleet.SetUp) error { return nil }); err != nil {
			return err
		}
		if err := rest(ctx, settleTime); err != nil {
			return err
		}
		if err := g.memory(&r.Idle.Before); err != nil {
			return err
		}
	}
	if err := b.with(ctx, l, g, b.clients, gcm, func(f *fleet.Fleet, s fleet.SetUp) error {
		r.FirstLogins = &s
		return b.talks(ctx, l, g, f, r)
	}); err != nil {
		return err
	}
	if b.wants(partSetUp) {
		if err := b.with(ctx, l, g, b.clients, gcm, func(_ *fleet.Fleet, s fleet.SetUp) error {
			r.Logins = &s
			return nil
		}); err != nil {
			return err
		}
	}
	if b.wants(partCBC) {
		if err := b.with(ctx, l, g, b.clients, cbc, func(f *fleet.Fleet, _ fleet.SetUp) error {
			return b.talk(ctx, f, fleet.BothWays, &r.CBC)
		}); err != nil {
			return err
		}
	}
	if b.wants(partTCP) {
		r.TCP, err = b.tcp(ctx, l, g, dir)
	}
	return err
}

// Quiet is a gateway that uses less than a fiftieth of its core.
const (
	quietFor  = time.Second
	quietCPU  = 20 * time.Millisecond
	quietWait = 60 * time.Second
)

// quiet waits until the gateway has done what sessions leave behind.
func (g *gateway) quiet(ctx context.Context) error {
	last := time.Duration(-1)
	for deadline := time.Now().Add(quietWait); time.Now().Before(deadline); {
		u, err := fleet.UsageOf(g.pid(), false)
		if err != nil {
			return err
		}
		if last >= 0 && u.CPU-last < quietCPU {
			return nil
		}
		last = u.CPU
		if err := rest(ctx, quietFor); err != nil {
			return err
		}
	}
	return errors.New("the gateway does not come to rest")
}

func rest(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// talks does what is wanted with clients that are up.
func (b *bench) talks(ctx context.Context, l *laboratory, g *gateway, f *fleet.Fleet, r *result) error {
	if b.wants(partIdle) {
		if err := rest(ctx, settleTime); err != nil {
			return err
		}
		if err := g.memory(&r.Idle.After); err != nil {
			return err
		}
	}
	for _, t := range []struct {
		part string
		way  fleet.Way
		to   **fleet.Voice
	}{{partVoice, fleet.BothWays, &r.Voice}, {partOneWay, fleet.UpOnly, &r.Up}, {partOneWay, fleet.DownOnly, &r.Down}, {partAcross, fleet.Across, &r.Across}} {
		if !b.wants(t.part) {
			continue
		}
		if err := b.talk(ctx, f, t.way, t.to); err != nil {
			return err
		}
	}
	if b.wants(partStorm) {
		if err := b.storm(ctx, l, g, f, r); err != nil {
			return err
		}
	}
	if !b.wants(partRate) {
		return nil
	}
	found, err := f.Search(ctx, fleet.Search{})
	r.Rate = &found
	return err
}

// storm has newcomers log in while the others talk, from the beginning of the talk to its end.
func (b *bench) storm(ctx context.Context, l *laboratory, g *gateway, f *fleet.Fleet, r *result) (err error) {
	config := b.config(l, g, gcm)
	config.Sources, config.Far = newcomers, netip.AddrPortFrom(desk.Addr(), 4002)
	config.Login = func(i int) (string, secret.String) { return g.user(b.clients + i), secret.New(password) }
	others, err := fleet.New(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, others.Close()) }()
	coming, stop := context.WithTimeout(ctx, fleet.DefaultWarm+b.length)
	came := make(chan struct{})
	go func() {
		defer close(came)
		_, _ = others.Connect(coming) // who has not come by the end stays away
	}()
	err = b.talk(ctx, f, fleet.BothWays, &r.Storm)
	stop()
	<-came
	return err
}

func (b *bench) talk(ctx context.Context, f *fleet.Fleet, way fleet.Way, to **fleet.Voice) error {
	v, err := f.Talk(ctx, fleet.Talk{Length: b.length, Way: way})
	if err == nil && v.Ended > 0 {
		err = fmt.Errorf("%d of %d sessions ended while they talked", v.Ended, v.Clients)
	}
	*to = &v
	return err
}

// with runs f with n clients that are up, and logs them off.
func (b *bench) with(ctx context.Context, l *laboratory, g *gateway, n int, suites []string, f func(*fleet.Fleet, fleet.SetUp) error) (err error) {
	if err := g.quiet(ctx); err != nil {
		return err
	}
	config := b.config(l, g, suites)
	config.Clients = n
	clients, err := fleet.New(config)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, clients.Close()) }()
	s, err := clients.Connect(ctx)
	if err != nil {
		return err
	}
	return f(clients, s)
}

func (b *bench) config(l *laboratory, g *gateway, suites []string) fleet.Config {
	return fleet.Config{
		URL: g.url, Clients: b.clients, CipherSuites: suites,
		// The gateway's certificate was made a moment ago, on a wire that nobody else is on.
		TLS:     &tls.Config{InsecureSkipVerify: true, MaxVersion: tls.VersionTLS12, SessionTicketsDisabled: true},
		Login:   func(i int) (string, secret.String) { return g.user(i), secret.New(password) },
		Sources: sources, Far: netip.AddrPortFrom(desk.Addr(), 4000),
		Outside: fleet.Host{Do: l.client.Do}, Inside: fleet.Host{Do: l.inside.Do},
		Usage: func() (fleet.Usage, error) { return fleet.UsageOf(g.pid(), false) },
	}
}

func (g *gateway) memory(u *fleet.Usage) (err error) {
	*u, err = fleet.UsageOf(g.pid(), true)
	return err
}
