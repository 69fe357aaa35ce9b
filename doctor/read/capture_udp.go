package read

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"path"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/wire/dtls"
	"github.com/longcord/longcord/wire/pcap"
	"github.com/longcord/longcord/wire/tftp"
)

// Ports of UDP.
const (
	portDNS        = 53
	portDHCPServer = 67
	portDHCPClient = 68
	portTFTP       = 69
)

func (c *capture) udp(f pcap.Frame) {
	switch b := f.Payload; {
	case len(b) < f.Length: // cut by the capture
		c.datagramOf(f)
	case f.Src.Port() == portDNS || f.Dst.Port() == portDNS:
		c.dns(f)
	case f.Dst.Port() == portDHCPClient && f.Src.Port() == portDHCPServer, f.Dst.Port() == portDHCPServer:
		c.dhcp(f)
	case c.tftp(f):
	case sipStart(b):
		c.sip(b, f.Src, f.Dst)
	default:
		c.datagramOf(f)
	}
}

// datagramOf looks at what may be DTLS or voice, of which the first bytes are enough.
func (c *capture) datagramOf(f pcap.Frame) {
	if !c.dtlsRecord(f) {
		c.rtp(f)
	}
}

// dns follows questions for addresses: RFC 1035.
func (c *capture) dns(f pcap.Frame) {
	const address, refusedName, failed = 1, 3, 2
	b := f.Payload
	if len(b) < 12 || binary.BigEndian.Uint16(b[4:]) != 1 {
		return
	}
	name, rest := dnsName(b[12:])
	if name == "" || len(rest) < 4 || binary.BigEndian.Uint16(rest) != address {
		return
	}
	q, ok := c.names.get(name)
	if !ok {
		q = &question{first: c.now, by: f.Src.Addr()}
		c.names.put(name, q, nil)
	}
	if b[2]&0x80 == 0 {
		q.times++
		return
	}
	switch code, answers := b[3]&15, binary.BigEndian.Uint16(b[6:]); {
	case code == 0 && answers > 0:
		q.answered = true
		c.found(name, rest[4:], int(answers))
	case code == refusedName:
		q.says, q.first = "nxdomain", c.now
	case code == failed:
		q.says, q.first = "servfail", c.now
	case code == 0 && q.says == "":
		q.says, q.first = "no address", c.now
	}
}

// found keeps by which name the addresses of an answer are found.
func (c *capture) found(name string, b []byte, answers int) {
	const address = 1
	for range answers {
		switch { // the name of an answer is compressed, or was spelt out
		case len(b) >= 2 && b[0]>>6 == 3:
			b = b[2:]
		default:
			spelt, rest := dnsName(b)
			if spelt == "" {
				return
			}
			b = rest
		}
		if len(b) < 10 || len(b) < 10+int(binary.BigEndian.Uint16(b[8:])) {
			return
		}
		size := int(binary.BigEndian.Uint16(b[8:]))
		if binary.BigEndian.Uint16(b) == address && size == 4 && len(c.hosts) < maxConversations {
			at := netip.AddrFrom4([4]byte(b[10:14]))
			if other, ok := c.hosts[at]; ok && other != name {
				c.hosts[at] = ""
			} else {
				c.hosts[at] = name
			}
		}
		b = b[10+size:]
	}
}

// dnsName reads the name of a question, which is never compressed.
func dnsName(b []byte) (name string, rest []byte) {
	var labels []string
	for len(b) > 0 {
		size := int(b[0])
		if size == 0 {
			return strings.ToLower(strings.Join(labels, ".")), b[1:]
		}
		if size > 63 || len(b) < 1+size || len(labels) > 127 {
			return "", nil
		}
		labels, b = append(labels, strings.ToValidUTF8(string(b[1:1+size]), "?")), b[1+size:]
	}
	return "", nil
}

func (c *capture) endNames() {
	for i, q := range c.names.all() {
		name := c.names.order[i]
		says := q.says
		if q.answered || says == "" && q.times < unanswered {
			continue
		}
		if says == "" {
			says = "no answer"
		}
		c.tell(fact.CaptureNoName, q.first, fmt.Sprintf("DNS question for %s: %s", name, says), "host", name, "reason", says)
	}
}

// dhcp reads which file servers are offered, and which phone asks: RFC 2132, and option 150 of RFC 5859.
func (c *capture) dhcp(f pcap.Frame) {
	const magic = 0x63825363
	b := f.Payload
	if len(b) < 240 || binary.BigEndian.Uint32(b[236:]) != magic {
		return
	}
	mac := fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", b[28], b[29], b[30], b[31], b[32], b[33])
	options := map[byte][]byte{}
	for o := b[240:]; len(o) >= 2 && o[0] != 255; {
		if o[0] == 0 {
			o = o[1:]
			continue
		}
		if len(o) < 2+int(o[1]) {
			break
		}
		options[o[0]], o = append(options[o[0]], o[2:2+int(o[1])]...), o[2+int(o[1]):]
	}
	const request, vendor, serverID, tftpName, tftpAddresses = 1, 60, 54, 66, 150
	if b[0] == request {
		if model, ok := strings.CutPrefix(cString(options[vendor]), "Cisco Systems, Inc. IP Phone "); ok {
			c.tell(fact.Device, c.now, fmt.Sprintf("DHCP request of %s: vendor class %s", mac, cString(options[vendor])), "model", model)
		}
		return
	}
	by := f.Src.Addr().String()
	if id := options[serverID]; len(id) == 4 {
		by = netip.AddrFrom4([4]byte(id)).String()
	}
	var servers []string
	for o := options[tftpAddresses]; len(o) >= 4; o = o[4:] {
		servers = append(servers, netip.AddrFrom4([4]byte(o)).String())
	}
	for option, names := range map[string]string{"150": strings.Join(servers, ","), "66": cString(options[tftpName])} {
		if names != "" {
			c.tell(fact.DHCPFiles, c.now, fmt.Sprintf("DHCP offer of %s to %s: option %s is %s", by, mac, option, names),
				"option", option, "servers", names, "by", by, "to", mac)
		}
	}
}

// silence is how long a file server has time to answer who asked it twice.
const silence = 3 * time.Second

// transfer is one request of TFTP.
type transfer struct {
	name   string
	client netip.AddrPort
	server netip.Addr
	block  uint16
	again  int // how often the last block came once more
	told   bool
}

// brokenAfter is how often a block is sent in vain before that is told.
const brokenAfter = 4

// tftp reads requests and what comes back, and reports whether it is TFTP.
func (c *capture) tftp(f pcap.Frame) bool {
	if f.Dst.Port() == portTFTP {
		r, err := tftp.Parse(f.Payload)
		if ask, ok := r.(*tftp.Request); err == nil && ok && !ask.Write {
			c.transfers.put(f.Src, &transfer{name: path.Base(ask.Name), client: f.Src, server: f.Dst.Addr()}, nil)
			q := c.fileServer(f.Src.Addr(), f.Dst.Addr())
			q.times++
		}
		return true
	}
	t, ok := c.transfers.get(f.Dst)
	if !ok || t.server != f.Src.Addr() {
		_, asks := c.transfers.get(f.Src)
		return asks // acknowledgements
	}
	c.fileServer(t.client.Addr(), t.server).answered = true
	values := []string{"name", t.name, "client", t.client.Addr().String(), "server", t.server.String()}
	text := fmt.Sprintf("%s to %s: TFTP %s", t.server, t.client.Addr(), t.name)
	packet, err := tftp.Parse(f.Payload)
	if err != nil {
		return true
	}
	switch p := packet.(type) {
	case *tftp.Error:
		kind, says := fact.FileDenied, p.Message
		if p.Code == tftp.NotFound {
			kind = fact.FileMissing
		}
		c.tell(kind, c.now, text+": "+says, append(values, "reason", says)...)
	case *tftp.Data:
		if p.Block == t.block && t.block != 0 {
			t.again++
		} else {
			t.block, t.again = p.Block, 0
		}
		if t.again == brokenAfter && !t.told {
			t.told = true
			c.tell(fact.FileBroken, c.now, text+": block "+strconv.Itoa(int(p.Block))+" is sent again and again", values...)
		}
		if !t.told && p.Block == 1 {
			c.tell(fact.FileSent, c.now, text, values...)
		}
	}
	return true
}

func (c *capture) fileServer(client, server netip.Addr) *question {
	key := [2]netip.Addr{client, server}
	q, ok := c.servers.get(key)
	if !ok {
		q = &question{first: c.now}
		c.servers.put(key, q, nil)
	}
	return q
}

func (c *capture) endFiles() {
	for i, q := range c.servers.all() {
		long := q.times > 1 && c.now.at.Sub(q.first.at) >= silence
		if key := c.servers.order[i]; !q.answered && (q.times >= unanswered || long || c.refusals[netip.AddrPortFrom(key[1], portTFTP)] != "") {
			c.noAnswer(q.first, key[0], netip.AddrPortFrom(key[1], portTFTP), "udp", "timeout", q.times)
		}
	}
}

// dtlsFlow is DTLS between a client and a gateway.
type dtlsFlow struct {
	client, server netip.AddrPort
	first          moment
	hellos         int // of the client
	replies        int // packets of the gateway
	verify         int // HelloVerifyRequests
	up             bool
	told           bool
}

// dtlsRecord looks at a datagram that may be DTLS, and reports whether it is.
func (c *capture) dtlsRecord(f pcap.Frame) bool {
	r, _, err := dtls.ParseRecord(f.Payload)
	if err != nil && (len(f.Payload) < dtls.RecordHeaderLen || f.Payload[0] < byte(dtls.ChangeCipherSpec) || f.Payload[0] > recordData || f.Payload[1] != 0xfe && f.Payload[1] != 1) {
		return false
	}
	if err == nil && (r.Version != dtls.Version09 && r.Version>>8 != 0xfe) {
		return false
	}
	flow, client := (*dtlsFlow)(nil), true
	if known, ok := c.dtls.get([2]netip.AddrPort{f.Src, f.Dst}); ok {
		flow = known
	} else if known, ok := c.dtls.get([2]netip.AddrPort{f.Dst, f.Src}); ok {
		flow, client = known, false
	} else {
		if f.Src.Port() == 443 {
			return true // a session that began before the capture
		}
		flow = &dtlsFlow{client: f.Src, server: f.Dst, first: c.now}
		c.dtls.put([2]netip.AddrPort{f.Src, f.Dst}, flow, c.endDTLS)
	}
	if !client {
		flow.replies++
	}
	if err != nil {
		return true
	}
	switch {
	case r.Epoch > 0 || r.Type == dtls.ApplicationData:
		flow.up = flow.up || flow.replies > 0
	case r.Type == dtls.AlertRecord && len(r.Fragment) == 2 && r.Fragment[0] == 2 && !flow.told:
		flow.told = true
		c.dtlsFails(flow, c.now, "alert "+alerts[r.Fragment[1]]+" of the "+map[bool]string{true: "client", false: "gateway"}[client])
	case r.Type == dtls.HandshakeRecord && len(r.Fragment) > 0:
		switch kind := dtls.HandshakeType(r.Fragment[0]); {
		case client && kind == dtls.TypeClientHello:
			flow.hellos++
		case !client && kind == dtls.TypeHelloVerifyRequest:
			flow.verify++
		}
	}
	return true
}

func (c *capture) dtlsFails(f *dtlsFlow, m moment, reason string) {
	c.tell(fact.CaptureDTLSFailed, m, fmt.Sprintf("%s to %s: DTLS: %s", f.client, f.server, reason), "server", f.server.String(), "reason", reason)
}

func (c *capture) endDTLS(f *dtlsFlow) {
	refused := c.refusals[f.server]
	switch {
	case f.up || f.told:
	case f.replies == 0 && c.secured[f.server.Addr()] && (f.hellos >= unanswered || f.hellos > 0 && refused != ""):
		reason := "no answer"
		if refused != "" {
			reason = "a router says " + refused
		}
		c.tell(fact.CaptureNoUDP, f.first, fmt.Sprintf("%s to %s: %d DTLS hellos, %s", f.client, f.server, f.hellos, reason), "server", f.server.String(), "reason", reason)
	case f.verify >= unanswered && f.hellos >= unanswered:
		c.dtlsFails(f, f.first, fmt.Sprintf("the gateway asks %d times for a cookie and never goes on", f.verify))
	}
}

// voiceFlow is voice in one direction: packets of RTP (RFC 3550) with growing numbers.
type voiceFlow struct {
	from, to netip.AddrPort
	first    moment
	source   uint32
	next     uint16
	packets  int
}

// manyPackets is two seconds of voice, at 20 ms: less may be the beginning of a call.
const manyPackets = 100

func (c *capture) rtp(f pcap.Frame) {
	b := f.Payload
	if len(b) < 12 || b[0]>>6 != 2 || f.Src.Port() < 1024 || f.Dst.Port() < 1024 || f.Dst.Port()%2 == 1 {
		return
	}
	if kind := b[1] & 0x7f; kind > 34 && kind < 96 {
		return // RTCP, and what nobody uses
	}
	key := [2]netip.AddrPort{f.Src, f.Dst}
	sequence, source := binary.BigEndian.Uint16(b[2:]), binary.BigEndian.Uint32(b[8:])
	v, ok := c.voice.get(key)
	if !ok {
		c.voice.put(key, &voiceFlow{from: f.Src, to: f.Dst, first: c.now, source: source, next: sequence + 1, packets: 1}, nil)
		return
	}
	if v.source == source && sequence-v.next < 16 {
		v.packets++
	} else if v.packets < manyPackets {
		v.source, v.packets = source, 1
	}
	v.next = sequence + 1
}

// endVoice compares directions by address: a phone may send from another port than it hears on.
func (c *capture) endVoice() {
	heard := map[[2]netip.Addr]bool{}
	for _, v := range c.voice.all() {
		heard[[2]netip.Addr{v.from.Addr(), v.to.Addr()}] = true
	}
	for _, v := range c.voice.all() {
		if v.packets < manyPackets || heard[[2]netip.Addr{v.to.Addr(), v.from.Addr()}] {
			continue
		}
		c.tell(fact.CaptureOneWay, v.first, fmt.Sprintf("%s to %s: %d packets of voice, and none back", v.from, v.to, v.packets),
			"from", v.from.Addr().String(), "to", v.to.Addr().String(), "packets", strconv.Itoa(v.packets), "held", strconv.FormatBool(c.held))
	}
}
