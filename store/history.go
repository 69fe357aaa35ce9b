package store

import (
	"context"
	"slices"
	"strings"
	"sync"
)

// How much of the past a History remembers: whichever limit is met first.
const (
	HistoryEvents = 4096
	HistoryBytes  = 32 << 20 // of keys and values
)

// History is the table of recent changes from which a backend that runs in one process serves its
// watches. Watchers read it at their own pace: a slow one costs nothing and meets a gap once what it has
// not read yet is dropped. The zero value is not usable; NewHistory makes one.
type History struct {
	mu      sync.Mutex
	commits []commit // oldest first
	events  int
	bytes   int
	gone    Revision      // the last revision that was dropped or came before us
	changed chan struct{} // closed and replaced by each Append
	closed  bool
}

type commit struct {
	revision Revision
	events   []Event
	bytes    int
}

// NewHistory returns a history of what happens after revision.
func NewHistory(revision Revision) *History {
	return &History{gone: revision, changed: make(chan struct{})}
}

// Append adds the events of one commit. Revisions must rise from call to call.
func (h *History) Append(revision Revision, events []Event) {
	h.mu.Lock()
	defer h.mu.Unlock()
	c := commit{revision: revision, events: events}
	for _, e := range events {
		c.bytes += len(e.Key) + len(e.Value)
	}
	h.commits = append(h.commits, c)
	h.events += len(events)
	h.bytes += c.bytes
	for h.events > HistoryEvents || h.bytes > HistoryBytes {
		h.drop()
	}
	close(h.changed)
	h.changed = make(chan struct{})
}

func (h *History) drop() {
	oldest := h.commits[0]
	h.commits[0] = commit{} // the slice's array outlives the commit
	h.commits = h.commits[1:]
	h.events -= len(oldest.events)
	h.bytes -= oldest.bytes
	h.gone = oldest.revision
}

// Watch returns a Watcher for changes under prefix with revisions above from, or ErrGap or ErrClosed.
func (h *History) Watch(prefix string, from Revision) (Watcher, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, ErrClosed
	}
	if from < h.gone {
		return nil, ErrGap
	}
	return &watcher{history: h, prefix: prefix, at: from, done: make(chan struct{})}, nil
}

// Close ends all watches with ErrClosed.
func (h *History) Close() {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.closed {
		h.closed = true
		close(h.changed)
	}
}

// since returns the events under prefix above a revision, the revision read up to, and what to wait for
// when there are none.
func (h *History) since(prefix string, at Revision) ([]Event, Revision, <-chan struct{}, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return nil, at, nil, ErrClosed
	}
	if at < h.gone {
		return nil, at, nil, ErrGap
	}
	first, _ := slices.BinarySearchFunc(h.commits, at+1, func(c commit, r Revision) int { return int(c.revision - r) })
	var found []Event
	for _, c := range h.commits[first:] {
		for _, e := range c.events {
			if strings.HasPrefix(e.Key, prefix) {
				found = append(found, e)
			}
		}
		at = c.revision
	}
	return found, at, h.changed, nil
}

type watcher struct {
	history *History
	prefix  string
	at      Revision // everything up to here has been handed out
	close   sync.Once
	done    chan struct{}
}

func (w *watcher) Next(ctx context.Context) ([]Event, error) {
	for {
		select {
		case <-w.done:
			return nil, ErrClosed
		default:
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		events, at, changed, err := w.history.since(w.prefix, w.at)
		if err != nil {
			return nil, err
		}
		w.at = at
		if len(events) > 0 {
			return events, nil
		}
		select {
		case <-changed:
		case <-w.done:
		case <-ctx.Done():
		}
	}
}

func (w *watcher) Close() { w.close.Do(func() { close(w.done) }) }
