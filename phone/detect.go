package phone

import (
	"context"
	"fmt"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
)

// proofTime bounds the fetch of the file that proves a server, in both ways together.
const proofTime = 12 * time.Second

// detectConfig is what the phone needs to find out where it is.
type detectConfig struct {
	fetcher fetcher
	servers []string // TFTP 1 and TFTP 2
	device  string   // device name
	mode    detect.Mode
	stored  *cnf.Device
	trust   *belief // whom the phone believes
}

// detectInside finds out whether the phone is inside or outside, and what that rests on. An error means that
// it could not look: no verdict.
func detectInside(ctx context.Context, cfg detectConfig) (detect.Decided, error) {
	l := &lookout{cfg: cfg, answers: make(chan int), proofs: make(chan proof)}
	ctx, cancel := context.WithCancel(ctx)
	defer l.running.Wait()
	defer cancel()
	pinger, err := newPinger(ctx, cfg.fetcher.network, addresses(ctx, cfg.fetcher.network, cfg.servers))
	if err != nil {
		return detect.Decided{}, err
	}
	l.pinger = pinger
	defer func() { _ = pinger.close() }() // a socket that was only read
	l.running.Go(func() { l.listen(ctx) })
	return l.run(ctx)
}

func detail(decided detect.Decided, servers []string) string {
	if decided.Server < 0 {
		return fmt.Sprintf("%s: %s", decided.Verdict, decided.Reason)
	}
	return fmt.Sprintf("%s: %s (%s)", decided.Verdict, decided.Reason, servers[decided.Server])
}

// addresses resolves the servers; one that does not resolve is never heard of.
func addresses(ctx context.Context, n network, servers []string) []netip.Addr {
	found := make([]netip.Addr, len(servers))
	for i, server := range servers {
		found[i], _ = n.resolve4(ctx, server)
	}
	return found
}

// lookout runs one detection: it alone speaks to it; pings and files come to it by channel.
type lookout struct {
	cfg     detectConfig
	pinger  *pinger
	answers chan int // a server that answered
	proofs  chan proof
	running sync.WaitGroup
}

type proof struct {
	server int
	file   *cnf.Device // nil: none that can be read
}

func (l *lookout) run(ctx context.Context) (detect.Decided, error) {
	detection, actions := detect.New(time.Now(), detect.Config{
		Servers: len(l.cfg.servers), Mode: l.cfg.mode, Stored: l.cfg.stored,
	})
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		if decided, ok := l.do(ctx, actions); ok {
			return decided, nil
		}
		var wake <-chan time.Time
		if at := detection.Wake(); !at.IsZero() {
			timer.Reset(time.Until(at))
			wake = timer.C
		}
		select {
		case <-ctx.Done():
			return detect.Decided{}, ctx.Err()
		case <-wake:
			actions = detection.Advance(time.Now())
		case server := <-l.answers:
			actions = detection.Answered(server)
		case p := <-l.proofs:
			actions = detection.Fetched(p.server, p.file)
		}
	}
}

func (l *lookout) do(ctx context.Context, actions []detect.Action) (detect.Decided, bool) {
	for _, action := range actions {
		switch action := action.(type) {
		case detect.Ping:
			_ = l.pinger.ping(action.Server) // not sent is not answered
		case detect.Fetch:
			l.running.Go(func() { l.fetch(ctx, action.Server) })
		case detect.Decided:
			return action, true
		}
	}
	return detect.Decided{}, false
}

// listen passes answers on until the pinger is closed.
func (l *lookout) listen(ctx context.Context) {
	for {
		server, err := l.pinger.answer()
		if err != nil {
			return
		}
		select {
		case l.answers <- server:
		case <-ctx.Done():
			return
		}
	}
}

func (l *lookout) fetch(ctx context.Context, server int) {
	limited, cancel := context.WithTimeout(ctx, proofTime)
	defer cancel()
	p := proof{server: server}
	if file, err := l.ownFile(limited, l.cfg.servers[server]); err == nil {
		p.file = file
	}
	select {
	case l.proofs <- p:
	case <-ctx.Done():
	}
}

// ownFile gets the phone's configuration, by the names and with the checks that its trust lists want. A stub that
// they believe stands for the stored one when there is no encrypted one that the phone can open
// (docs/wire/phone-files.md#encrypted-configuration).
func (l *lookout) ownFile(ctx context.Context, server string) (*cnf.Device, error) {
	get := func(name string) ([]byte, error) {
		raw, transport, err := l.cfg.fetcher.file(ctx, server, name)
		if err != nil || l.cfg.trust == nil {
			return raw, err
		}
		return l.cfg.trust.open(ctx, provision.Ask{Transport: transport, Name: name}, raw)
	}
	name, signed := provision.ConfigFile(l.cfg.device), false
	if l.cfg.trust != nil {
		signed, _ = l.cfg.trust.wants()
	}
	if signed {
		name += provision.SignedSuffix
	}
	raw, err := get(name)
	if err == nil && signed && provision.IsStub(raw) {
		if raw, err = get(provision.ConfigFile(l.cfg.device) + provision.EncryptedSuffix); err != nil {
			return l.cfg.stored, nil
		}
	}
	if err != nil {
		return nil, err
	}
	return cnf.Parse(raw)
}
