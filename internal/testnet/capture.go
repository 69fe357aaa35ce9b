package testnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
	"golang.org/x/sys/unix"
)

// Capture records what passes interfaces of several hosts, for one pcapng file. Packets stay in memory
// until Save: the keys that open them are known late, and must stand before them in the file.
type Capture struct {
	taps []*tap

	mu      sync.Mutex
	packets []packet
}

type packet struct {
	tap  int
	at   time.Time
	data []byte
}

// tap is the capture of one interface.
type tap struct {
	label  string
	host   *Host
	ifname string
	file   *os.File
	done   chan struct{}
	mine   map[int]bool    // by interface number, for those seen so far
	link   layers.LinkType // of its frames
}

// Tap begins to record interface ifname of h under a label. The interface need not exist yet: a tunnel
// is recorded from its first packet. It is not for concurrent use.
func (c *Capture) Tap(label string, h *Host, ifname string) error {
	t := &tap{label: label, host: h, ifname: ifname, done: make(chan struct{}), mine: map[int]bool{}, link: layers.LinkTypeEthernet}
	if err := h.Do(t.open); err != nil {
		return fmt.Errorf("testnet: capture %s of %s: %w", ifname, h.name, err)
	}
	number := len(c.taps)
	c.taps = append(c.taps, t)
	go func() {
		defer close(t.done)
		t.record(func(at time.Time, data []byte) {
			c.mu.Lock()
			defer c.mu.Unlock()
			c.packets = append(c.packets, packet{tap: number, at: at, data: data})
		})
	}()
	return nil
}

// open makes a socket that hears every interface of the host, those that are still to come too.
func (t *tap) open() error {
	everything := int(hostToNetwork(unix.ETH_P_ALL))
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, everything)
	if err != nil {
		return err
	}
	t.file = os.NewFile(uintptr(fd), "packets")
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_TIMESTAMPNS_NEW, 1); err != nil {
		return errors.Join(err, t.file.Close())
	}
	link, err := t.host.link.LinkByName(t.ifname)
	if err != nil {
		return nil
	}
	// A switch shows its own interface only what is for itself, unless asked.
	member := &unix.PacketMreq{Ifindex: int32(link.Attrs().Index), Type: unix.PACKET_MR_PROMISC}
	if err := unix.SetsockoptPacketMreq(fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, member); err != nil {
		return errors.Join(err, t.file.Close())
	}
	return nil
}

// record hands over packets of the interface until finish, and then those that are still waiting.
func (t *tap) record(keep func(at time.Time, data []byte)) {
	raw, err := t.file.SyscallConn()
	if err != nil {
		return
	}
	frame, control := make([]byte, 1<<17), make([]byte, 128)
	receive := func(fd uintptr) bool {
		n, oob, _, from, err := unix.Recvmsg(int(fd), frame, control, 0)
		// Other errors tell of an interface that has gone down; the socket goes on.
		if source, ok := from.(*unix.SockaddrLinklayer); err == nil && ok && t.wants(source) {
			keep(timestamp(control[:oob]), slices.Clone(frame[:n]))
		}
		return err != unix.EAGAIN
	}
	for raw.Read(receive) == nil {
	}
	_ = raw.Control(func(fd uintptr) {
		for receive(fd) {
		}
	})
}

// finish ends record and closes the socket.
func (t *tap) finish() error {
	err := t.file.SetReadDeadline(time.Now())
	if err == nil {
		<-t.done
	}
	return errors.Join(err, t.file.Close())
}

// wants reports whether the packet passed the interface of this tap.
func (t *tap) wants(source *unix.SockaddrLinklayer) bool {
	mine, seen := t.mine[source.Ifindex]
	if seen {
		return mine
	}
	link, err := t.host.link.LinkByIndex(source.Ifindex)
	mine = err == nil && link.Attrs().Name == t.ifname
	t.mine[source.Ifindex] = mine
	if mine && source.Hatype == unix.ARPHRD_NONE {
		t.link = layers.LinkTypeRaw
	}
	return mine
}

// timestamp returns when the kernel saw the packet.
func timestamp(control []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(control)
	if err != nil {
		return time.Now()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS_NEW && len(m.Data) >= 16 {
			return time.Unix(int64(binary.NativeEndian.Uint64(m.Data)), int64(binary.NativeEndian.Uint64(m.Data[8:])))
		}
	}
	return time.Now()
}

// hostToNetwork turns a protocol number into the byte order in which sockets want it.
func hostToNetwork(v uint16) uint16 { return v<<8 | v>>8 }

// Save ends the recording and writes it to w as pcapng, oldest packet first, with keys (NSS key log
// lines; may be empty) in front.
func (c *Capture) Save(w io.Writer, keys []byte) error {
	if err := c.close(); err != nil {
		return fmt.Errorf("testnet: end capture: %w", err)
	}
	slices.SortStableFunc(c.packets, func(a, b packet) int { return a.at.Compare(b.at) })
	if err := c.write(w, keys); err != nil {
		return fmt.Errorf("testnet: write capture: %w", err)
	}
	return nil
}

func (c *Capture) close() error {
	var errs []error
	for _, t := range c.taps {
		errs = append(errs, t.finish())
	}
	return errors.Join(errs...)
}

func (c *Capture) write(w io.Writer, keys []byte) error {
	if len(c.taps) == 0 {
		return errors.New("no interface was tapped")
	}
	out, err := pcapgo.NewNgWriterInterface(w, c.taps[0].describe(), pcapgo.NgWriterOptions{
		SectionInfo: pcapgo.NgSectionInfo{OS: "Linux", Application: "longcord"},
	})
	if err != nil {
		return err
	}
	for _, t := range c.taps[1:] {
		if _, err := out.AddInterface(t.describe()); err != nil {
			return err
		}
	}
	if len(keys) > 0 {
		if err := out.WriteDecryptionSecretsBlock(pcapgo.DSB_SECRETS_TYPE_TLS, keys); err != nil {
			return err
		}
	}
	for _, p := range c.packets {
		info := gopacket.CaptureInfo{Timestamp: p.at, CaptureLength: len(p.data), Length: len(p.data), InterfaceIndex: p.tap}
		if err := out.WritePacket(info, p.data); err != nil {
			return err
		}
	}
	return out.Flush()
}

func (t *tap) describe() pcapgo.NgInterface {
	return pcapgo.NgInterface{
		Name: t.label, Description: t.ifname + " of " + t.host.name, OS: "Linux",
		LinkType: t.link, TimestampResolution: 9,
	}
}
