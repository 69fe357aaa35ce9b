package testnet

import (
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// table is the one nftables table a host has; adding it again is harmless.
var table = &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "testnet"}

// Masquerade gives packets that leave by ifname the address of that interface and undoes it for the
// answers, as a home router does.
func (h *Host) Masquerade(ifname string) error {
	out := make([]byte, unix.IFNAMSIZ)
	copy(out, ifname)
	return h.rule(&nftables.Chain{
		Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
	},
		&expr.Meta{Key: expr.MetaKeyOIFNAME, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: out},
		&expr.Masq{},
	)
}

// Disguise gives packets from a network for this port of the host's own another source address, and undoes it for the
// answers, as a firewall in front of it does.
func (h *Host) Disguise(from netip.Prefix, protocol byte, port uint16, as netip.Addr) error {
	match := append(toPort(protocol, port),
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Bitwise{SourceRegister: 1, DestRegister: 1, Len: 4, Mask: net.CIDRMask(from.Bits(), 32), Xor: make([]byte, 4)},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: from.Masked().Addr().AsSlice()},
		&expr.Immediate{Register: 1, Data: as.AsSlice()},
		&expr.NAT{Type: expr.NATTypeSourceNAT, Family: unix.NFPROTO_IPV4, RegAddrMin: 1},
	)
	return h.rule(&nftables.Chain{
		Name: "disguise", Table: table, Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityNATSource,
	}, match...)
}

// Drop makes the host swallow what it would forward to this port; protocol is unix.IPPROTO_UDP or
// unix.IPPROTO_TCP.
func (h *Host) Drop(protocol byte, port uint16) error {
	return h.rule(forwarded, append(toPort(protocol, port), swallow)...)
}

// Deafen makes the host swallow what is sent to this port of its own.
func (h *Host) Deafen(protocol byte, port uint16) error {
	return h.rule(received, append(toPort(protocol, port), swallow)...)
}

// DropFrom makes the host swallow what it would forward of this protocol from this address.
func (h *Host) DropFrom(source netip.Addr, protocol byte) error {
	return h.rule(forwarded,
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 12, Len: 4},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: source.AsSlice()},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		swallow,
	)
}

// DropLarger makes the host swallow packets of this protocol, longer than size with their IP header, that it would
// forward, and tell nobody, as a path does whose ICMP is filtered.
func (h *Host) DropLarger(protocol byte, size uint16) error {
	return h.rule(forwarded,
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseNetworkHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpGt, Register: 1, Data: binary.BigEndian.AppendUint16(nil, size)},
		swallow,
	)
}

var swallow = &expr.Verdict{Kind: expr.VerdictDrop}

var (
	forwarded = &nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityFilter,
	}
	received = &nftables.Chain{
		Name: "input", Table: table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookInput, Priority: nftables.ChainPriorityFilter,
	}
)

// toPort matches what goes to this port.
func toPort(protocol byte, port uint16) []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: []byte{protocol}},
		// Both protocols keep the destination port in the same place.
		&expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: binary.BigEndian.AppendUint16(nil, port)},
	}
}

// Undrop lets through again what Drop, DropFrom and DropLarger stopped.
func (h *Host) Undrop() error {
	return h.Do(func() error {
		conn, err := nftables.New()
		if err != nil {
			return err
		}
		conn.FlushChain(forwarded)
		if err := conn.Flush(); err != nil {
			return fmt.Errorf("testnet: host %s: nftables forward: %w", h.name, err)
		}
		return nil
	})
}

func (h *Host) rule(chain *nftables.Chain, exprs ...expr.Any) error {
	err := h.Do(func() error {
		conn, err := nftables.New()
		if err != nil {
			return err
		}
		conn.AddTable(table)
		conn.AddChain(chain)
		conn.AddRule(&nftables.Rule{Table: table, Chain: chain, Exprs: exprs})
		return conn.Flush()
	})
	if err != nil {
		return fmt.Errorf("testnet: host %s: nftables %s: %w", h.name, chain.Name, err)
	}
	return nil
}
