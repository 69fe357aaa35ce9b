// Package sqlite keeps a store in one SQLite file, for one machine. The file belongs to one process,
// which holds a lock beside it; other programs speak to that process.
//
// The journal is a write-ahead log synced at every commit, so what Commit has acknowledged survives a
// kill and a power cut. Watches are served from memory: they begin at the opening of the file, and a
// watch from before it has a gap. A lease's end is kept as wall-clock time across restarts and measured
// by the monotonic clock in between.
package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	_ "modernc.org/sqlite" // the driver "sqlite"

	"github.com/longcord/longcord/store"
)

// schema is version 1; PRAGMA user_version holds the number. Keys are blobs so that they compare as
// bytes. at is in milliseconds since 1970.
const schema = `
CREATE TABLE record (
	key      BLOB PRIMARY KEY,
	value    BLOB NOT NULL,
	revision INTEGER NOT NULL,
	lease    INTEGER NOT NULL
);
CREATE INDEX record_by_lease ON record (lease) WHERE lease <> 0;
CREATE TABLE lease (
	id  INTEGER PRIMARY KEY,
	ttl INTEGER NOT NULL, -- milliseconds
	at  INTEGER NOT NULL  -- when it ends
);
CREATE TABLE state (revision INTEGER NOT NULL);
INSERT INTO state VALUES (0);
PRAGMA user_version = 1;`

const (
	schemaVersion = 1
	readers       = 4 // connections; reads are short, and writes have one of their own
)

// sweepAgain is how long after a sweep that could not be written the next one comes.
const sweepAgain = time.Second

// Store is a store.Store in a SQLite file.
type Store struct {
	path    string
	lock    *os.File
	reads   *sql.DB
	writes  *sql.DB
	history *store.History
	leases  *store.Leases

	mu         sync.Mutex // one writer at a time
	conn       *sql.Conn
	revision   store.Revision
	statements map[string]*sql.Stmt // on conn, by their text

	queueMu sync.Mutex
	queue   []*commit // that wait for mu

	closed atomic.Bool // set under mu
}

// Open opens the store in the file path, creating it (mode 0600) when it does not exist; its directory
// must. When another process has it open, the error says which.
func Open(path string) (*Store, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: %w", err)
	}
	lock, err := takeLock(path)
	if err != nil {
		return nil, fmt.Errorf("sqlite: open %s: %w", path, err)
	}
	s := &Store{path: path, lock: lock, statements: map[string]*sql.Stmt{}}
	s.leases = store.NewLeases(s.sweep)
	if err := s.open(); err != nil {
		return nil, errors.Join(fmt.Errorf("sqlite: open %s: %w", path, err), s.Close())
	}
	return s, nil
}

func (s *Store) open() error {
	s.mu.Lock() // leases found in the file may end before we are through
	defer s.mu.Unlock()
	ctx := context.Background()
	// SQLite gives the log and its index the mode of the main file, so that one is made first.
	file, err := os.OpenFile(s.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	if err := file.Close(); err != nil {
		return err
	}
	if s.writes, err = connect(s.path, 1, "journal_mode(wal)", "synchronous(full)"); err != nil {
		return err
	}
	if s.conn, err = s.writes.Conn(ctx); err != nil {
		return err
	}
	if err := s.prepare(ctx); err != nil {
		return err
	}
	if s.reads, err = connect(s.path, readers, "query_only(1)"); err != nil {
		return err
	}
	return s.loadLeases(ctx)
}

func connect(path string, connections int, pragmas ...string) (*sql.DB, error) {
	query := url.Values{"_pragma": append(pragmas, "busy_timeout(5000)")}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path, RawQuery: query.Encode()}).String())
	if err != nil {
		return nil, err
	}
	db.SetMaxOpenConns(connections)
	db.SetMaxIdleConns(connections)
	return db, nil
}

// prepare makes the tables of a new file, checks those of an old one, and reads the revision.
func (s *Store) prepare(ctx context.Context) error {
	var version int
	if err := s.conn.QueryRowContext(ctx, "PRAGMA user_version").Scan(&version); err != nil {
		return err
	}
	if version > schemaVersion {
		return fmt.Errorf("the file has schema %d and this program knows %d: run the newer program", version, schemaVersion)
	}
	if version == 0 {
		if err := s.makeTables(ctx); err != nil {
			return err
		}
	}
	if err := s.conn.QueryRowContext(ctx, "SELECT revision FROM state").Scan(&s.revision); err != nil {
		return err
	}
	s.history = store.NewHistory(s.revision)
	return nil
}

// makeTables makes a new file's tables, by many statements at once.
func (s *Store) makeTables(ctx context.Context) error {
	return s.transaction(ctx, func() error {
		_, err := s.conn.ExecContext(ctx, schema)
		return err
	})
}

func (s *Store) loadLeases(ctx context.Context) error {
	rows, err := s.conn.QueryContext(ctx, "SELECT id, ttl, at FROM lease")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var id store.LeaseID
		var ttl, at int64
		if err := rows.Scan(&id, &ttl, &at); err != nil {
			return err
		}
		full := time.Duration(ttl) * time.Millisecond
		// A clock that was set back must not lengthen a lease beyond its time to live.
		s.leases.Put(id, full, min(full, time.Until(time.UnixMilli(at))))
	}
	return rows.Err()
}

// transaction runs do between BEGIN and COMMIT, or rolls back. The caller holds mu.
func (s *Store) transaction(ctx context.Context, do func() error) error {
	if err := s.exec(ctx, "BEGIN IMMEDIATE"); err != nil {
		return err
	}
	err := do()
	if err == nil {
		err = s.exec(ctx, "COMMIT")
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself and this one says so.
		_ = s.exec(ctx, "ROLLBACK")
	}
	return err
}

// exec runs one statement. The caller holds mu.
func (s *Store) exec(ctx context.Context, query string, args ...any) error {
	statement, err := s.prepared(ctx, query)
	if err == nil {
		_, err = statement.ExecContext(ctx, args...)
	}
	return err
}

// prepared returns a statement that SQLite need not read again. There are few, and they live as long as
// the connection. The caller holds mu.
func (s *Store) prepared(ctx context.Context, query string) (*sql.Stmt, error) {
	if statement := s.statements[query]; statement != nil {
		return statement, nil
	}
	statement, err := s.conn.PrepareContext(ctx, query)
	if err == nil {
		s.statements[query] = statement
	}
	return statement, err
}

// Close ends watches and leases' timers, and gives up the file.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed.Swap(true) {
		return nil
	}
	s.leases.Stop()
	if s.history != nil {
		s.history.Close()
	}
	var errs []error
	if s.reads != nil {
		errs = append(errs, s.reads.Close())
	}
	for _, statement := range s.statements {
		errs = append(errs, statement.Close())
	}
	if s.conn != nil {
		errs = append(errs, s.conn.Close())
	}
	if s.writes != nil {
		errs = append(errs, s.writes.Close())
	}
	return errors.Join(append(errs, s.lock.Close())...)
}
