package provisioner

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// library finds files by the names that phones send. What the inventory knows of a phone wins over the
// folder, so that no forgotten file hides a change; the folder wins over the default file.
type library struct {
	inventory func() *inventory.Set
	renderer  provision.Renderer
	folder    folder
	signer    signer
}

// file is one open file. The caller closes it.
type file struct {
	body
	name     string
	device   string   // whose configuration it is; empty for every other file
	stamp    string   // version stamp of a configuration
	hashes   []string // certificate hashes in it
	asker    provision.Asker
	rule     provision.Rule // by which the asker gets it
	size     int64
	modified time.Time // zero for rendered files
}

type body interface {
	io.ReadSeekCloser
	io.ReaderAt
}

type rendered struct{ *bytes.Reader }

func (rendered) Close() error { return nil }

// open returns the file of this name, or an error that is provision.ErrName or ErrNotFound when there
// is nothing to serve.
func (l library) open(name string) (*file, error) {
	clean, err := provision.Clean(name)
	if err != nil {
		return nil, err
	}
	if f, ok, err := l.openSigned(clean); ok {
		return f, err
	}
	f, err := l.openPlain(clean)
	if err != nil {
		return nil, err
	}
	if phone, _ := l.signer.encrypts(l.inventory(), f.device); phone != nil {
		return nil, errors.Join(fmt.Errorf("%w: %q: only encrypted", provision.ErrNotFound, name), f.Close())
	}
	return f, nil
}

// openPlain returns a file that nobody has signed or encrypted.
func (l library) openPlain(clean string) (*file, error) {
	made, err := l.renderer.File(l.inventory(), clean)
	if err != nil && !errors.Is(err, provision.ErrNotFound) {
		return nil, err
	}
	if err == nil && !made.Fallback {
		return ofRendered(made), nil
	}
	found, missing := l.folder.open(clean)
	switch {
	case missing == nil:
		return found, nil
	case !errors.Is(missing, fs.ErrNotExist):
		return nil, fmt.Errorf("provisioner: %w", missing)
	case err == nil:
		return ofRendered(made), nil
	}
	return nil, err
}

func ofRendered(f provision.File) *file {
	return &file{
		body: rendered{bytes.NewReader(f.Content)}, name: f.Name, device: f.Device, stamp: f.VersionStamp, hashes: f.Hashes,
		size: int64(len(f.Content)),
	}
}

// folder is the operator's folder of files. Nothing outside of it can be reached, symbolic links included.
type folder struct{ root *os.Root } // nil: there is none

// open finds a regular file by its path in any letter case; the exact spelling wins.
func (f folder) open(name string) (*file, error) {
	if f.root == nil {
		return nil, fs.ErrNotExist
	}
	found, err := f.regular(name)
	if !errors.Is(err, fs.ErrNotExist) {
		return found, err
	}
	spelt, err := f.spelling(name)
	if err != nil {
		return nil, err
	}
	return f.regular(spelt)
}

func (f folder) regular(name string) (*file, error) {
	// A named pipe would wait for a writer without O_NONBLOCK.
	opened, err := f.root.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	info, err := opened.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	if err != nil {
		return nil, errors.Join(err, opened.Close())
	}
	return &file{body: opened, name: name, size: info.Size(), modified: info.ModTime()}, nil
}

// spelling returns how the folder spells a path, part by part.
func (f folder) spelling(name string) (string, error) {
	at := "."
	for part := range strings.SplitSeq(name, "/") {
		entries, err := fs.ReadDir(f.root.FS(), at)
		if err != nil {
			return "", fs.ErrNotExist // not a folder
		}
		next := ""
		for _, entry := range entries {
			if strings.EqualFold(entry.Name(), part) {
				next = entry.Name()
				break
			}
		}
		if next == "" {
			return "", fs.ErrNotExist
		}
		at = path.Join(at, next)
	}
	return at, nil
}
