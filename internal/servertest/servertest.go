// Package servertest runs servers of ours for the length of a test, and keeps what they log.
package servertest

import (
	"context"
	"strings"
	"sync"
	"testing"
)

// Start runs a server that listens already, until the test ends or stop is called, which may be called again. The
// test fails if it ends with an error.
func Start(t testing.TB, serve func(context.Context) error) (stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- serve(ctx) }()
	stop = sync.OnceFunc(func() {
		cancel()
		if err := <-served; err != nil {
			t.Errorf("serve ended with %v", err)
		}
	})
	t.Cleanup(stop)
	return stop
}

// Log keeps what is written to it. It is for several goroutines, and the zero value is empty.
type Log struct {
	mu   sync.Mutex
	text strings.Builder
}

// Write implements io.Writer.
func (l *Log) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

// String returns all of it.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// Has reports whether a text is in it.
func (l *Log) Has(text string) bool { return strings.Contains(l.String(), text) }
