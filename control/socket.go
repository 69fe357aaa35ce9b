package control

import (
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"os/user"
	"strconv"
)

// group may use the socket, where it exists.
const group = "longcord"

const socketMode = 0o660

// listen opens the socket at path for its owner and the group. It is made under another name first, so
// that nobody can connect before it has its mode. A socket that nobody answers on is replaced.
func listen(path string) (net.Listener, error) {
	if conn, err := net.Dial("unix", path); err == nil {
		return nil, errors.Join(fmt.Errorf("%s: another longcord answers there", path), conn.Close())
	}
	if info, err := os.Lstat(path); err == nil && info.Mode().Type() != fs.ModeSocket {
		return nil, fmt.Errorf("%s is there and is no socket", path)
	}
	fresh := path + ".new"
	if err := os.Remove(fresh); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, err
	}
	listener.SetUnlinkOnClose(false)
	if err := share(fresh, path); err != nil {
		return nil, errors.Join(err, listener.Close(), os.Remove(fresh))
	}
	return &socket{listener, path}, nil
}

// share gives the socket its mode and group, and then its name.
func share(fresh, path string) error {
	if err := os.Chmod(fresh, socketMode); err != nil {
		return err
	}
	if g, err := user.LookupGroup(group); err == nil {
		id, err := strconv.Atoi(g.Gid)
		if err != nil {
			return fmt.Errorf("group %s has id %q", group, g.Gid)
		}
		// Who is not root may give it only to a group of their own; then it stays with the owner.
		if err := os.Chown(fresh, -1, id); err != nil && !errors.Is(err, fs.ErrPermission) {
			return err
		}
	}
	return os.Rename(fresh, path)
}

// socket removes its name when it is closed.
type socket struct {
	net.Listener
	path string
}

func (s *socket) Close() error {
	err := s.Listener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	return errors.Join(err, os.Remove(s.path))
}
