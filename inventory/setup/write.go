package setup

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
)

// File is one file or, when Mode is a folder's, one folder, with its name relative to the set-up.
type File struct {
	Name    string
	Mode    fs.FileMode
	Content []byte
}

// ErrNotEmpty means that the folder holds something already. Choose another.
var ErrNotEmpty = errors.New("is not empty")

// Write puts the files into dir, which is made if need be and must be empty. Folders of files that only
// the owner may read are closed to others too.
func Write(dir string, files []File) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	present, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	if len(present) > 0 {
		return fmt.Errorf("setup: %s %w", dir, ErrNotEmpty)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return fmt.Errorf("setup: %w", err)
	}
	defer root.Close()
	for _, f := range files {
		if err := write(root, f); err != nil {
			return fmt.Errorf("setup: %s: %w", f.Name, err)
		}
	}
	return nil
}

func write(root *os.Root, f File) error {
	if f.Mode.IsDir() {
		return root.MkdirAll(strings.TrimSuffix(f.Name, "/"), f.Mode.Perm())
	}
	folderMode := f.Mode.Perm() | f.Mode.Perm()>>2&0o111 // who may read may enter
	if err := root.MkdirAll(path.Dir(f.Name), folderMode); err != nil {
		return err
	}
	out, err := root.OpenFile(f.Name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, f.Mode)
	if err != nil {
		return err
	}
	_, err = out.Write(f.Content)
	return errors.Join(err, out.Sync(), out.Close())
}
