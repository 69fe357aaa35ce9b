package testnet

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestForbiddenNamesTheSetting(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		files  map[string]string
		says   string
		remedy string
	}{
		{"Debian's switch", map[string]string{"/proc/sys/kernel/unprivileged_userns_clone": "0\n"},
			"kernel.unprivileged_userns_clone = 0", "sysctl -w kernel.unprivileged_userns_clone=1"},
		{"AppArmor", map[string]string{
			"/proc/sys/kernel/unprivileged_userns_clone":             "1\n",
			"/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1\n",
		}, "kernel.apparmor_restrict_unprivileged_userns = 1", "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{"no namespaces at all", map[string]string{"/proc/sys/user/max_user_namespaces": "0\n"},
			"user.max_user_namespaces = 0", "sysctl -w user.max_user_namespaces=10000"},
		{"something else", nil, "forbidden", "container"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			read := func(path string) ([]byte, error) {
				if text, ok := c.files[path]; ok {
					return []byte(text), nil
				}
				return nil, fs.ErrNotExist
			}
			err := forbidden(read, unix.EPERM)
			if !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Fix, c.remedy) {
				t.Errorf("got %q and %q, want %q and %q in them", err, err.Fix, c.says, c.remedy)
			}
			if !errors.Is(err, unix.EPERM) {
				t.Errorf("%q does not carry its cause", err)
			}
		})
	}
}
