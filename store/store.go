// Package store keeps what must survive: small records under text keys, read and written with
// optimistic concurrency, watched, and, where they are short-lived, bound to a lease.
//
// A backend implements Store; typed access goes through Table. The contract below is what the suite in
// store/storetest checks against every backend. Keys are paths such as "gateway/session/3f…"; a prefix
// is plain text, so a table's prefix ends in a slash.
//
// Not here: queries, joins, ordering other than by key, values above MaxValue. Write load must follow
// churn, not traffic: nothing that happens per packet or per keepalive is written.
package store

import (
	"context"
	"errors"
	"time"
)

// Limits that every backend enforces.
const (
	MaxOps    = 100             // operations in one Commit
	MaxKey    = 512             // bytes of a key
	MaxValue  = 1 << 20         // bytes of a value
	MaxCommit = 1<<20 + 256<<10 // bytes of all keys and values in one Commit; etcd takes 1.5 MiB a request
)

// Revision numbers commits: each Commit that changes something has a higher one than all before it, also
// across restarts. Zero means "no such record" where a commit says what it has read.
type Revision int64

// Any, as the Read of an Op, means that the writer does not care what is there.
const Any Revision = -1

// LeaseID names a lease. Zero means no lease.
type LeaseID int64

var (
	// ErrNotFound: the key has no record, or its lease has ended.
	ErrNotFound = errors.New("store: no such record")
	// ErrConflict: a record in the commit is not at the revision that the writer had read. Read again.
	ErrConflict = errors.New("store: record changed since it was read")
	// ErrGap: the past that a watch asked for is gone. List, then watch from the listing's revision.
	ErrGap = errors.New("store: watch has a gap; list again")
	// ErrNoLease: the lease does not exist or has ended. Grant a new one and write the records again.
	ErrNoLease = errors.New("store: no such lease")
	// ErrLimit: a commit, key or value is over its limit. Nothing was written.
	ErrLimit = errors.New("store: over the limit")
	// ErrInvalid: the call makes no sense: no operations, an empty key, a key named twice in one commit,
	// a lease without time to live. A mistake of the caller; nothing was written.
	ErrInvalid = errors.New("store: invalid request")
	// ErrClosed: the store has been closed, or the watch has.
	ErrClosed = errors.New("store: closed")
)

// Record is one record as it stands in the store. Its Value may be shared: it is not to be changed.
type Record struct {
	Key      string
	Value    []byte
	Revision Revision // of the commit that wrote it last
	Lease    LeaseID  // zero: it stays until deleted
}

// Op is one put or delete of a Commit. A key may stand in one Op of a Commit only. The store copies
// Value before Commit returns.
type Op struct {
	Key    string
	Value  []byte   // put; ignored by a delete
	Delete bool     // delete instead of put; deleting what is not there is fine when Read allows it
	Read   Revision // revision the writer read: 0 "must not exist", Any "whatever"
	Lease  LeaseID  // put: the record ends with this lease; zero: it stays
}

// Event is one change seen by a watch. For a delete (also one by the end of a lease) Value is nil and
// Revision is that of the deletion.
type Event struct {
	Record
	Deleted bool
}

// Watcher hands out changes in order; the changes of one commit come in one call of Next. Next blocks
// until there is one, the context ends (the watch goes on with the next call), or the watch ends with
// ErrGap or ErrClosed. One goroutine at a time calls Next; any may call Close, which frees the watch and
// wakes Next.
type Watcher interface {
	Next(ctx context.Context) ([]Event, error)
	Close()
}

// Store is what a backend offers. All methods may be called from several goroutines.
type Store interface {
	// Get returns the record under key, or ErrNotFound.
	Get(ctx context.Context, key string) (Record, error)
	// List returns the records whose keys begin with prefix, in key order, and the revision at which
	// they were read together: Watch(prefix, thatRevision) then misses nothing.
	List(ctx context.Context, prefix string) ([]Record, Revision, error)
	// Commit applies all operations or none, and returns the commit's revision; deletes of what is not
	// there change nothing and return the revision as it was. When it returns without error the change
	// survives a kill of the process. A context that ends while it runs leaves open which of the two
	// happened.
	Commit(ctx context.Context, ops ...Op) (Revision, error)
	// Watch hands out changes under prefix with revisions above from. ErrGap may come from here or from
	// the first Next. How much of the past a backend remembers is its own affair.
	Watch(ctx context.Context, prefix string, from Revision) (Watcher, error)
	// Grant makes a lease that ends ttl after it was last kept alive. With a non-zero id it takes up
	// the lease of that id, now with this ttl, if it still lives (a node that restarts quickly), else
	// ErrNoLease. From the moment a lease ends no call sees its records.
	Grant(ctx context.Context, id LeaseID, ttl time.Duration) (LeaseID, error)
	// KeepAlive renews a lease by its full time to live, or returns ErrNoLease.
	KeepAlive(ctx context.Context, id LeaseID) error
	// Revoke ends a lease now; its records are deleted.
	Revoke(ctx context.Context, id LeaseID) error
	// Close releases what the backend holds.
	Close() error
}
