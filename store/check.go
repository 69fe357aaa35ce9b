package store

import (
	"fmt"
	"time"
)

// Check returns why ops may not be committed, whatever the store holds: ErrInvalid or ErrLimit with
// the details, else nil. Backends call it first.
func Check(ops []Op) error {
	if len(ops) == 0 {
		return fmt.Errorf("%w: commit without operations", ErrInvalid)
	}
	if len(ops) > MaxOps {
		return fmt.Errorf("%w: commit of %d operations, at most %d", ErrLimit, len(ops), MaxOps)
	}
	size, seen := 0, make(map[string]bool, len(ops))
	for _, op := range ops {
		if err := checkOp(op); err != nil {
			return err
		}
		if seen[op.Key] {
			return fmt.Errorf("%w: key %q twice in one commit", ErrInvalid, op.Key)
		}
		seen[op.Key] = true
		size += len(op.Key) + len(op.Value)
	}
	if size > MaxCommit {
		return fmt.Errorf("%w: commit of %d bytes, at most %d", ErrLimit, size, MaxCommit)
	}
	return nil
}

func checkOp(op Op) error {
	switch {
	case op.Key == "":
		return fmt.Errorf("%w: empty key", ErrInvalid)
	case op.Read < Any:
		return fmt.Errorf("%w: %q read at revision %d", ErrInvalid, op.Key, op.Read)
	case len(op.Key) > MaxKey:
		return fmt.Errorf("%w: key of %d bytes, at most %d", ErrLimit, len(op.Key), MaxKey)
	case len(op.Value) > MaxValue:
		return fmt.Errorf("%w: value of %d bytes under %q, at most %d", ErrLimit, len(op.Value), op.Key, MaxValue)
	}
	return nil
}

// CheckTTL returns ErrInvalid with the details for a time to live that is none.
func CheckTTL(ttl time.Duration) error {
	if ttl <= 0 {
		return fmt.Errorf("%w: lease with a time to live of %v", ErrInvalid, ttl)
	}
	return nil
}
