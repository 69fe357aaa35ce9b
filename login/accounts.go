package login

import (
	"cmp"
	"context"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login/radius"
)

const (
	maxReports     = 4096 // that wait for one group of servers
	interimMinutes = 10
	interimTick    = 15 * time.Second // how exactly reports on living sessions keep their time
	firstPause     = time.Second      // after no server took a report
	longestPause   = time.Minute
	lastWords      = 3 * time.Second // for what still waits when the gateway ends
)

// Session is a session as its accounts tell of it.
type Session struct {
	ID                                         string // differs from that of every other session, ever
	User, TunnelGroup                          string
	Address                                    netip.Addr // inner
	Peer                                       netip.Addr
	Class                                      [][]byte // of the Result
	Began                                      time.Time
	FromBytes, ToBytes, FromPackets, ToPackets uint64 // from and to the user
}

// Cause is why a session ended, as RADIUS counts the causes.
type Cause = radius.Cause

// The causes that a gateway knows.
const (
	UserRequest    = radius.UserRequest
	LostService    = radius.LostService
	IdleTimeout    = radius.IdleTimeout
	SessionTimeout = radius.SessionTimeout
	AdminReset     = radius.AdminReset
	NASError       = radius.NASError
)

// Accounts tells the accounting servers of a tunnel group of its sessions: that one began, how it stands
// from time to time, that it ended. Reports wait in memory until a server takes them, in order; nobody waits
// for that. When too many wait, reports on living sessions go first.
type Accounts struct {
	users    func() *inventory.Set
	sessions func() []Session
	deliver  func(context.Context, *inventory.AAAServer, radius.Account) error
	findings *finding.Board
	log      *slog.Logger

	mu      sync.Mutex
	queues  map[string]*reports  // by names of servers
	told    map[string]time.Time // when each living session was told of last, by its id
	changed chan struct{}        // has something in it when a queue may need a worker
}

// reports wait for one group of servers.
type reports struct {
	servers []string
	waiting []radius.Account
	working bool
	lost    int // since a server took one
}

// NewAccounts returns an Accounts. sessions returns those that live, at any time after Run was called.
func NewAccounts(c Config, sessions func() []Session) *Accounts {
	return &Accounts{
		users: c.Users, sessions: sessions, deliver: deliver, findings: c.Findings, log: logging.Or(c.Logger),
		queues: map[string]*reports{}, told: map[string]time.Time{}, changed: make(chan struct{}, 1),
	}
}

func deliver(ctx context.Context, declared *inventory.AAAServer, account radius.Account) error {
	return radiusServer(declared).Account(ctx, account)
}

// Began tells of a session that has its address.
func (a *Accounts) Began(s Session) { a.report(radius.Start, s, 0) }

// Ended tells of a session's end.
func (a *Accounts) Ended(s Session, cause Cause) { a.report(radius.Stop, s, cause) }

// report puts a report into its group's queue.
func (a *Accounts) report(status radius.Status, s Session, cause Cause) {
	group := a.users().TunnelGroups[s.TunnelGroup]
	if group == nil || len(group.AccountingServerGroup) == 0 {
		return
	}
	now := time.Now()
	key := strings.Join(group.AccountingServerGroup, "\x00")
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[s.ID] = now
	q := a.queues[key]
	if q == nil {
		q = &reports{servers: group.AccountingServerGroup}
		a.queues[key] = q
	}
	if q.add(radius.Account{
		Status: status, At: now, Session: s.ID, User: s.User, Called: s.TunnelGroup, Peer: s.Peer, Address: s.Address, Class: s.Class,
		Time: now.Sub(s.Began), FromBytes: s.FromBytes, ToBytes: s.ToBytes, FromPackets: s.FromPackets, ToPackets: s.ToPackets, Cause: cause,
	}) && q.lost == 1 {
		a.log.Error("accounts are lost", "servers", q.servers)
	}
	select {
	case a.changed <- struct{}{}:
	default:
	}
}

// add queues a report. It reports whether another was lost for that: one on a living session if there is
// any, which the next makes up for, else the oldest.
func (q *reports) add(account radius.Account) (lost bool) {
	q.waiting = append(q.waiting, account)
	if len(q.waiting) <= maxReports {
		return false
	}
	victim := 0
	for i, waiting := range q.waiting {
		if waiting.Status == radius.Interim {
			victim = i
			break
		}
	}
	q.waiting = append(q.waiting[:victim], q.waiting[victim+1:]...)
	q.lost++
	return true
}

// Run sends reports until ctx ends, and a moment longer what still waits.
func (a *Accounts) Run(ctx context.Context) error {
	last, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	var workers sync.WaitGroup
	tick := time.NewTicker(interimTick)
	defer tick.Stop()
	for {
		select {
		case <-a.changed:
			a.startWorkers(ctx, last, &workers)
		case <-tick.C:
			a.interim()
		case <-ctx.Done():
			timer := time.AfterFunc(lastWords, cancel)
			defer timer.Stop()
			a.startWorkers(ctx, last, &workers)
			workers.Wait()
			return nil
		}
	}
}

// startWorkers has somebody at each queue that is not empty.
func (a *Accounts) startWorkers(ctx, last context.Context, workers *sync.WaitGroup) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, q := range a.queues {
		if !q.working && len(q.waiting) > 0 {
			q.working = true
			workers.Go(func() { a.work(ctx, last, q) })
		}
	}
}

// work sends what waits in a queue, one after the other, until nothing does. Once ctx has ended, a report
// that no server takes ends it too.
func (a *Accounts) work(ctx, last context.Context, q *reports) {
	pause := firstPause
	for {
		a.mu.Lock()
		if len(q.waiting) == 0 || last.Err() != nil {
			q.working = false
			a.mu.Unlock()
			return
		}
		account := q.waiting[0]
		q.waiting = q.waiting[1:]
		a.mu.Unlock()
		if err := a.send(last, q, account); err == nil {
			pause = firstPause
			continue
		}
		a.mu.Lock()
		q.waiting = append([]radius.Account{account}, q.waiting...)
		a.mu.Unlock()
		select {
		case <-time.After(pause):
			pause = min(2*pause, longestPause)
		case <-ctx.Done():
			a.mu.Lock()
			q.working = false
			a.log.Warn("accounts are lost", "servers", q.servers, "count", len(q.waiting))
			a.mu.Unlock()
			return
		}
	}
}

// send offers a report to the servers of a group, in order, until one takes it.
func (a *Accounts) send(ctx context.Context, q *reports, account radius.Account) error {
	set := a.users()
	var err error
	for _, name := range q.servers {
		declared := set.AAAServers[name]
		if declared == nil {
			continue
		}
		if err = a.deliver(ctx, declared, account); err == nil {
			a.taken(q)
			return nil
		}
	}
	if err == nil { // nobody wants it any more
		a.findings.Clear(finding.AccountingStopped, strings.Join(q.servers, ", "))
		return nil
	}
	if ctx.Err() == nil {
		f := finding.AccountingStopped.With(strings.Join(q.servers, ", "), err.Error())
		if a.findings.Raise(f) {
			a.log.Error("accounts wait", logging.Finding, f.Code, "says", f.Says)
		}
	}
	return err
}

// taken notes that a server takes reports.
func (a *Accounts) taken(q *reports) {
	a.findings.Clear(finding.AccountingStopped, strings.Join(q.servers, ", "))
	a.mu.Lock()
	defer a.mu.Unlock()
	if q.lost > 0 {
		a.log.Warn("accounts were lost", "servers", q.servers, "count", q.lost)
		q.lost = 0
	}
}

// interim reports on the living sessions whose time for it has come.
func (a *Accounts) interim() {
	now, set := time.Now(), a.users()
	living := map[string]bool{}
	for _, s := range a.sessions() {
		living[s.ID] = true
		if a.due(set, s, now) {
			a.report(radius.Interim, s, 0)
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	maps.DeleteFunc(a.told, func(id string, _ time.Time) bool { return !living[id] })
}

// due reports whether a session was not told of for as long as its group's first server wants. One that
// nothing is known of, as after a restart, counts from now.
func (a *Accounts) due(set *inventory.Set, s Session, now time.Time) bool {
	group := set.TunnelGroups[s.TunnelGroup]
	if group == nil || len(group.AccountingServerGroup) == 0 {
		return false
	}
	minutes := interimMinutes
	if server := set.AAAServers[group.AccountingServerGroup[0]]; server != nil {
		minutes = cmp.Or(server.InterimAccountingUpdate, minutes)
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	at, known := a.told[s.ID]
	if !known {
		a.told[s.ID] = now
	}
	return known && now.Sub(at) >= time.Duration(minutes)*time.Minute
}
