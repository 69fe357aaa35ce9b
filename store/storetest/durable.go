package storetest

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/store"
)

func restart(t *testing.T, b Backend) {
	dir := t.TempDir()
	s := b.open(t, dir)
	commit(t, s, put("a", "old", 0), put("gone", "x", 0))
	last := commit(t, s, put("a", "new", store.Any), store.Op{Key: "gone", Delete: true, Read: store.Any})
	closeStore(t, s)

	s = b.open(t, dir)
	defer closeStore(t, s)
	if got := wantValue(t, s, "a", "new"); got.Revision != last {
		t.Errorf("revision: got %d, want %d", got.Revision, last)
	}
	wantGone(t, s, "gone")
	records, revision := list(t, s, "")
	if len(records) != 1 || revision != last {
		t.Errorf("list: got %d records at %d, want 1 at %d", len(records), revision, last)
	}
	w := watch(t, s, "", revision)
	if after := commit(t, s, put("a", "newer", last)); after <= last {
		t.Errorf("revision %d after %d", after, last)
	}
	if events := next(t, w); len(events) != 1 || string(events[0].Value) != "newer" {
		t.Errorf("watch from a list after the restart: got %v", events)
	}
}

func leaseRestart(t *testing.T, b Backend) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		s := b.open(t, dir)
		quick, late := grant(t, s, 0), grant(t, s, 0)
		commit(t, s, leased("quick", quick), leased("late", late), put("stays", "x", 0))
		closeStore(t, s)
		time.Sleep(ttl - time.Second)
		s = b.open(t, dir)
		grant(t, s, quick)
		wantValue(t, s, "quick", "x")
		closeStore(t, s)
		time.Sleep(2 * time.Second)
		s = b.open(t, dir)
		defer closeStore(t, s)
		wantValue(t, s, "quick", "x")
		wantValue(t, s, "stays", "x")
		wantGone(t, s, "late")
		if err := s.KeepAlive(context.Background(), late); !errors.Is(err, store.ErrNoLease) {
			t.Errorf("keep alive after the end: got %v, want %v", err, store.ErrNoLease)
		}
	})
}

// childDir names the variable that tells a copy of the test program to be the one that gets killed.
const childDir = "LONGCORD_STORETEST_DIR"

const (
	killWriters = 4
	killAfter   = 100 // acknowledged commits
	killRounds  = 3
)

// Main is TestMain of a durable backend: the suite starts the test program a second time, and there
// Main writes to the store until it is killed.
func Main(m *testing.M, b Backend) int {
	dir := os.Getenv(childDir)
	if dir == "" {
		return m.Run()
	}
	s, err := b.Open(dir)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var all sync.WaitGroup
	for w := range killWriters {
		all.Go(func() { writeUntilKilled(s, w) })
	}
	all.Wait()
	return 1
}

// writeUntilKilled commits three records at a time and says so afterwards.
func writeUntilKilled(s store.Store, writer int) {
	for n := 0; ; n++ {
		name := fmt.Sprintf("%d-%d-%d", os.Getpid(), writer, n)
		var ops []store.Op
		for _, part := range []string{"a", "b", "c"} {
			ops = append(ops, put("kill/"+name+"/"+part, name, 0))
		}
		if _, err := s.Commit(context.Background(), ops...); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return
		}
		fmt.Println(name)
	}
}

// kill kills a process in the middle of its commits, several times over, and looks at what it left.
func kill(t *testing.T, b Backend) {
	dir := t.TempDir()
	acknowledged := map[string]bool{}
	for range killRounds {
		for _, name := range killedWriter(t, dir) {
			acknowledged[name] = true
		}
		s := b.open(t, dir)
		checkKilled(t, s, acknowledged)
		closeStore(t, s)
	}
}

// killedWriter runs a writer, kills it, and returns what it said was committed.
func killedWriter(t *testing.T, dir string) []string {
	t.Helper()
	child := exec.Command(os.Args[0])
	child.Env = append(os.Environ(), childDir+"="+dir)
	child.Stderr = os.Stderr
	out, err := child.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	var names []string
	lines := bufio.NewReader(out)
	for {
		line, err := lines.ReadString('\n')
		if errors.Is(err, io.EOF) {
			break // a line cut off by the kill does not count
		}
		if err != nil {
			t.Fatal(err)
		}
		if names = append(names, strings.TrimSpace(line)); len(names) == killAfter {
			if err := child.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := child.Wait(); err == nil || len(names) < killAfter {
		t.Fatalf("the writer ended by itself after %d commits: %v", len(names), err)
	}
	return names
}

func checkKilled(t *testing.T, s store.Store, acknowledged map[string]bool) {
	t.Helper()
	records, revision := list(t, s, "kill/")
	parts := map[string]int{}
	for _, r := range records {
		parts[string(r.Value)]++
		if r.Revision > revision {
			t.Errorf("%q is of revision %d, above the store's %d", r.Key, r.Revision, revision)
		}
	}
	for name, n := range parts {
		if n != 3 {
			t.Errorf("commit %s left %d of its 3 records", name, n)
		}
	}
	for name := range acknowledged {
		if parts[name] == 0 {
			t.Errorf("commit %s was acknowledged and is not there", name)
		}
	}
}
