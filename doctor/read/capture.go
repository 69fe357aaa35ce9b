package read

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strconv"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/wire/pcap"
)

// Captures of packets. Each packet is looked at once; what has to be remembered is bounded, and of what is too much the
// oldest is forgotten. A capture that was begun late or cut short shows less, and nothing is made of what it lacks: that
// something was never answered counts only when it was asked again and again.
var _ = recogniseBinary(Binary{Format: "capture of packets", Is: pcap.Is, Read: readCapture})

// Limits of what is remembered of a capture.
const (
	maxConversations = 8192 // of one kind, TCP or UDP
	maxStream        = 256 << 10
	maxHeld          = 64 // segments out of order, of one direction
)

// unanswered is how often something is asked in vain before that is told.
const unanswered = 3

func readCapture(ctx context.Context, in *fact.Input, r *bufio.Reader, o Options) error {
	packets, err := pcap.NewReader(r)
	if err != nil {
		in.Source().Problem = err.Error()
		in.Add(fact.CaptureEmpty, 0, err.Error(), time.Time{}, "reason", err.Error())
		return nil
	}
	c := newCapture(in)
	c.keys.add(o.KeyLog)
	secrets := 0
	var broken error // what ended it
	for {
		p, err := packets.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			in.Source().Problem, broken = err.Error(), err
			break
		}
		if p.Number%10_000 == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		if s := packets.Secrets(); len(s) != secrets {
			c.keys.add(s[secrets:])
			secrets = len(s)
		}
		in.Source().Lines = p.Number
		if f, ok := p.Parse(); ok {
			in.Source().Known++
			c.now = moment{p.Number, p.Time}
			c.packet(f)
		}
	}
	c.end()
	if problem := in.Source().Problem; c.now.number == 0 || problem != "" && !errors.Is(broken, io.ErrUnexpectedEOF) {
		if problem == "" {
			problem = "the capture has no packet that is known here"
		}
		in.Add(fact.CaptureEmpty, 0, problem, time.Time{}, "reason", problem)
	}
	return nil
}

// moment is where in a capture something was.
type moment struct {
	number int
	at     time.Time
}

// capture is what is remembered of a capture while it is read.
type capture struct {
	in   *fact.Input
	now  moment
	keys keyLog

	tcp           table[[2]netip.AddrPort, *tcpFlow]
	dtls          table[[2]netip.AddrPort, *dtlsFlow]
	names         table[string, *question]         // of DNS
	transfers     table[netip.AddrPort, *transfer] // of TFTP, by the client's port
	servers       table[[2]netip.Addr, *question]  // client and file server
	neighbours    table[netip.Addr, *question]     // of ARP
	voice         table[[2]netip.AddrPort, *voiceFlow]
	registrations table[string, *registration] // by Call-ID

	secured  map[netip.Addr]bool       // with whom a TLS connection came up
	answered map[netip.AddrPort]bool   // who answered TCP
	refusals map[netip.AddrPort]string // what ICMP says of whom: prohibited or unreachable
	narrow   map[netip.Addr]bool       // where packets are too big, and it was told
	hosts    map[netip.Addr]string     // by which name of DNS an address was found; empty: by several
	held     bool                      // a call was put on hold
}

func newCapture(in *fact.Input) *capture {
	return &capture{
		in: in, keys: keyLog{}, secured: map[netip.Addr]bool{}, answered: map[netip.AddrPort]bool{},
		refusals: map[netip.AddrPort]string{}, narrow: map[netip.Addr]bool{},
		hosts: map[netip.Addr]string{},
	}
}

// question is something that somebody asks for, and perhaps gets an answer to.
type question struct {
	first    moment
	times    int
	answered bool
	says     string // what the answer was, when it is no good
	by       netip.Addr
}

// table is a map with an order, which forgets the oldest when it is full.
type table[K comparable, V any] struct {
	of    map[K]V
	order []K
}

func (t *table[K, V]) get(k K) (V, bool) {
	v, ok := t.of[k]
	return v, ok
}

// put adds a value; forgotten, when not nil, is told what goes.
func (t *table[K, V]) put(k K, v V, forgotten func(V)) {
	if t.of == nil {
		t.of = map[K]V{}
	}
	if _, there := t.of[k]; !there {
		if len(t.order) == maxConversations {
			if forgotten != nil {
				forgotten(t.of[t.order[0]])
			}
			delete(t.of, t.order[0])
			t.order = t.order[1:]
		}
		t.order = append(t.order, k)
	}
	t.of[k] = v
}

// all returns the values in their order.
func (t *table[K, V]) all() []V {
	var all []V
	for _, k := range t.order {
		all = append(all, t.of[k])
	}
	return all
}

// tell adds a fact about a packet.
func (c *capture) tell(kind fact.Kind, m moment, text string, values ...string) {
	c.in.Add(kind, m.number, text, m.at, values...)
}

func (c *capture) packet(f pcap.Frame) {
	switch {
	case f.ARP != 0:
		c.arp(f)
	case f.Fragment:
	case f.Protocol == pcap.TCP:
		c.segment(f)
	case f.Protocol == pcap.UDP:
		c.udp(f)
	case f.Protocol == pcap.ICMP, f.Protocol == pcap.ICMPv6:
		c.icmp(f)
	}
}

// mark keeps a key in a set of bounded size.
func mark[K comparable](set map[K]bool, k K) {
	if len(set) < maxConversations {
		set[k] = true
	}
}

func (c *capture) arp(f pcap.Frame) {
	const whoHas, isAt = 1, 2
	switch {
	case f.ARP == whoHas && f.Sender != f.Target && f.Sender.IsValid() && !f.Sender.IsUnspecified():
		q, ok := c.neighbours.get(f.Target)
		if !ok {
			q = &question{first: c.now, by: f.Sender}
			c.neighbours.put(f.Target, q, nil)
		}
		q.times++
		if asker, ok := c.neighbours.get(f.Sender); ok { // who asks is there
			asker.answered = true
		}
	case f.ARP == isAt:
		if q, ok := c.neighbours.get(f.Sender); ok {
			q.answered = true
		}
	}
}

// icmp keeps what routers say of packets that they do not carry.
func (c *capture) icmp(f pcap.Frame) {
	if f.About == nil {
		return
	}
	to := f.About.Dst
	switch {
	case f.MTU > 0 || f.Protocol == pcap.ICMP && f.Type == pcap.Unreachable && f.Code == pcap.FragmentationNeeded:
		if !c.narrow[to.Addr()] {
			mark(c.narrow, to.Addr())
			c.tell(fact.CaptureTooBig, c.now, fmt.Sprintf("%s: a packet to %s is too big, %d bytes pass", f.Src.Addr(), to, f.MTU),
				"mtu", strconv.Itoa(f.MTU), "by", f.Src.Addr().String(), "server", to.String())
		}
	case f.Type != pcap.Unreachable && f.Protocol == pcap.ICMP:
	case len(c.refusals) < maxConversations:
		reason := "unreachable"
		if f.Protocol == pcap.ICMP && (f.Code == 9 || f.Code == 10 || f.Code == 13) || f.Protocol == pcap.ICMPv6 && f.Type == 1 && f.Code == 1 {
			reason = "prohibited"
		}
		c.refusals[to] = reason
	}
}

// service says what is asked for on a port, or nothing when it is not of phones.
func service(port uint16) string {
	switch port {
	case 443:
		return "gateway"
	case 69, 6970, 6971, 6972:
		return "files"
	case 2000, 2443, 5060, 5061:
		return "call manager"
	case 2445:
		return "tvs"
	case 3804:
		return "capf"
	}
	return ""
}

// noAnswer tells that a server does not answer.
func (c *capture) noAnswer(m moment, client netip.Addr, server netip.AddrPort, by, reason string, times int) {
	of := service(server.Port())
	if of == "" {
		return
	}
	if said := c.refusals[server]; said != "" && reason == "timeout" {
		reason = said
	}
	text := fmt.Sprintf("%s to %s: asked %d times by %s, and no answer", client, server, times, by)
	switch reason {
	case "refused":
		text = fmt.Sprintf("%s to %s: refused", client, server)
	case "unreachable", "prohibited":
		text = fmt.Sprintf("%s to %s: a router says %s", client, server, reason)
	}
	c.tell(fact.CaptureNoAnswer, m, text, "server", server.String(), "client", client.String(), "service", of, "by", by, "reason", reason)
}

// end tells what is only known when nothing more comes.
func (c *capture) end() {
	for _, f := range c.tcp.all() {
		c.endTCP(f)
	}
	for _, f := range c.dtls.all() {
		c.endDTLS(f)
	}
	c.endNames()
	c.endFiles()
	c.endVoice()
	for _, r := range c.registrations.all() {
		c.endRegistration(r)
	}
	for i, q := range c.neighbours.all() {
		if address := c.neighbours.order[i]; !q.answered && q.times >= unanswered {
			c.tell(fact.CaptureNoARP, q.first, fmt.Sprintf("%s asks %d times who has %s, and nobody answers", q.by, q.times, address),
				"address", address.String(), "by", q.by.String())
		}
	}
}
