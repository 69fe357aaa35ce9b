package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/userdata"
	"golang.org/x/sys/unix"
)

// netfilter is what the host's packet filter does for the tunnel, in tables of our own, so that it
// neither touches nor depends on the host's other rules:
//
//   - It keeps TCP to segments that fit the tunnel, by lowering the size that either side announces; path
//     MTU discovery would do the same where nobody filters its messages.
//   - It keeps back the kernel's ICMP redirects: what one phone sends another leaves by the interface it
//     came in by, but there is no shorter way to tell of.
//   - It translates the addresses of the pools that ask for it, towards the office and nowhere else.
//   - On a host that forwarded no IPv6, where it can be switched on for all interfaces only, it stops what
//     does not concern the tunnel.
//
// And it remembers, as comments of rules that no packet meets, what the host's settings were. The tables
// outlive a gateway that is killed exactly as those settings do: until the next start, or until the host
// or its network namespace ends.
type netfilter struct {
	kernel *nftables.Conn
	tables []*nftables.Table
	made   map[*nftables.Chain]int // rules in each
}

// filterFor is what the rules are made of.
type filterFor struct {
	tun, office string
	mtu         int
	pools       []RoutedPool
	onlyTunnel6 bool // keep IPv6 from being forwarded but through the tunnel
	remember    []string
}

const tableName = "longcord"

func openNetfilter() (*netfilter, error) {
	kernel, err := nftables.New(nftables.AsLasting())
	if err != nil {
		return nil, fmt.Errorf("nftables: %w", err)
	}
	return &netfilter{kernel: kernel}, nil
}

// families are those of the pools. IPv4's is always there: the settings are remembered in it.
func (f filterFor) families() []nftables.TableFamily {
	if slices.ContainsFunc(f.pools, func(p RoutedPool) bool { return p.Network.Addr().Is6() }) {
		return []nftables.TableFamily{nftables.TableFamilyIPv4, nftables.TableFamilyIPv6}
	}
	return []nftables.TableFamily{nftables.TableFamilyIPv4}
}

// replace makes the tables, in one transaction with the removal of those that were there.
func (n *netfilter) replace(f filterFor) error {
	if err := n.removeOld(); err != nil {
		return err
	}
	n.tables, n.made = nil, map[*nftables.Chain]int{}
	for _, family := range f.families() {
		table := n.kernel.AddTable(&nftables.Table{Family: family, Name: tableName})
		n.tables = append(n.tables, table)
		n.fill(table, f)
	}
	if err := n.kernel.Flush(); err != nil {
		return fmt.Errorf("nftables: table %s: %w", tableName, err)
	}
	return nil
}

func (n *netfilter) removeOld() error {
	tables, err := n.kernel.ListTables()
	if err != nil {
		return fmt.Errorf("nftables: tables: %w", err)
	}
	for _, table := range tables {
		if table.Name == tableName && (table.Family == nftables.TableFamilyIPv4 || table.Family == nftables.TableFamilyIPv6) {
			n.kernel.DelTable(table)
		}
	}
	return nil
}

func (n *netfilter) fill(table *nftables.Table, f filterFor) {
	ip := inIPv4
	if table.Family == nftables.TableFamilyIPv6 {
		ip = inIPv6
	}
	forward := n.chain(&nftables.Chain{
		Name: "forward", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookForward, Priority: nftables.ChainPriorityMangle,
	})
	if f.onlyTunnel6 && table.Family == nftables.TableFamilyIPv6 {
		n.rule(forward, concat(interfaceIs(expr.MetaKeyIIFNAME, expr.CmpOpNeq, f.tun), interfaceIs(expr.MetaKeyOIFNAME, expr.CmpOpNeq, f.tun), drop))
		n.rule(forward, concat(interfaceIs(expr.MetaKeyIIFNAME, expr.CmpOpNeq, f.tun), interfaceIs(expr.MetaKeyIIFNAME, expr.CmpOpNeq, f.office), drop))
	}
	n.rule(forward, clampRule(expr.MetaKeyIIFNAME, f.tun, ip.segmentSize(f.mtu)))
	n.rule(forward, clampRule(expr.MetaKeyOIFNAME, f.tun, ip.segmentSize(f.mtu)))
	output := n.chain(&nftables.Chain{
		Name: "output", Table: table, Type: nftables.ChainTypeFilter, Hooknum: nftables.ChainHookOutput, Priority: nftables.ChainPriorityMangle,
	})
	n.rule(output, noRedirectRule(f.tun, ip))
	n.translate(table, f, ip)
	if table.Family == nftables.TableFamilyIPv4 {
		n.remember(table, f.remember)
	}
}

// translate makes the masquerade rules of the table's family.
func (n *netfilter) translate(table *nftables.Table, f filterFor, ip inIP) {
	var chain *nftables.Chain
	for _, pool := range f.pools {
		if !pool.NAT || pool.Network.Addr().Is6() != (table.Family == nftables.TableFamilyIPv6) {
			continue
		}
		if chain == nil {
			chain = n.chain(&nftables.Chain{
				Name: "postrouting", Table: table, Type: nftables.ChainTypeNAT, Hooknum: nftables.ChainHookPostrouting, Priority: nftables.ChainPriorityNATSource,
			})
		}
		n.rule(chain, masqueradeRule(pool.Network, f.office, ip))
	}
}

func (n *netfilter) chain(c *nftables.Chain) *nftables.Chain {
	n.made[c] = 0
	return n.kernel.AddChain(c)
}

func (n *netfilter) rule(chain *nftables.Chain, exprs []expr.Any) {
	n.made[chain]++
	n.kernel.AddRule(&nftables.Rule{Table: chain.Table, Chain: chain, Exprs: exprs})
}

// rememberChain has no hook: packets do not come here.
const rememberChain = "before"

func (n *netfilter) remember(table *nftables.Table, lines []string) {
	if len(lines) == 0 {
		return
	}
	chain := n.chain(&nftables.Chain{Name: rememberChain, Table: table})
	for _, line := range lines {
		n.made[chain]++
		n.kernel.AddRule(&nftables.Rule{
			Table: table, Chain: chain, Exprs: []expr.Any{&expr.Verdict{Kind: expr.VerdictReturn}},
			UserData: userdata.AppendString(nil, userdata.TypeComment, line),
		})
	}
}

// remembered returns the lines of a gateway that was killed, or none.
func (n *netfilter) remembered() ([]string, error) {
	chains, err := n.kernel.ListChainsOfTableFamily(nftables.TableFamilyIPv4)
	if err != nil {
		return nil, fmt.Errorf("nftables: chains: %w", err)
	}
	i := slices.IndexFunc(chains, func(c *nftables.Chain) bool { return c.Table.Name == tableName && c.Name == rememberChain })
	if i < 0 {
		return nil, nil
	}
	rules, err := n.kernel.GetRules(chains[i].Table, chains[i])
	if err != nil {
		return nil, fmt.Errorf("nftables: chain %s: %w", rememberChain, err)
	}
	var lines []string
	for _, rule := range rules {
		if line, ok := userdata.GetString(rule.UserData, userdata.TypeComment); ok {
			lines = append(lines, strings.TrimRight(line, "\x00"))
		}
	}
	return lines, nil
}

// intact tells whether every rule is still there.
func (n *netfilter) intact() bool {
	for chain, count := range n.made {
		rules, err := n.kernel.GetRules(chain.Table, chain)
		if err != nil || len(rules) != count {
			return false
		}
	}
	return true
}

func (n *netfilter) close() error {
	if n == nil {
		return nil
	}
	for _, table := range n.tables {
		n.kernel.DelTable(table)
	}
	err := n.kernel.Flush()
	if errors.Is(err, unix.ENOENT) {
		err = n.flushRest()
	}
	return errors.Join(err, n.kernel.CloseLasting())
}

// flushRest removes what is left after somebody has removed a table: all of a transaction fails by one that
// is not there.
func (n *netfilter) flushRest() error {
	if err := n.removeOld(); err != nil {
		return err
	}
	return n.kernel.Flush()
}

// inIP is what differs between the two versions of IP.
type inIP struct {
	headers        int // bytes of the IP and TCP headers without options
	icmp, redirect byte
	sourceAt       uint32 // in the IP header
}

var (
	inIPv4 = inIP{headers: 40, icmp: unix.IPPROTO_ICMP, redirect: 5, sourceAt: 12}
	inIPv6 = inIP{headers: 60, icmp: unix.IPPROTO_ICMPV6, redirect: 137, sourceAt: 8}
)

// segmentSize is the TCP payload that fits an inner packet.
func (ip inIP) segmentSize(mtu int) uint16 { return uint16(mtu - ip.headers) }

const register = 1 // the one that all expressions pass values in

var drop = []expr.Any{&expr.Verdict{Kind: expr.VerdictDrop}}

func concat(parts ...[]expr.Any) []expr.Any { return slices.Concat(parts...) }

// interfaceIs matches packets that come in by (iifname) or go out of (oifname) an interface, or do not.
func interfaceIs(direction expr.MetaKey, op expr.CmpOp, ifname string) []expr.Any {
	var name [unix.IFNAMSIZ]byte
	copy(name[:], ifname)
	return []expr.Any{
		&expr.Meta{Key: direction, Register: register},
		&expr.Cmp{Op: op, Register: register, Data: name[:]},
	}
}

func protocolIs(protocol byte) []expr.Any {
	return []expr.Any{
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
	return concat(interfaceIs(direction, expr.CmpOpEq, tun), protocolIs(unix.IPPROTO_TCP), []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Offset: flagsAt, Len: 1},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: 1, Mask: []byte{synRst}, Xor: []byte{0}},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{syn}},
		&expr.Immediate{Register: register, Data: binary.BigEndian.AppendUint16(nil, size)},
		&expr.Exthdr{SourceRegister: register, Type: maxSegment, Offset: 2, Len: 2, Op: expr.ExthdrOpTcpopt},
	})
}

// noRedirectRule is: oifname TUN icmp type redirect drop.
func noRedirectRule(tun string, ip inIP) []expr.Any {
	return concat(interfaceIs(expr.MetaKeyOIFNAME, expr.CmpOpEq, tun), protocolIs(ip.icmp), []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseTransportHeader, Len: 1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: []byte{ip.redirect}},
	}, drop)
}

// masqueradeRule is: oifname OFFICE ip saddr POOL masquerade.
func masqueradeRule(pool netip.Prefix, office string, ip inIP) []expr.Any {
	address := pool.Masked().Addr().AsSlice()
	mask := make([]byte, len(address))
	for i := range pool.Bits() {
		mask[i/8] |= 0x80 >> (i % 8)
	}
	return concat(interfaceIs(expr.MetaKeyOIFNAME, expr.CmpOpEq, office), []expr.Any{
		&expr.Payload{DestRegister: register, Base: expr.PayloadBaseNetworkHeader, Offset: ip.sourceAt, Len: uint32(len(address))},
		&expr.Bitwise{SourceRegister: register, DestRegister: register, Len: uint32(len(address)), Mask: mask, Xor: make([]byte, len(address))},
		&expr.Cmp{Op: expr.CmpOpEq, Register: register, Data: address},
		&expr.Masq{},
	})
}
