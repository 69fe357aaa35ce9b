package sqlite

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/longcord/longcord/store"
)

// TestCommitsGoTogether has commits meet: each gets a revision of its own, one that conflicts is refused
// alone, and a watch sees them one after the other.
func TestCommitsGoTogether(t *testing.T) {
	t.Parallel()
	s, err := Open(filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const n = 20
	var mu sync.Mutex
	var revisions []store.Revision
	refused := 0
	var running sync.WaitGroup
	s.mu.Lock()
	for i := range n {
		running.Go(func() {
			// The odd ones want to be the first with the key that all of them have.
			ops := []store.Op{{Key: fmt.Sprintf("own/%02d", i), Value: []byte("x")}}
			if i%2 == 1 {
				ops = append(ops, store.Op{Key: "all", Value: []byte{byte(i)}})
			}
			revision, err := s.Commit(context.Background(), ops...)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case errors.Is(err, store.ErrConflict):
				refused++
			case err != nil:
				t.Error(err)
			default:
				revisions = append(revisions, revision)
			}
		})
	}
	for waiting := 0; waiting < n; time.Sleep(time.Millisecond) { // until all of them stand in the queue
		s.queueMu.Lock()
		waiting = len(s.queue)
		s.queueMu.Unlock()
	}
	s.mu.Unlock()
	running.Wait()
	slices.Sort(revisions)
	for i, revision := range revisions {
		if revision != store.Revision(i+1) {
			t.Errorf("revisions %v", revisions)
			break
		}
	}
	if refused != n/2-1 {
		t.Errorf("%d are refused want %d", refused, n/2-1)
	}
	records, revision, err := s.List(context.Background(), "own/")
	if err != nil || len(records) != n/2+1 || revision != n/2+1 {
		t.Errorf("%d records at revision %d, %v; want %d", len(records), revision, err, n/2+1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.revision != n/2+1 {
		t.Errorf("revision %d want %d", s.revision, n/2+1)
	}
}
