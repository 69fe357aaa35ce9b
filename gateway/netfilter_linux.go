package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// netfilter is what the host's packet filter does for the tunnel, in a table of our own, so that it
// neither touches nor depends on the host's other rules. It keeps TCP to segments that fit the tunnel, by
// lowering the size that either side announces; path MTU discovery would do the same where nobody filters
// its messages. And it keeps back the kernel's ICMP redirects: what one phone sends another leaves by
// the interface it came in by, but there is no shorter way to tell of.
type netfilter struct {
	kernel *nftables.Conn
	table  *nftables.Table
}

// openNetfilter makes the table, in one transaction with the removal of one that was left.
func openNetfilter(tun string, size uint16) (*netfilter, error) {
	kernel, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	n := &netfilter{kernel: kernel, table: &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "longcord"}}
	kernel.AddTable(n.table)
	kernel.DelTable(n.table) // adding it first makes this no error when there was none
	kernel.AddTable(n.table)
	n.chain("forward", nftables.ChainHookForward, clampRule(expr.MetaKeyIIFNAME, tun, size), clampRule(expr.MetaKeyOIFNAME, tun, size))
	n.chain("output", nftables.ChainHookOutput, noRedirectRule(tun))
	if err := kernel.Flush(); err != nil {
		return nil, errors.Join(fmt.Errorf("nftables: table %s: %w", n.table.Name, err), kernel.CloseLasting())
	}
	return n, nil
}

func (n *netfilter) chain(name string, hook *nftables.ChainHook, rules ...[]expr.Any) {
	chain := n.kernel.AddChain(&nftables.Chain{
		Name: name, Table: n.table, Type: nftables.ChainTypeFilter, Hooknum: hook, Priority: nftables.ChainPriorityMangle,
	})
	for _, rule := range rules {
		n.kernel.AddRule(&nftables.Rule{Table: n.table, Chain: chain, Exprs: rule})
	}
}

const register = 1 // the one that all expressions pass values in

// crosses matches packets of one protocol that come in by (iifname) or go out of (oifname) the tunnel.
func crosses(direction expr.MetaKey, tun string, protocol byte) []expr.Any {
	var name [unix.IFNAMSIZ]byte
	copy(name[:], tun)
	return []expr.Any{
		&expr.Meta{Key: direction, Register: register},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: name[:]},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{protocol}},
	}
}

// clampRule is, in the words of nft: {iifname|oifname} TUN tcp flags & (syn|rst) == syn tcp option maxseg
// size set SIZE. The kernel only ever lowers the option by it.
func clampRule(direction expr.MetaKey, tun string, size uint16) []expr.Any {
	const (
		flagsAt    = 13 // in the TCP header
		syn        = 0x02
		synRst     = 0x06
		maxSegment = 2 // kind of the TCP option: kind, length, two bytes of size
	)
	return append(crosses(direction, tun, unix.IPPROTO_TCP),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: flagsAt, Len: 1},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{synRst}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{syn}},
		&expr.Immediate{Register: register, Data: binary.BigEndian.AppendUint16(nil, size)},
		&expr.Exthdr{SourceRegister: register, Type: maxSegment, Offset: 2, Len: 2, Op: expr.ExthdrOpTcpopt},
	)
}

// noRedirectRule is: oifname TUN icmp type redirect drop.
func noRedirectRule(tun string) []expr.Any {
	const redirect = 5
	return append(crosses(expr.MetaKeyOIFNAME, tun, unix.IPPROTO_ICMP),
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Len: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{redirect}},
		&expr.Verdict{Kind: expr.VerdictDrop},
	)
}

func (n *netfilter) close() error {
	if n == nil {
		return nil
	}
	n.kernel.DelTable(n.table)
	err := n.kernel.Flush()
	if errors.Is(err, unix.ENOENT) {
		err = nil // somebody flushed the rule set
	}
	return errors.Join(err, n.kernel.CloseLasting())
}
