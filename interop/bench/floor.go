package main

import (
	"bytes"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/stage/tunnel/dtls"
	"github.com/longcord/longcord/tun"
	dtlswire "github.com/longcord/longcord/wire/dtls"
)

// floor is what the work that no gateway can do without costs here, in CPU time of a thread for each packet
// of voice: system calls with full queues, without wake-ups, and AES-128-GCM.
type floor struct {
	Receive time.Duration `json:"recvmmsg_ns"` // UDP, in batches
	Open    time.Duration `json:"open_ns"`
	Write   time.Duration `json:"tun_write_ns"` // with forwarding, and delivery to the far socket
	Read    time.Duration `json:"tun_read_ns"`
	Seal    time.Duration `json:"seal_ns"`
	Send    time.Duration `json:"sendmmsg_ns"` // UDP, in batches, with forwarding, and delivery
}

func (f floor) up() time.Duration   { return f.Receive + f.Open + f.Write }
func (f floor) down() time.Duration { return f.Read + f.Seal + f.Send }

const (
	innerLen   = 200 // 172 bytes of RTP with UDP and IP
	recordLen  = 238 // the same in DTLS 1.2 with AES-GCM
	floorBatch = 32
	floorPass  = 256 // packets that the queues hold at once
	floorTimes = 200
	floorPort  = 4001
)

// measureFloor builds a laboratory and measures in it.
func measureFloor() (f floor, err error) {
	l, err := newLaboratory()
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, l.close()) }()
	r, err := newRig(l)
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for range floorTimes {
		for _, step := range []struct {
			spent *time.Duration
			ready func() error
			timed func() error
			after func() error
		}{
			{&f.Receive, r.fillUDP, r.receive, nil},
			{&f.Write, nil, r.write, r.emptyInside},
			{&f.Read, r.fillTUN, r.read, nil},
			{&f.Send, nil, r.send, r.emptyClient},
			{&f.Seal, nil, r.seal, nil},
			{&f.Open, r.seal, r.open, nil},
		} {
			if err := timed(step.spent, step.ready, step.timed, step.after); err != nil {
				return f, err
			}
		}
	}
	for _, d := range []*time.Duration{&f.Receive, &f.Write, &f.Read, &f.Send, &f.Seal, &f.Open} {
		*d /= floorTimes * floorPass
	}
	return f, nil
}

// timed adds the CPU time of what is timed.
func timed(spent *time.Duration, ready, work, after func() error) error {
	for _, f := range []func() error{ready, func() error {
		before := threadTime()
		err := work()
		*spent += threadTime() - before
		return err
	}, after} {
		if f != nil {
			if err := f(); err != nil {
				return err
			}
		}
	}
	return nil
}

func threadTime() time.Duration {
	var t unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // fails for a wrong clock only
	return time.Duration(t.Nano())
}

// rig is sockets and a TUN with what goes through them.
type rig struct {
	device           tun.Device
	tun              int
	outer            *endpoint // the gateway's UDP socket
	client, far      *endpoint
	packet           []byte // from an inner address to the far end
	clientEnd, gwEnd *dtls.Conn
	records          [floorPass][512]byte
	sealed           [floorPass][]byte
}

func newRig(l *laboratory) (r *rig, err error) {
	r = new(rig)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.close())
		}
	}()
	inner := pool.Addr().Next().Next()
	err = l.gateway.Do(func() (err error) {
		r.device, err = tun.Open(tun.Settings{Address: netip.PrefixFrom(pool.Addr().Next(), pool.Bits()), MTU: 1406, Queue: 2 * floorPass})
		return err
	})
	if err != nil {
		return r, err
	}
	if r.tun, _, err = r.device.(tun.Detacher).Detach(); err != nil {
		return r, err
	}
	outerAddr, clientEnd := netip.AddrPortFrom(outside.Addr(), floorPort), netip.AddrPortFrom(clientAddr.Addr(), floorPort)
	if r.outer, err = newEndpoint(l.gateway, outerAddr, clientEnd); err != nil {
		return r, err
	}
	if r.client, err = newEndpoint(l.client, clientEnd, outerAddr); err != nil {
		return r, err
	}
	if r.far, err = newEndpoint(l.inside, netip.AddrPortFrom(desk.Addr(), floorPort), netip.AddrPortFrom(inner, floorPort)); err != nil {
		return r, err
	}
	r.packet = datagram(netip.AddrPortFrom(inner, floorPort), netip.AddrPortFrom(desk.Addr(), floorPort))
	r.clientEnd, r.gwEnd, err = connected()
	return r, err
}

func (r *rig) close() error {
	var errs []error
	for _, e := range []*endpoint{r.outer, r.client, r.far} {
		if e != nil {
			errs = append(errs, unix.Close(e.fd))
		}
	}
	if r.device != nil {
		errs = append(errs, r.device.Close())
	}
	return errors.Join(errs...)
}

func (r *rig) fillUDP() error     { return r.client.send(floorPass, recordLen) }
func (r *rig) receive() error     { return r.outer.receive(floorPass) }
func (r *rig) send() error        { return r.outer.send(floorPass, recordLen) }
func (r *rig) emptyClient() error { return r.client.receive(floorPass) }
func (r *rig) fillTUN() error     { return r.far.send(floorPass, innerLen-28) }
func (r *rig) emptyInside() error { return r.far.receive(floorPass) }

func (r *rig) write() error {
	for range floorPass {
		if _, err := unix.Write(r.tun, r.packet); err != nil {
			return fmt.Errorf("write to TUN: %w", err)
		}
	}
	return nil
}

func (r *rig) read() error {
	for range floorPass {
		if _, err := unix.Read(r.tun, r.records[0][:]); err != nil {
			return fmt.Errorf("read from TUN: %w", err)
		}
	}
	return nil
}

func (r *rig) seal() (err error) {
	for i := range r.sealed {
		if r.sealed[i], err = r.clientEnd.Seal(r.records[i][:], 1+innerLen); err != nil {
			return err
		}
	}
	return nil
}

func (r *rig) open() error {
	for _, record := range r.sealed {
		if _, err := r.gwEnd.Open(record); err != nil {
			return err
		}
	}
	return nil
}

// endpoint is a UDP socket that sends to one address in batches.
type endpoint struct {
	fd      int
	to      unix.RawSockaddrInet4
	headers [floorBatch]unix.Mmsghdr
	iovecs  [floorBatch]unix.Iovec
	buffers [floorBatch][512]byte
}

func newEndpoint(h *testnet.Host, local, to netip.AddrPort) (*endpoint, error) {
	e := &endpoint{to: unix.RawSockaddrInet4{Family: unix.AF_INET, Addr: to.Addr().As4()}}
	binary.BigEndian.PutUint16((*[2]byte)(unsafe.Pointer(&e.to.Port))[:], to.Port())
	for i := range e.headers {
		e.iovecs[i].Base = &e.buffers[i][0]
		e.headers[i].Hdr.Iov, e.headers[i].Hdr.Iovlen = &e.iovecs[i], 1
	}
	err := h.Do(func() (err error) {
		e.fd, err = unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
		return err
	})
	if err != nil {
		return nil, err
	}
	timeout := unix.NsecToTimeval(int64(patience))
	return e, errors.Join(
		unix.SetsockoptInt(e.fd, unix.SOL_SOCKET, unix.SO_RCVBUFFORCE, 4<<20),
		unix.SetsockoptTimeval(e.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &timeout),
		unix.Bind(e.fd, &unix.SockaddrInet4{Port: int(local.Port()), Addr: local.Addr().As4()}),
	)
}

func (e *endpoint) send(n, size int) error {
	for i := range e.headers {
		e.headers[i].Hdr.Name, e.headers[i].Hdr.Namelen = (*byte)(unsafe.Pointer(&e.to)), unix.SizeofSockaddrInet4
		e.iovecs[i].SetLen(size)
	}
	return e.each(n, unix.SYS_SENDMMSG, 0)
}

// receive waits for packets; those that it measures are there already.
func (e *endpoint) receive(n int) error {
	for i := range e.headers {
		e.headers[i].Hdr.Name, e.headers[i].Hdr.Namelen = nil, 0
		e.iovecs[i].SetLen(len(e.buffers[i]))
	}
	return e.each(n, unix.SYS_RECVMMSG, unix.MSG_WAITFORONE)
}

func (e *endpoint) each(n int, call, flags uintptr) error {
	for n > 0 {
		done, _, errno := syscall.Syscall6(call, uintptr(e.fd), uintptr(unsafe.Pointer(&e.headers)), uintptr(min(n, floorBatch)), flags, 0, 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return fmt.Errorf("system call %d: %w", call, errno)
		}
		n -= int(done)
	}
	return nil
}

// datagram is a packet of voice without content.
func datagram(from, to netip.AddrPort) []byte {
	p := make([]byte, innerLen)
	p[0], p[8], p[9] = 0x45, 64, unix.IPPROTO_UDP
	binary.BigEndian.PutUint16(p[2:], innerLen)
	copy(p[12:], from.Addr().AsSlice())
	copy(p[16:], to.Addr().AsSlice())
	sum := uint32(0)
	for i := 0; i < 20; i += 2 {
		sum += uint32(binary.BigEndian.Uint16(p[i:]))
	}
	sum = sum&0xffff + sum>>16
	binary.BigEndian.PutUint16(p[10:], ^uint16(sum+sum>>16))
	binary.BigEndian.PutUint16(p[20:], from.Port())
	binary.BigEndian.PutUint16(p[22:], to.Port())
	binary.BigEndian.PutUint16(p[24:], innerLen-20)
	return p
}

// connected is both ends of a DTLS connection with AES-128-GCM.
func connected() (client, gateway *dtls.Conn, err error) {
	config := dtls.Config{
		Version: dtlswire.Version12, Suite: dtlswire.AES128GCM, Rand: rand.Reader,
		SessionID: make([]byte, dtls.SessionIDLen), MasterSecret: make([]byte, dtls.MasterLen),
	}
	c, err := dtls.NewClient(config)
	if err != nil {
		return nil, nil, err
	}
	s, err := dtls.NewServer(config)
	if err != nil {
		return nil, nil, err
	}
	receive := [2]func(time.Time, []byte) ([]dtls.Action, error){s.Received, c.Received}
	conns := [2]*dtls.Conn{}
	now := time.Now()
	from, actions := 0, c.Start(now) // 0 is the client
	for len(actions) > 0 {
		var answer []dtls.Action
		for _, action := range actions {
			switch a := action.(type) {
			case dtls.Send:
				more, err := receive[from](now, bytes.Clone(a.Datagram))
				if err != nil {
					return nil, nil, err
				}
				answer = append(answer, more...)
			case dtls.Established:
				conns[from] = a.Conn
			}
		}
		from, actions = 1-from, answer
	}
	if conns[0] == nil || conns[1] == nil {
		return nil, nil, errors.New("DTLS does not come up")
	}
	return conns[0], conns[1], nil
}
