package gateway

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/store"
)

const (
	legacyKept  = 30 * 24 * time.Hour // how long a phone counts that needed old cryptography
	legacyAgain = 24 * time.Hour      // how often one and the same is written down
	legacyLook  = time.Hour           // how often it is looked at whether who was seen still counts
)

// legacyRecord remembers that somebody needed old cryptography, under the device's name or else the user's.
// It outlives sessions: who wants to switch old cryptography off must know of the phones that are asleep.
type legacyRecord struct {
	TunnelGroup string    `json:"tunnel_group"`
	With        string    `json:"with"` // such as TLS 1.0
	Seen        time.Time `json:"seen"`
}

func legacyTable(s store.Store) *store.Table[legacyRecord] {
	return store.NewTable[legacyRecord](s, "gateway/legacy/", 1, nil)
}

// legacy counts who needs old cryptography.
type legacy struct {
	g     *Gateway
	table *store.Table[legacyRecord]

	mu   sync.Mutex
	seen map[string]legacyRecord
}

func newLegacy(g *Gateway) *legacy {
	return &legacy{g: g, table: legacyTable(g.config.Store), seen: map[string]legacyRecord{}}
}

// open reads who was seen before.
func (l *legacy) open(ctx context.Context) error {
	entries, _, err := l.table.List(ctx)
	if err != nil {
		return fmt.Errorf("phones with old cryptography: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, e := range entries {
		l.seen[e.Name] = e.Value
	}
	return nil
}

// used notes that a session needed old cryptography. It waits for the store at most once a day for each
// phone, so it is not for the packet path.
func (l *legacy) used(r sessionRecord, with string, now time.Time) {
	name := cmp.Or(r.Device, r.User)
	record := legacyRecord{TunnelGroup: r.TunnelGroup, With: with, Seen: now}
	l.mu.Lock()
	before, known := l.seen[name]
	fresh := known && before.TunnelGroup == r.TunnelGroup && now.Sub(before.Seen) < legacyAgain
	if !fresh {
		l.seen[name] = record
	}
	l.mu.Unlock()
	if fresh {
		return
	}
	if _, err := l.table.Put(context.Background(), name, record, store.Any); err != nil {
		l.g.log.Warn("use of old cryptography not noted", logging.Phone, name, logging.Err, err)
	}
	l.forget(now)
	l.raise(now)
}

// usedLegacy has it noted that the session needed old cryptography, without waiting.
func (s *session) usedLegacy(with string) {
	s.g.wg.Go(func() { s.g.legacy.used(s.record, with, time.Now()) })
}

// forget drops who has not needed it for long.
func (l *legacy) forget(now time.Time) {
	l.mu.Lock()
	var gone []string
	for name, r := range l.seen {
		if now.Sub(r.Seen) >= legacyKept {
			gone = append(gone, name)
			delete(l.seen, name)
		}
	}
	l.mu.Unlock()
	for _, name := range gone {
		if err := l.table.Delete(context.Background(), name, store.Any); err != nil {
			l.g.log.Debug("use of old cryptography not forgotten", logging.Phone, name, logging.Err, err)
		}
	}
}

// raise puts on the board what findings says, and takes down what is no more so.
func (l *legacy) raise(now time.Time) {
	stands := map[string]bool{}
	for _, f := range l.findings(now) {
		stands[f.Subject] = true
		l.g.config.Findings.Raise(f)
	}
	for _, f := range l.g.config.Findings.Findings() {
		if f.Code == finding.LegacyInUse.Code && !stands[f.Subject] {
			l.g.config.Findings.Clear(finding.LegacyInUse, f.Subject)
		}
	}
}

// findings has one for each tunnel group that allows old cryptography: who still needs it.
func (l *legacy) findings(now time.Time) []finding.Finding {
	l.mu.Lock()
	seen := maps.Clone(l.seen)
	l.mu.Unlock()
	var found []finding.Finding
	set := l.g.config.Inventory()
	for _, group := range sorted(set.TunnelGroups) {
		if !set.TunnelGroups[group].LegacyPhones {
			continue
		}
		names := slices.Sorted(maps.Keys(seen))
		names = slices.DeleteFunc(names, func(name string) bool {
			return seen[name].TunnelGroup != group || now.Sub(seen[name].Seen) >= legacyKept
		})
		f := finding.LegacyInUse.With(group, howMany(len(names)))
		for _, name := range names[:min(len(names), legacyNamed)] {
			f = f.Because("gateway", 0, fmt.Sprintf("%s came with %s, last on %s", name, seen[name].With, seen[name].Seen.UTC().Format(time.DateOnly)))
		}
		found = append(found, f)
	}
	return found
}

// legacyNamed is how many phones a finding names.
const legacyNamed = 10

func howMany(phones int) string {
	switch phones {
	case 0:
		return "no phone has"
	case 1:
		return "1 phone has"
	}
	return fmt.Sprintf("%d phones have", phones)
}

// LegacyInUse has a finding for each tunnel group that lets old cryptography in. The gateway must be open.
func (g *Gateway) LegacyInUse() []finding.Finding { return g.legacy.findings(time.Now()) }
