package read

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"fmt"
	"net/http"
	"net/netip"
	"net/textproto"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/wire/sdp"
	"github.com/longcord/longcord/wire/sip"
)

// maxHead bounds the head of a message of HTTP or SIP.
const maxHead = 64 << 10

// httpTalk is HTTP: of a file server, or of a gateway with the keys of its TLS.
type httpTalk struct {
	c       *capture
	flow    *tcpFlow
	gateway bool
	host    string // of the TLS hello
	asked   []request
	sides   [2]struct {
		buffer []byte
		body   int // bytes still to come
	}
	tunnel bool // no HTTP any more
	broken bool
}

type request struct {
	method, path, host, agent string
	dtls                      bool // it offers DTLS
	at                        moment
}

func (t *httpTalk) data(side int, b []byte) {
	s := &t.sides[side]
	for !t.tunnel && !t.broken && len(b) > 0 {
		if s.body > 0 {
			n := min(s.body, len(b))
			s.body, b = s.body-n, b[n:]
			continue
		}
		s.buffer = append(s.buffer, b...)
		b = nil
		head, rest, ok := bytes.Cut(s.buffer, []byte("\r\n\r\n"))
		if !ok {
			t.broken = len(s.buffer) > maxHead
			return
		}
		start, fields, ok := readHead(head)
		s.buffer = nil
		if !ok {
			t.broken = true
			return
		}
		s.body, _ = strconv.Atoi(fields.Get("Content-Length"))
		if side == fromClient {
			t.request(start, fields)
		} else {
			t.reply(start, fields)
		}
		b = rest
	}
}

// readHead takes start line and fields apart.
func readHead(head []byte) (start string, fields http.Header, ok bool) {
	line, rest, _ := bytes.Cut(head, []byte("\r\n"))
	read, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(append(bytes.Clone(rest), "\r\n\r\n"...)))).ReadMIMEHeader()
	return string(line), http.Header(read), err == nil || len(read) > 0
}

func (t *httpTalk) request(start string, fields http.Header) {
	words := strings.Fields(start)
	if len(words) < 2 || len(t.asked) > 100 {
		t.broken = true
		return
	}
	t.asked = append(t.asked, request{
		method: words[0], path: words[1], host: fields.Get("Host"), agent: fields.Get("User-Agent"), at: t.c.now,
		dtls: fields.Get("X-DTLS-CipherSuite") != "" || fields.Get("X-DTLS12-CipherSuite") != "",
	})
}

func (t *httpTalk) reply(start string, fields http.Header) {
	words := strings.SplitN(start, " ", 3)
	if len(words) < 2 || !strings.HasPrefix(words[0], "HTTP/1.") || len(t.asked) == 0 {
		t.broken = true
		return
	}
	asked := t.asked[0]
	t.asked = t.asked[1:]
	status := strings.Join(words[1:], " ")
	text := fmt.Sprintf("%s to %s: %s %s: %s", t.flow.client, t.flow.server, asked.method, asked.path, status)
	switch {
	case !t.gateway:
		t.file(asked, words[1], text)
	case asked.method == http.MethodConnect:
		t.connect(asked, words[1], status, fields, text)
	default:
		t.login(asked, words[1], fields, text)
	}
}

// file is an answer of a file server. Phones ask by GET /NAME, mostly on port 6970.
func (t *httpTalk) file(asked request, status, text string) {
	if service(t.flow.server.Port()) != "files" {
		return
	}
	name := asked.path[strings.LastIndexByte(asked.path, '/')+1:]
	values := []string{"name", name, "client", t.flow.client.Addr().String(), "server", t.flow.server.Addr().String()}
	switch status {
	case "200":
		t.c.tell(fact.FileSent, t.c.now, text, values...)
	case "404":
		t.c.tell(fact.FileMissing, t.c.now, text, values...)
	case "401", "403":
		t.c.tell(fact.FileDenied, t.c.now, text, append(values, "reason", "HTTP "+status)...)
	}
}

// login is an answer before the tunnel.
func (t *httpTalk) login(asked request, status string, fields http.Header, text string) {
	host := asked.host
	if host == "" {
		host = t.host
	}
	phone := strings.HasPrefix(asked.agent, "Cisco SVC IPPhone Client")
	cookie := strings.Contains(strings.Join(fields.Values("Set-Cookie"), ";"), "webvpn=")
	if phone {
		text += " (" + asked.agent + ")"
	}
	switch {
	case status == "404":
		t.c.tell(fact.ClientUnknownURL, t.c.now, text, "url", "https://"+host+asked.path, "status", status)
	case phone && !cookie && status[0] < '4':
		t.c.tell(fact.PhoneCookieMissing, t.c.now, text+", without a cookie webvpn")
	case status == "401" && asked.method == http.MethodPost:
		t.c.tell(fact.ClientLoginRefused, t.c.now, text)
	}
}

// connect is the answer to CONNECT: the tunnel and its settings, or why there is none.
func (t *httpTalk) connect(asked request, status, reason string, fields http.Header, text string) {
	if status != "200" {
		if why := fields.Get("X-Reason"); why != "" {
			reason = why
		}
		t.c.tell(fact.ClientRefused, t.c.now, text+" "+fields.Get("X-Reason"), "reason", reason)
		return
	}
	t.tunnel = true
	dtls := "in progress"
	port := fields.Get("X-DTLS-Port")
	if asked.dtls && port == "" {
		dtls = "disabled"
		t.c.tell(fact.ClientNoDTLS, t.c.now, text+", without X-DTLS fields")
	}
	t.c.tell(fact.ClientUp, t.c.now, text, "address", fields.Get("X-CSTP-Address"), "dtls", dtls)
	for _, network := range fields.Values("X-CSTP-Split-Include") {
		t.c.tell(fact.ClientSplit, t.c.now, "X-CSTP-Split-Include: "+network, "network", network)
	}
	if port != "" {
		t.c.tell(fact.ClientDTLSPort, t.c.now, "X-DTLS-Port: "+port, "port", port)
	}
}

func (t *httpTalk) closed(int) {}
func (t *httpTalk) over()      {}

// sipTalk is SIP over TCP.
type sipTalk struct {
	c       *capture
	flow    *tcpFlow
	buffers [2][]byte
	broken  bool
}

func (t *sipTalk) data(side int, b []byte) {
	buffer := append(t.buffers[side], b...)
	for !t.broken {
		buffer = bytes.TrimLeft(buffer, "\r\n") // keepalives
		head, rest, ok := bytes.Cut(buffer, []byte("\r\n\r\n"))
		if !ok {
			t.broken = len(buffer) > maxHead
			break
		}
		_, fields, _ := readHead(head)
		size, _ := strconv.Atoi(fields.Get("Content-Length"))
		if short := fields.Get("L"); size == 0 && short != "" {
			size, _ = strconv.Atoi(short)
		}
		if size < 0 || size > maxHead {
			t.broken = true
			break
		}
		if len(rest) < size {
			break
		}
		from, to := t.flow.client, t.flow.server
		if side == fromServer {
			from, to = to, from
		}
		t.c.sip(buffer[:len(head)+4+size], from, to)
		buffer = rest[size:]
	}
	t.buffers[side] = bytes.Clone(buffer)
}

func (t *sipTalk) closed(int) {}
func (t *sipTalk) over()      {}

// registration is a REGISTER, and what became of it.
type registration struct {
	line           string
	client, server netip.AddrPort
	first          moment
	asked, proved  int // requests; those with a password
	answered       bool
}

// sipStart reports whether bytes begin like a message of SIP.
func sipStart(b []byte) bool {
	line, _, _ := bytes.Cut(b[:min(len(b), 512)], []byte("\r\n"))
	return bytes.HasPrefix(line, []byte("SIP/2.0 ")) || bytes.HasSuffix(line, []byte(" SIP/2.0"))
}

// sip reads one message.
func (c *capture) sip(b []byte, from, to netip.AddrPort) {
	m, err := sip.Parse(b)
	if err != nil {
		return
	}
	if m.Method == sip.Register {
		c.register(m, from, to)
	}
	if tx, rx := m.Fields.Get(sip.TxStat), m.Fields.Get(sip.RxStat); tx != "" && rx != "" {
		c.statistics(tx, rx, from, to)
	}
	if len(m.Body) > 0 && strings.EqualFold(m.Fields.Get("Content-Type"), sdp.ContentType) {
		c.description(m, from)
	}
}

// statistics are what a phone says of a call that it ends.
func (c *capture) statistics(tx, rx string, from, to netip.AddrPort) {
	sent, err := sip.ParseRTPStat(tx)
	received, err2 := sip.ParseRTPStat(rx)
	if err == nil && err2 == nil {
		c.tell(fact.CallStatistics, c.now, fmt.Sprintf("%s to %s: it sent %d packets of voice and got %d", from, to, sent.Packets, received.Packets),
			"sent", strconv.Itoa(sent.Packets), "received", strconv.Itoa(received.Packets))
	}
}

func (c *capture) register(m *sip.Message, from, to netip.AddrPort) {
	id := m.Fields.Get("Call-ID")
	r, ok := c.registrations.get(id)
	if m.Status == 0 {
		if !ok {
			line, _ := sip.ParseAddress(m.Fields.Get("To"))
			r = &registration{line: line.URI.User, client: from, server: to, first: c.now}
			c.registrations.put(id, r, c.endRegistration)
		}
		r.asked++
		if m.Fields.Get("Authorization") != "" {
			r.proved++
		}
		c.contact(m, r.line, from)
		return
	}
	if !ok {
		return
	}
	r.answered = true
	text := fmt.Sprintf("%s to %s: REGISTER of %s: %d %s", to, from, r.line, m.Status, m.Reason)
	values := []string{"line", r.line, "client", to.Addr().String()}
	refused := func(cause, reason string) {
		c.tell(fact.RegistrarRefused, c.now, text, append(values, "program", "the call manager "+from.Addr().String(), "cause", cause, "reason", reason)...)
	}
	switch {
	case m.Status >= 200 && m.Status < 300:
		c.tell(fact.RegistrarRegistered, c.now, text, values...)
	case m.Status == 401 || m.Status == 407: // the first asks for the password
		if r.proved > 0 && !strings.Contains(strings.ToLower(m.Fields.Get("WWW-Authenticate")+m.Fields.Get("Proxy-Authenticate")), "stale=true") {
			refused("other", fmt.Sprintf("it answers %d to the password: that is wrong, or nobody may register so from there", m.Status))
		}
	case m.Status == 404:
		refused("unknown", "it answers 404")
	case m.Status >= 400 && m.Status != 423: // 423 wants another time
		refused("other", fmt.Sprintf("it answers %d %s", m.Status, m.Reason))
	}
}

// contact compares the address that a phone names with that which it is seen from. Behind a proxy it is another's.
func (c *capture) contact(m *sip.Message, line string, from netip.AddrPort) {
	if len(m.Fields.All("Via")) != 1 || strings.Contains(m.Fields.Get("Via"), ",") {
		return
	}
	contact, err := sip.ParseAddress(m.Fields.Get("Contact"))
	if err != nil {
		return
	}
	named, err := netip.ParseAddr(contact.URI.Host)
	if err == nil && named != from.Addr() {
		c.tell(fact.CaptureTranslated, c.now, fmt.Sprintf("%s: REGISTER of %s names %s as its Contact", from, line, named),
			"line", line, "named", named.String(), "seen", from.Addr().String(), "in", "Contact")
	}
}

// description notes holds, and addresses for voice that are not of who sends them.
func (c *capture) description(m *sip.Message, from netip.AddrPort) {
	d, err := sdp.Parse(m.Body)
	if err != nil {
		return
	}
	if d.Direction != sdp.SendRecv && d.Direction != "" || !d.Media.Addr().IsValid() || d.Media.Addr().IsUnspecified() {
		c.held = true
		return
	}
	if m.Status != 0 || len(m.Fields.All("Via")) != 1 { // others may answer for a phone
		return
	}
	if named := d.Media.Addr(); named != from.Addr() {
		line, _ := sip.ParseAddress(m.Fields.Get("From"))
		c.tell(fact.CaptureTranslated, c.now, fmt.Sprintf("%s: %s of %s asks for voice at %s", from, m.Method, line.URI.User, d.Media),
			"line", line.URI.User, "named", named.String(), "seen", from.Addr().String(), "in", "SDP")
	}
}

func (c *capture) endRegistration(r *registration) {
	if !r.answered && r.asked >= unanswered {
		c.noAnswer(r.first, r.client.Addr(), r.server, "SIP REGISTER", "timeout", r.asked)
	}
}

// SCCP: length, version and message number, 4 bytes each, the lowest first; the length counts from the number on.
// documented: Wireshark's dissector
const (
	portSCCP           = 2000
	maxSCCP            = 4096
	sccpRegister       = 0x0001
	sccpRegisterAck    = 0x0081
	sccpRegisterReject = 0x009d
)

// sccpTalk is SCCP.
type sccpTalk struct {
	c       *capture
	flow    *tcpFlow
	buffers [2][]byte
	broken  bool
	asked   moment // REGISTER; none: number is 0
	device  string
	settled bool
}

func (t *sccpTalk) data(side int, b []byte) {
	buffer := append(t.buffers[side], b...)
	for !t.broken && len(buffer) >= 12 {
		size := int(binary.LittleEndian.Uint32(buffer))
		if size < 4 || size > maxSCCP {
			t.broken = true
			break
		}
		if len(buffer) < 8+size {
			break
		}
		t.message(binary.LittleEndian.Uint32(buffer[8:]), buffer[12:8+size])
		buffer = buffer[8+size:]
	}
	t.buffers[side] = bytes.Clone(buffer)
}

func (t *sccpTalk) message(number uint32, body []byte) {
	client := t.flow.client.Addr().String()
	switch number {
	case sccpRegister:
		if t.asked, t.settled = t.c.now, false; len(body) >= 16 {
			t.device = cString(body[:16])
		}
	case sccpRegisterAck:
		t.settled = true
		t.c.tell(fact.RegistrarRegistered, t.c.now, fmt.Sprintf("%s to %s: SCCP takes the registration of %s", t.flow.server, t.flow.client, t.device), "line", t.device, "client", client)
	case sccpRegisterReject:
		t.settled = true
		reason := cString(body)
		t.c.tell(fact.RegistrarRefused, t.c.now, fmt.Sprintf("%s to %s: SCCP refuses the registration of %s: %s", t.flow.server, t.flow.client, t.device, reason),
			"line", t.device, "client", client, "program", "the call manager "+t.flow.server.Addr().String(), "cause", "other", "reason", "it says \""+reason+"\"")
	}
}

// closed: who closes instead of answering refuses without a word.
func (t *sccpTalk) closed(side int) {
	if side == fromServer && t.asked.number > 0 && !t.settled {
		t.settled = true
		t.c.tell(fact.RegistrarRefused, t.c.now, fmt.Sprintf("%s to %s: closed without an answer to the registration of %s", t.flow.server, t.flow.client, t.device),
			"line", t.device, "client", t.flow.client.Addr().String(), "program", "the call manager "+t.flow.server.Addr().String(), "cause", "other", "reason", "it closes the connection without an answer")
	}
}

func (t *sccpTalk) over() {}

// cString returns text up to its zero byte.
func cString(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return strings.ToValidUTF8(string(b), "?")
}
