package sqlite

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"
)

// takeLock takes the lock file beside the store, in which its holder writes who it is. The lock goes
// with the process, so a stale file does no harm.
func takeLock(path string) (*os.File, error) {
	file, err := os.OpenFile(path+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, err
	}
	if err := hold(file); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return file, nil
}

func hold(file *os.File) error {
	err := unix.Flock(int(file.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if errors.Is(err, unix.EWOULDBLOCK) {
		return fmt.Errorf("in use by %s", holder(file))
	}
	if err != nil {
		return fmt.Errorf("lock %s: %w", file.Name(), err)
	}
	if err := file.Truncate(0); err != nil {
		return err
	}
	_, err = fmt.Fprintf(file, "%s, process %d\n", filepath.Base(os.Args[0]), os.Getpid())
	return err
}

// holder reads who has the lock; between taking it and writing there is a moment when nobody is named.
func holder(file *os.File) string {
	text := make([]byte, 256)
	n, _ := file.ReadAt(text, 0)
	if name := strings.TrimSpace(string(text[:n])); name != "" {
		return name
	}
	return "another process"
}
