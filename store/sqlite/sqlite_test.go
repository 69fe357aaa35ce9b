package sqlite_test

import (
	"context"
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/sqlite"
	"github.com/longcord/longcord/store/storetest"
)

// The name is one that a URL would have to escape.
const fileName = "a store?#%.db"

var backend = storetest.Backend{
	Durable: true,
	Open: func(dir string) (store.Store, error) {
		s, err := sqlite.Open(filepath.Join(dir, fileName))
		if err != nil {
			return nil, err
		}
		return s, nil
	},
}

type leakChecked struct{ m *testing.M }

func (l leakChecked) Run() int { return storetest.Main(l.m, backend) }

func TestMain(m *testing.M) { goleak.VerifyTestMain(leakChecked{m}) }

func TestContract(t *testing.T) {
	t.Parallel()
	storetest.Run(t, backend)
}

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestOneProcess(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), fileName)
	first := open(t, path)
	_, err := sqlite.Open(path)
	if want := fmt.Sprintf("in use by sqlite.test, process %d", os.Getpid()); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("second open: got %v, want %q", err, want)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	open(t, path)
}

func TestFileModes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s := open(t, filepath.Join(dir, fileName))
	if _, err := s.Commit(context.Background(), store.Op{Key: "a", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	files, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(files) != 4 {
		t.Errorf("%d files, want store, lock, log and its index", len(files))
	}
	for _, f := range files {
		if info, err := f.Info(); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("mode of %s: %v, %v, want 0600", f.Name(), info.Mode(), err)
		}
	}
}

func TestRefusesOpen(t *testing.T) {
	t.Parallel()
	garbage := filepath.Join(t.TempDir(), "garbage.db")
	if err := os.WriteFile(garbage, []byte(strings.Repeat("no database ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	newer := filepath.Join(t.TempDir(), "newer.db")
	db, err := sql.Open("sqlite", newer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.Exec("PRAGMA user_version = 99"); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		garbage: "not a database",
		newer:   "the file has schema 99 and this program knows 1",
		filepath.Join(t.TempDir(), "no", "directory.db"): "no such file",
	} {
		if _, err := sqlite.Open(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("open %s: got %v, want %q", path, err, want)
		}
	}
}

// TestSyncs makes sure that the settings which durability rests on are in force.
func TestSyncs(t *testing.T) {
	t.Parallel()
	s := open(t, filepath.Join(t.TempDir(), fileName))
	journal, synchronous, err := s.Pragmas()
	if err != nil || journal != "wal" || synchronous != 2 {
		t.Errorf("got journal_mode %q, synchronous %d, %v, want wal, 2 (full)", journal, synchronous, err)
	}
}

func BenchmarkCommit(b *testing.B) {
	s, err := sqlite.Open(filepath.Join(b.TempDir(), fileName))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	value := make([]byte, 1000)
	for i := 0; b.Loop(); i++ {
		if _, err := s.Commit(context.Background(), store.Op{Key: fmt.Sprint(i), Value: value}); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkGet(b *testing.B) {
	s, err := sqlite.Open(filepath.Join(b.TempDir(), fileName))
	if err != nil {
		b.Fatal(err)
	}
	defer s.Close()
	if _, err := s.Commit(context.Background(), store.Op{Key: "a", Value: make([]byte, 1000)}); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		if _, err := s.Get(context.Background(), "a"); err != nil {
			b.Fatal(err)
		}
	}
}
