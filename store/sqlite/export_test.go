package sqlite

import "context"

// Pragmas returns the writing connection's journal_mode and synchronous.
func (s *Store) Pragmas() (journal string, synchronous int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err = s.conn.QueryRowContext(context.Background(), "PRAGMA journal_mode").Scan(&journal); err != nil {
		return "", 0, err
	}
	err = s.conn.QueryRowContext(context.Background(), "PRAGMA synchronous").Scan(&synchronous)
	return journal, synchronous, err
}
