package trust

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestSeal(t *testing.T) {
	t.Parallel()
	s := NewSealer([KeySize]byte{1})
	key := []byte("inventory/Line/1001")
	for _, text := range []string{"", "x", strings.Repeat("long ", 1000)} {
		sealed := s.Seal([]byte(text), key)
		if len(sealed) != len(text)+41 || bytes.Equal(sealed, s.Seal([]byte(text), key)) {
			t.Errorf("sealing %d bytes: %d bytes, or the same twice", len(text), len(sealed))
		}
		if opened, err := s.Open(sealed, key); err != nil || string(opened) != text {
			t.Errorf("open: got %q, %v, want %q", opened, err, text)
		}
		wrongKey := NewSealer([KeySize]byte{2})
		if _, err := wrongKey.Open(sealed, key); !errors.Is(err, ErrSealed) {
			t.Errorf("open with another key: got %v", err)
		}
		if _, err := s.Open(sealed, []byte("inventory/Line/1002")); !errors.Is(err, ErrSealed) {
			t.Errorf("open for another record: got %v", err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	s := NewSealer([KeySize]byte{1})
	sealed := s.Seal([]byte("text"), nil)
	for n := range sealed {
		if _, err := s.Open(sealed[:n], nil); !errors.Is(err, ErrSealed) {
			t.Errorf("cut at %d: got %v", n, err)
		}
		changed := bytes.Clone(sealed)
		changed[n] ^= 1
		if _, err := s.Open(changed, nil); !errors.Is(err, ErrSealed) {
			t.Errorf("changed at %d: got %v", n, err)
		}
	}
}

// sealedVersion1 is "version 1" for the record a/b under the key 01 00 00….
const sealedVersion1 = "019887e6dcb367d135dad1f62e3af97678257e3daf3ee7aa69152b93ead424876d4563b4ce0876718583d9a107adac19c98f"

// TestSealedVersion1 keeps what is in stores readable.
func TestSealedVersion1(t *testing.T) {
	t.Parallel()
	sealed, err := hex.DecodeString(sealedVersion1)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := NewSealer([KeySize]byte{1}).Open(sealed, []byte("a/b")); err != nil || string(text) != "version 1" {
		t.Errorf("got %q, %v, want version 1", text, err)
	}
}

func FuzzOpen(f *testing.F) {
	s := NewSealer([KeySize]byte{1})
	f.Add(s.Seal([]byte("text"), nil))
	f.Add([]byte{1})
	f.Fuzz(func(t *testing.T, sealed []byte) {
		text, err := s.Open(sealed, nil)
		if err == nil && string(text) != "text" {
			t.Errorf("opened %x as %q", sealed, text)
		}
	})
}

func TestKeyFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "master.key")
	if err := CreateKey(path); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(path); err != nil || info.Mode() != 0o600 || info.Size() != KeySize {
		t.Errorf("key file: %v, %v", info, err)
	}
	one, err := LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	other, err := LoadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if text, err := other.Open(one.Seal([]byte("text"), nil), nil); err != nil || string(text) != "text" {
		t.Errorf("open after loading again: %q, %v", text, err)
	}
	if err := CreateKey(path); !errors.Is(err, os.ErrExist) {
		t.Errorf("create over a key: got %v", err)
	}
}

func TestLoadKeyRefuses(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write := func(name string, size int, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, make([]byte, size), mode); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	for path, want := range map[string]string{
		write("group", 32, 0o640): "has mode 0640, so others may use it: run chmod 600",
		write("world", 32, 0o604): "has mode 0604",
		write("short", 31, 0o600): "has 31 bytes, want 32",
		write("long", 33, 0o600):  "has 33 bytes, want 32",
		dir:                       "is not a file",
		dir + "/none":             "no such file",
	} {
		if _, err := LoadKey(path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", path, err, want)
		}
	}
}
