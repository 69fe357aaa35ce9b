package testnet

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// DiskPath is where hosts see their Disk, over what is there outside.
const DiskPath = "/tmp"

// Disk is a file system in memory that hosts share and nobody else sees. It goes when it and the hosts
// that use it are closed and their programs have ended.
type Disk struct {
	// Files is the disk as this process reaches it: the file that a host calls DiskPath/x is x here.
	Files *os.Root
	ns    int // mount namespace
}

// NewDisk makes an empty disk.
func NewDisk() (*Disk, error) {
	d := &Disk{ns: -1}
	t, err := newThread(d.mount)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("testnet: make disk: %w", err), d.Close())
	}
	t.close()
	return d, nil
}

func (d *Disk) mount() error {
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("new mount namespace: %w", err)
	}
	if err := privateMounts(); err != nil {
		return err
	}
	if err := unix.Mount("tmpfs", DiskPath, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV, "mode=0700"); err != nil {
		return fmt.Errorf("mount tmpfs on %s: %w", DiskPath, err)
	}
	var err error
	if d.ns, err = unix.Open("/proc/thread-self/ns/mnt", unix.O_RDONLY|unix.O_CLOEXEC, 0); err != nil {
		return fmt.Errorf("hold mount namespace: %w", err)
	}
	d.Files, err = os.OpenRoot(DiskPath)
	return err
}

// privateMounts keeps a new mount namespace's mounts inside it.
func privateMounts() error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("make mounts private: %w", err)
	}
	return nil
}

// enter moves the calling thread to the file system that has the disk.
func (d *Disk) enter() error {
	// A thread shares its root and working directory with the others until it says otherwise, and one
	// that shares them may not change its mount namespace.
	if err := unix.Unshare(unix.CLONE_FS); err != nil {
		return fmt.Errorf("unshare directories: %w", err)
	}
	if err := unix.Setns(d.ns, unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("enter mount namespace: %w", err)
	}
	return nil
}

// Close lets go of the disk. Hosts that use it keep it until they are closed.
func (d *Disk) Close() error {
	var errs []error
	if d.Files != nil {
		errs = append(errs, d.Files.Close())
	}
	if d.ns >= 0 {
		errs = append(errs, unix.Close(d.ns))
	}
	return errors.Join(errs...)
}
