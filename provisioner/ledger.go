package provisioner

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
)

// Snapshot is what a Provisioner has done since it began.
type Snapshot struct {
	Transfers int    // TFTP transfers under way
	Delivered uint64 // files that arrived
	Missing   uint64 // requests for files that are not there
	Denied    uint64 // requests for files that are not for who asked
	Refused   uint64 // requests refused: names, writes, over the limits, files that could not be made
	Failed    uint64 // transfers that broke off
}

// ledger counts and logs what happens to requests.
type ledger struct {
	log      *slog.Logger
	recorder *recorder
	findings *finding.Board
	denials  recently
	// neighbour returns the MAC address of who has an address, empty behind a router.
	neighbour func(netip.Addr) (string, error)

	mu     sync.Mutex
	counts Snapshot
}

func newLedger(log *slog.Logger, recorder *recorder, findings *finding.Board, neighbours func(netip.Addr) (string, error)) *ledger {
	if neighbours == nil {
		neighbours = neighbour
	}
	return &ledger{log: log, recorder: recorder, findings: findings, neighbour: neighbours, denials: recently{seen: map[netip.Addr]time.Time{}}}
}

func (l *ledger) snapshot() Snapshot {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.counts
}

func (l *ledger) count(counter *uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	*counter++
}

// request is one request as it stands in logs.
type request struct {
	name      string
	peer      netip.AddrPort
	transport provision.Transport
	certified string // device that the peer's certificate has proved; empty: none
}

func (l *ledger) attributes(r request) *slog.Logger {
	log := l.log.With(logging.Peer, r.peer, "file", r.name, "transport", string(r.transport))
	if device := provision.DeviceIn(r.name); device != "" {
		log = log.With(logging.Phone, device)
	}
	return log
}

func (l *ledger) delivered(r request, f *file, sent int64) {
	l.count(&l.counts.Delivered)
	r.name = f.name
	if f.device != "" {
		l.recorder.note(Delivery{f.device, f.name, f.stamp, f.hashes, r.peer, l.fetcher(f), r.transport, sent, time.Now().Round(0).UTC()})
	}
	l.attributes(r).Info("file delivered", "bytes", sent)
}

// fetcher says who fetched a file of a device. It is asked at the end: then the kernel knows whom it has sent it to.
func (l *ledger) fetcher(f *file) provision.Fetcher {
	who := f.asker
	if who.Session == nil {
		mac, err := l.neighbour(who.Address)
		if err != nil {
			l.log.Warn("neighbours are not known", logging.Err, err)
		}
		who.MAC = mac
	}
	return who.Fetches(f.device, f.rule)
}

func (l *ledger) failed(r request, err error) {
	l.count(&l.counts.Failed)
	l.attributes(r).Info("file not delivered", logging.Err, err)
}

// turnedAway notes a request that was refused before any file was looked for.
func (l *ledger) turnedAway(r request, why string) {
	l.count(&l.counts.Refused)
	l.attributes(r).Debug("request refused", "reason", why)
}
