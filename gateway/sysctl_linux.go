package gateway

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"syscall"
)

// sysctl is one of the host's settings: what it was, and what routing needs. It stays open, so that it
// means the same network namespace whichever thread uses it later.
type sysctl struct {
	path         string // below /proc/sys
	file         *os.File
	want, before string
}

// openSysctl opens a setting for writing, or for reading where the host allows no more: that suffices
// when its value is already right.
func openSysctl(path, want string) (*sysctl, error) {
	file, err := os.OpenFile("/proc/sys/"+path, os.O_RDWR, 0)
	if errors.Is(err, syscall.EROFS) || errors.Is(err, os.ErrPermission) {
		file, err = os.Open("/proc/sys/" + path)
	}
	if err != nil {
		return nil, err
	}
	s := &sysctl{path: path, file: file, want: want}
	if s.before, err = s.get(); err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return s, nil
}

// String is the setting's name as sysctl(8) writes it, which swaps the two separators: an interface's
// name may hold a dot.
func (s *sysctl) String() string { return strings.NewReplacer("/", ".", ".", "/").Replace(s.path) }

// memo is the line that tells the next start what the setting was, in case this one is killed.
func (s *sysctl) memo() string { return fmt.Sprintf("%s was %s, is %s", s.path, s.before, s.want) }

var memoForm = regexp.MustCompile(`^(net/[^ ]+) was ([0-9]+), is ([0-9]+)$`)

// giveBack undoes what a memo tells of. A value that is neither is somebody else's, and stays.
func giveBack(memo string) error {
	m := memoForm.FindStringSubmatch(memo)
	if m == nil || strings.Contains(m[1], "..") {
		return nil
	}
	s, err := openSysctl(m[1], m[3])
	if errors.Is(err, os.ErrNotExist) {
		return nil // its interface is gone
	}
	if err != nil {
		return err
	}
	if s.before != m[3] {
		return s.file.Close()
	}
	s.before = m[2]
	return s.restore()
}

// readSetting returns a setting's value, or nothing where the kernel has no such setting.
func readSetting(path string) string {
	value, _ := os.ReadFile("/proc/sys/" + path)
	return strings.TrimSpace(string(value))
}

func (s *sysctl) get() (string, error) {
	var value [64]byte
	n, err := s.file.ReadAt(value[:], 0)
	if n == 0 {
		return "", fmt.Errorf("%s: %w", s, err)
	}
	return strings.TrimSpace(string(value[:n])), nil
}

// set writes what routing needs.
func (s *sysctl) set() error {
	now, err := s.get()
	if err != nil || now == s.want {
		return err
	}
	if err := s.write(s.want); err != nil {
		return fmt.Errorf("%w (it is %s; set it to %s by `sysctl -w %s=%s`)", err, now, s.want, s, s.want)
	}
	return nil
}

func (s *sysctl) write(value string) error {
	if _, err := s.file.WriteAt([]byte(value), 0); err != nil {
		return fmt.Errorf("%s: %w", s, err)
	}
	return nil
}

// changed tells whether the value is ours.
func (s *sysctl) changed() bool { return s.before != s.want }

// restore writes the value found at the beginning. A setting whose interface is gone went with it.
func (s *sysctl) restore() error {
	var err error
	if s.changed() {
		if err = s.write(s.before); errors.Is(err, os.ErrNotExist) {
			err = nil
		}
	}
	return errors.Join(err, s.file.Close())
}
