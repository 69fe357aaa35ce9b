package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// clamp keeps TCP through the tunnel to segments that fit it, in both directions, by lowering the size
// that each side announces. Path MTU discovery would do the same, where nobody filters its messages. It
// is a table of our own, so that it neither touches nor depends on the host's other rules.
type clamp struct {
	kernel *nftables.Conn
	table  *nftables.Table
}

// openClamp makes the table, in one transaction with the removal of one that was left.
func openClamp(tun string, size uint16) (*clamp, error) {
	kernel, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	c := &clamp{kernel: kernel, table: &nftables.Table{Family: nftables.TableFamilyIPv4, Name: "longcord"}}
	kernel.AddTable(c.table)
	kernel.DelTable(c.table) // adding it first makes this no error when there was none
	kernel.AddTable(c.table)
	chain := kernel.AddChain(&nftables.Chain{
		Name: "forward", Table: c.table, Type: nftables.ChainTypeFilter,
		Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityMangle,
	})
	for _, direction := range []expr.MetaKey{expr.MetaKeyIIFNAME, expr.MetaKeyOIFNAME} {
		kernel.AddRule(&nftables.Rule{Table: c.table, Chain: chain, Exprs: clampRule(direction, tun, size)})
	}
	if err := kernel.Flush(); err != nil {
		return nil, errors.Join(fmt.Errorf("nftables: table %s: %w", c.table.Name, err), kernel.CloseLasting())
	}
	return c, nil
}

// clampRule is, in the words of nft: {iifname|oifname} TUN tcp flags & (syn|rst) == syn tcp option maxseg
// size set SIZE. The kernel only ever lowers the option by it.
func clampRule(direction expr.MetaKey, tun string, size uint16) []expr.Any {
	const (
		register   = 1
		synRst     = 0x06
		syn        = 0x02
		flagsAt    = 13 // in the TCP header
		optionSize = 2  // TCP option "maximum segment size": kind 2, length, two bytes
	)
	var name [unix.IFNAMSIZ]byte
	copy(name[:], tun)
	return []expr.Any{
		&expr.Meta{Key: direction, Register: register},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: name[:]},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: register},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{unix.IPPROTO_TCP}},
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: flagsAt, Len: 1},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{synRst}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{syn}},
		&expr.Immediate{Register: register, Data: binary.BigEndian.AppendUint16(nil, size)},
		&expr.Exthdr{SourceRegister: register, Type: optionSize, Offset: 2, Len: 2, Op: expr.ExthdrOpTcpopt},
	}
}

func (c *clamp) close() error {
	if c == nil {
		return nil
	}
	c.kernel.DelTable(c.table)
	err := c.kernel.Flush()
	if errors.Is(err, unix.ENOENT) {
		err = nil // somebody flushed the rule set
	}
	return errors.Join(err, c.kernel.CloseLasting())
}
