package door

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where a filter finds a packet's IPv4 source, whatever the socket: the kernel counts from its network
// header there (SKF_NET_OFF).
const (
	networkHeader = 0xfff00000
	ipv4Source    = networkHeader + 12
)

// filter is the program that passes packets of these addresses and drops all others.
func filter(addresses []netip.Addr) ([]bpf.RawInstruction, error) {
	program := []bpf.Instruction{bpf.LoadAbsolute{Off: ipv4Source, Size: 4}}
	for _, address := range addresses {
		four := address.As4()
		program = append(program,
			bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: uint32(four[0])<<24 | uint32(four[1])<<16 | uint32(four[2])<<8 | uint32(four[3]), SkipTrue: 1},
			bpf.RetConstant{Val: 1<<18 - 1})
	}
	return bpf.Assemble(append(program, bpf.RetConstant{}))
}

// admit gives a socket a new filter in place of the one it has. On a listening TCP socket it holds for
// handshakes, too: who is not named gets no answer to a SYN.
func admit(raw syscall.RawConn, addresses []netip.Addr) error {
	program, err := filter(addresses)
	if err != nil {
		return fmt.Errorf("door: filter: %w", err)
	}
	instructions := make([]unix.SockFilter, len(program))
	for i, in := range program {
		instructions[i] = unix.SockFilter{Code: in.Op, Jt: in.Jt, Jf: in.Jf, K: in.K}
	}
	var refused error
	if err := raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptSockFprog(int(fd), unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
			&unix.SockFprog{Len: uint16(len(instructions)), Filter: &instructions[0]})
	}); err != nil {
		return fmt.Errorf("door: filter: %w", err)
	}
	if refused != nil {
		return fmt.Errorf("door: filter: %w", refused)
	}
	return nil
}

// admitAll takes a socket's filter away.
func admitAll(raw syscall.RawConn) error {
	var refused error
	if err := raw.Control(func(fd uintptr) {
		refused = unix.SetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_DETACH_FILTER, 0)
	}); err != nil {
		return fmt.Errorf("door: filter: %w", err)
	}
	if refused != nil {
		return fmt.Errorf("door: filter: %w", refused)
	}
	return nil
}

// acknowledged returns nil when the other end has acknowledged all that was sent on a connection.
func acknowledged(conn *net.TCPConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("door: %w", err)
	}
	var waiting int
	var asked error
	if err := raw.Control(func(fd uintptr) { waiting, asked = unix.IoctlGetInt(int(fd), unix.SIOCOUTQ) }); err != nil {
		return fmt.Errorf("door: %w", err)
	}
	if asked == nil && waiting > 0 {
		return errors.New("door: the answer was not taken")
	}
	return asked
}
