package testnet

import (
	"container/heap"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"sync"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Weather is what a relay does to each frame, whichever way it goes. The zero value is fine weather.
type Weather struct {
	Delay  time.Duration // of every frame
	Jitter time.Duration // up to this much more, by chance, so that frames overtake each other
	Loss   float64       // share of frames that are lost
	Twice  float64       // share of frames that arrive twice
}

// Relay is a cable between two hosts that is subject to weather. The kernels we test on cannot always do
// that themselves.
type Relay struct {
	host *Host
	ends [2]*os.File
	done sync.WaitGroup

	mu      sync.Mutex
	weather Weather
	chance  *rand.Rand
}

// ConnectBy joins two hosts as Connect does, by way of a relay.
func ConnectBy(a *Host, ifA string, prefixA netip.Prefix, b *Host, ifB string, prefixB netip.Prefix) (*Relay, error) {
	host, err := NewHost("relay", nil)
	if err != nil {
		return nil, err
	}
	r := &Relay{host: host, chance: rand.New(rand.NewPCG(1, 2))}
	err = errors.Join(
		r.plug(0, a, ifA, prefixA),
		r.plug(1, b, ifB, prefixB),
	)
	if err != nil {
		return nil, errors.Join(err, r.Close())
	}
	for i := range r.ends {
		frames := make(chan frame, 1000)
		r.done.Go(func() { r.read(r.ends[i], frames) })
		r.done.Go(func() { deliver(r.ends[1-i], frames) })
	}
	return r, nil
}

// plug joins a host's new interface to one end of the relay.
func (r *Relay) plug(end int, h *Host, ifname string, prefix netip.Prefix) error {
	port := fmt.Sprintf("end%d", end)
	if err := Connect(h, ifname, prefix, r.host, port, netip.Prefix{}); err != nil {
		return err
	}
	// Checksums must be in the frames: nobody fills them in after the relay.
	if err := h.Do(func() error { return withoutOffload(ifname) }); err != nil {
		return fmt.Errorf("testnet: relay: %s of %s: %w", ifname, h.name, err)
	}
	link, err := r.host.link.LinkByName(port)
	if err != nil {
		return fmt.Errorf("testnet: relay: %w", err)
	}
	return r.host.Do(func() error {
		fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, int(hostToNetwork(unix.ETH_P_ALL)))
		if err != nil {
			return fmt.Errorf("testnet: relay: %w", err)
		}
		r.ends[end] = os.NewFile(uintptr(fd), port)
		if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_IGNORE_OUTGOING, 1); err != nil {
			return fmt.Errorf("testnet: relay: %w", err)
		}
		return unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: hostToNetwork(unix.ETH_P_ALL), Ifindex: link.Attrs().Index})
	})
}

// withoutOffload has an interface of the current namespace compute checksums itself and cut segments.
func withoutOffload(ifname string) error {
	const transmitChecksum = 0x17 // ETHTOOL_STXCSUM
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written
	value := [2]uint32{transmitChecksum, 0}
	var request struct {
		name [unix.IFNAMSIZ]byte
		data unsafe.Pointer
		_    [16]byte
	}
	copy(request.name[:], ifname)
	request.data = unsafe.Pointer(&value)
	if _, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), unix.SIOCETHTOOL, uintptr(unsafe.Pointer(&request))); errno != 0 {
		return os.NewSyscallError("ioctl", errno)
	}
	return nil
}

// Set changes the weather from the next frame on.
func (r *Relay) Set(w Weather) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.weather = w
}

// Close takes the cable away.
func (r *Relay) Close() error {
	var errs []error
	for _, end := range r.ends {
		if end != nil {
			errs = append(errs, end.Close())
		}
	}
	r.done.Wait()
	return errors.Join(append(errs, r.host.Close())...)
}

// frame is one on its way.
type frame struct {
	due  time.Time
	data []byte
}

// read takes frames in at one end until it is closed.
func (r *Relay) read(from *os.File, out chan<- frame) {
	defer close(out)
	buf := make([]byte, 1<<16)
	for {
		n, err := from.Read(buf)
		if err != nil {
			return
		}
		for _, due := range r.fate(time.Now()) {
			out <- frame{due, append([]byte(nil), buf[:n]...)}
		}
	}
}

// fate says when a frame arrives: once, twice or never.
func (r *Relay) fate(now time.Time) (due []time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	copies := 1
	switch p := r.chance.Float64(); {
	case p < r.weather.Loss:
		copies = 0
	case p < r.weather.Loss+r.weather.Twice:
		copies = 2
	}
	for range copies {
		late := r.weather.Delay
		if r.weather.Jitter > 0 {
			late += time.Duration(r.chance.Int64N(int64(r.weather.Jitter)))
		}
		due = append(due, now.Add(late))
	}
	return due
}

// deliver hands frames out when they are due, until the last one was.
func deliver(to *os.File, in <-chan frame) {
	var waiting frames
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case f, ok := <-in:
			if !ok {
				return
			}
			heap.Push(&waiting, f)
		case <-timer.C:
		}
		for len(waiting) > 0 && !waiting[0].due.After(time.Now()) {
			_, _ = to.Write(heap.Pop(&waiting).(frame).data) // lost like any frame when the other end is down
		}
		if len(waiting) > 0 {
			timer.Reset(time.Until(waiting[0].due))
		}
	}
}

// frames is a heap, the next one due on top.
type frames []frame

func (f frames) Len() int           { return len(f) }
func (f frames) Less(i, j int) bool { return f[i].due.Before(f[j].due) }
func (f frames) Swap(i, j int)      { f[i], f[j] = f[j], f[i] }
func (f *frames) Push(x any)        { *f = append(*f, x.(frame)) }
func (f *frames) Pop() any {
	old := *f
	last := old[len(old)-1]
	*f = old[:len(old)-1]
	return last
}
