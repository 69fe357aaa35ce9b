package gateway

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
)

// sysctl is one of the host's settings, and what it was before. It stays open, so that it means the same
// network namespace whichever thread uses it later.
type sysctl struct {
	path   string // below /proc/sys
	file   *os.File
	before string // value to restore; empty: unchanged
}

// openSysctl opens a setting for writing, or for reading where the host allows no more: that suffices
// when its value is already right.
func openSysctl(path string) (*sysctl, error) {
	file, err := os.OpenFile("/proc/sys/"+path, os.O_RDWR, 0)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, os.ErrPermission) {
		file, err = os.Open("/proc/sys/" + path)
	}
	if err != nil {
		return nil, err
	}
	return &sysctl{path: path, file: file}, nil
}

// String is the setting's name as sysctl(8) writes it.
func (s *sysctl) String() string { return strings.ReplaceAll(s.path, "/", ".") }

func (s *sysctl) get() (string, error) {
	var value [64]byte
	n, err := s.file.ReadAt(value[:], 0)
	if n == 0 {
		return "", fmt.Errorf("%s: %w", s, err)
	}
	return strings.TrimSpace(string(value[:n])), nil
}

func (s *sysctl) set(value string) error {
	before, err := s.get()
	if err != nil || before == value {
		return err
	}
	if err := s.write(value); err != nil {
		return fmt.Errorf("%w (it is %s; set it to %s by `sysctl -w %s=%s`)", err, before, value, s, value)
	}
	s.before = before
	return nil
}

func (s *sysctl) write(value string) error {
	if _, err := s.file.WriteAt([]byte(value), 0); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return nil
}

// restore writes the value found at the beginning. A setting whose interface is gone went with it.
func (s *sysctl) restore() error {
	var err error
	if s.before != "" {
		if err = s.write(s.before); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	return errors.Join(err, s.file.Close())
}
