package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
)

// Config is what AAA needs.
type Config struct {
	// Users returns the present inventory; it is asked at each login. Required.
	Users func() *inventory.Set
	// Renew saves a new hash of a user's password in place of the old one, unless the user has changed
	// meanwhile. It is called after a login against a foreign hash; nil leaves such hashes as they are.
	Renew func(ctx context.Context, user string, old, renewed secret.String) error
	// Store remembers which one-time codes were used. Required.
	Store store.Store
	// Findings is where it says which servers do not answer and who is banned. Nil: only in the log.
	Findings *finding.Board
	// Logger hears of what an operator should know. Nil discards.
	Logger *slog.Logger
}

// AAA logs in whoever the servers of a tunnel group accept: the inventory's own users, RADIUS servers,
// directories. It may be used by several goroutines.
type AAA struct {
	users      func() *inventory.Set
	local      *Local
	servers    *servers
	challenges *challenges
	codes      *codes
	bans       *bans
	log        *slog.Logger
}

// New returns an AAA.
func New(c Config) (*AAA, error) {
	local, err := NewLocal(c)
	if err != nil {
		return nil, err
	}
	if c.Store == nil {
		return nil, errors.New("login: no store given")
	}
	log := logging.Or(c.Logger)
	return &AAA{
		users: c.Users, local: local, servers: newServers(c.Findings, log), challenges: newChallenges(), codes: newCodes(c.Store),
		bans: newBans(c.Findings, log), log: log,
	}, nil
}

// Authenticate checks a login, or the answer to a challenge. It returns ErrRefused; a *Challenge when the
// peer has to answer a further question; ErrBanned, ErrBusy, ErrUnavailable or another error when nothing
// was checked and the peer should come back.
func (a *AAA) Authenticate(ctx context.Context, r Request) (Result, error) {
	set := a.users()
	a.servers.forget(set)
	if r.Certificate != nil && r.User == "" {
		r.User = r.Certificate.Subject
	}
	if err := a.bans.refuse(set, r); err != nil {
		return Result{}, err
	}
	result, err := a.check(ctx, set, r)
	a.bans.note(set, r, err)
	if err != nil {
		return Result{}, err
	}
	return result, nil
}

func (a *AAA) check(ctx context.Context, set *inventory.Set, r Request) (Result, error) {
	if r.State != "" {
		return a.answered(ctx, set, r)
	}
	group := set.TunnelGroups[r.TunnelGroup]
	if group == nil {
		return a.local.Authenticate(ctx, r) // which refuses, and takes its time
	}
	if group.NeedsCertificate() {
		if r.Certificate == nil {
			return Result{}, refused("no client certificate")
		}
		if err := Admit(set, r.Certificate); err != nil {
			return Result{}, err
		}
	}
	o, err := a.firstFactor(ctx, set, group, r)
	if err != nil {
		return Result{}, err
	}
	return a.heard(ctx, set, group, r, o)
}

// firstFactor returns what the group's servers say of name and password, or that a certificate is enough.
func (a *AAA) firstFactor(ctx context.Context, set *inventory.Set, group *inventory.TunnelGroup, r Request) (opinion, error) {
	if !group.TakesPassword() {
		result, err := Certified(set, r)
		return opinion{verdict: accepted, result: result}, err
	}
	for _, name := range group.Servers() {
		if name == inventory.LocalUsers {
			result, err := a.local.Authenticate(ctx, r)
			return opinion{verdict: accepted, result: result}, err
		}
		server := a.servers.get(set, name)
		if server == nil {
			continue
		}
		o, err := server.ask(ctx, r, nil)
		if errors.Is(err, errDead) {
			continue
		}
		return o, err
	}
	return opinion{}, fmt.Errorf("%w: no server of tunnel group %q answers", ErrUnavailable, group.Name)
}

// heard goes on with what a server said.
func (a *AAA) heard(ctx context.Context, set *inventory.Set, group *inventory.TunnelGroup, r Request, o opinion) (Result, error) {
	switch o.verdict {
	case rejected:
		return Result{}, &refusal{reason: o.reason, server: o.from()}
	case challenged:
		return Result{}, a.challenges.ask(r, o.prompt, pending{server: o.server, state: o.state})
	}
	result, err := a.granted(set, r, o)
	if err != nil || group.SecondaryAuthentication == "" {
		return result, err
	}
	if group.SecondaryAuthentication == inventory.SecondForm && r.SecondFactor.IsZero() {
		return Result{}, a.challenges.ask(r, "One-time code:", pending{result: result})
	}
	return result, a.codes.check(ctx, set.Users[result.User], r.SecondFactor)
}

// answered checks the answer to a challenge.
func (a *AAA) answered(ctx context.Context, set *inventory.Set, r Request) (Result, error) {
	p, ok := a.challenges.take(r)
	if !ok {
		return Result{}, refused("answer to no challenge, or too late")
	}
	group := set.TunnelGroups[p.request.TunnelGroup]
	if group == nil {
		return Result{}, refused("no such tunnel group")
	}
	if p.server == nil {
		return p.result, a.codes.check(ctx, set.Users[p.result.User], r.SecondFactor)
	}
	first := p.request
	first.Password = r.SecondFactor
	o, err := p.server.ask(ctx, first, p.state)
	if errors.Is(err, errDead) { // no other server knows the challenge
		return Result{}, fmt.Errorf("%w: server %q answers no more", ErrUnavailable, p.server.declared.Name)
	}
	if err != nil {
		return Result{}, err
	}
	return a.heard(ctx, set, group, first, o)
}

// granted is what an accepted user gets: what the server said of it, as far as the inventory has it.
func (a *AAA) granted(set *inventory.Set, r Request, o opinion) (Result, error) {
	result := o.result
	if o.server != nil {
		result.Server, result.User = o.from(), canonical(set, result.User)
	}
	if user := set.Users[result.User]; user != nil && user.GroupLock != "" && user.GroupLock != r.TunnelGroup {
		return Result{}, refused("locked to another tunnel group")
	}
	if o.lock != "" && o.lock != r.TunnelGroup {
		return Result{}, refused(fmt.Sprintf("server locks the user to tunnel group %q", o.lock))
	}
	for _, p := range o.policies {
		if _, ok := set.GroupPolicies[p.name]; ok {
			result.GroupPolicy = p.name
			break
		}
		if p.named {
			return Result{}, refused(fmt.Sprintf("server names the group policy %q, which does not exist", p.name))
		}
	}
	if result.Device == "" {
		if device, ok := set.DeviceForUser(result.User); ok {
			result.Device = device.Name
		}
	}
	if c := r.Certificate; c != nil && set.Devices[c.Device] != nil {
		result.Device = c.Device
	}
	return result, nil
}

// canonical returns the name that the inventory writes a server's user with. Servers may not tell letter
// case apart, and what the inventory says of a user must not be escaped by it.
func canonical(set *inventory.Set, name string) string {
	if _, ok := set.Users[name]; ok {
		return name
	}
	for known := range set.Users {
		if strings.EqualFold(known, name) {
			return known
		}
	}
	return name
}
