package gateway

import (
	"errors"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/tun"
)

// hostLink is the TUN as a lane uses it: with a descriptor to wait for, read and written without waiting.
type hostLink struct {
	device tun.Device
	fd     int
	// whole is where the host leaves packets whole; nil: it does not, and packets have no header.
	whole *wholePacket
	// far is for a device that has no descriptor, such as one in memory: fd is one end of a pair of
	// sockets then, and pump writes to the other what the device holds.
	far     int
	pumping sync.Mutex // held by pump
}

// noFD stands for a descriptor that is not there; poll passes over it.
const noFD = -1

func newHostLink(device tun.Device) (*hostLink, error) {
	if d, ok := device.(tun.Detacher); ok {
		fd, headers, err := d.Detach()
		h := &hostLink{device: device, fd: fd, far: noFD}
		if headers {
			h.whole = new(wholePacket)
		}
		return h, err
	}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, os.NewSyscallError("socketpair", err)
	}
	return &hostLink{device: device, fd: pair[0], far: pair[1]}, os.NewSyscallError("fcntl", unix.SetNonblock(pair[0], true))
}

// read fills packet with what the host has for clients; zero means nothing. Only the lane may call it.
func (h *hostLink) read(packet []byte) (int, error) {
	if h.whole != nil {
		return h.readWhole(packet)
	}
	for {
		n, _, errno := unix.RawSyscall(unix.SYS_READ, uintptr(h.fd), uintptr(unsafe.Pointer(&packet[0])), uintptr(len(packet)))
		switch errno {
		case 0:
			return int(n), nil
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, os.NewSyscallError("read", errno)
		}
	}
}

// readWhole reads a packet, or cuts the next segment off the one that it has.
func (h *hostLink) readWhole(packet []byte) (int, error) {
	for h.whole.mouthful < mouthful {
		if n := h.whole.cut(packet); n > 0 {
			return n, nil
		}
		vectors := h.whole.vectors(packet)
		n, _, errno := unix.RawSyscall(unix.SYS_READV, uintptr(h.fd), uintptr(unsafe.Pointer(vectors)), uintptr(len(vectors)))
		switch errno {
		case 0:
			if n := h.whole.arrived(packet, int(n)); n > 0 {
				return n, nil
			}
		case unix.EAGAIN:
			return 0, nil
		case unix.EINTR:
		default:
			return 0, os.NewSyscallError("readv", errno)
		}
	}
	return 0, nil
}

// breathe reports whether a mouthful is read, and how long to wait before the next.
func (h *hostLink) breathe(now time.Time) (wait time.Duration, full bool) {
	if h.whole == nil {
		return 0, false
	}
	return h.whole.breathe(now)
}

// noHeader says that a packet is one, and its checksums are there.
var noHeader [tun.HeaderLen]byte

// write hands a packet to the host. Any goroutine may call it.
func (h *hostLink) write(packet []byte) error {
	if h.far != noFD {
		_, err := h.device.Write(packet)
		return err
	}
	if h.whole != nil {
		vectors := [...]unix.Iovec{{Base: &noHeader[0], Len: tun.HeaderLen}, {Base: &packet[0], Len: uint64(len(packet))}}
		if _, _, errno := unix.RawSyscall(unix.SYS_WRITEV, uintptr(h.fd), uintptr(unsafe.Pointer(&vectors)), uintptr(len(vectors))); errno != 0 {
			return errno
		}
		return nil
	}
	if _, _, errno := unix.RawSyscall(unix.SYS_WRITE, uintptr(h.fd), uintptr(unsafe.Pointer(&packet[0])), uintptr(len(packet))); errno != 0 {
		return errno
	}
	return nil
}

// pump feeds the lane from a device without a descriptor, until either is closed.
func (h *hostLink) pump() error {
	h.pumping.Lock()
	defer h.pumping.Unlock()
	packet := make([]byte, maxPacket)
	for {
		n, err := h.device.Read(packet)
		if errors.Is(err, os.ErrClosed) {
			return nil
		}
		if err != nil {
			return err
		}
		if _, err := unix.Write(h.far, packet[:n]); err != nil {
			return nil // the lane has ended
		}
	}
}

// close removes the TUN, which ends pump. Nobody uses the link any more.
func (h *hostLink) close() error {
	err := h.device.Close()
	if h.far == noFD {
		return err
	}
	err = errors.Join(err, unix.Shutdown(h.far, unix.SHUT_RDWR))
	h.pumping.Lock()
	defer h.pumping.Unlock()
	return errors.Join(err, unix.Close(h.fd), unix.Close(h.far))
}
