package asa

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// Session is one session as `show vpn-sessiondb` tells it. An empty text is left out or written as the
// ASA writes what it does not know.
type Session struct {
	Username     string
	Index        uint64
	AssignedIP   string
	AssignedIPv6 string
	PublicIP     string
	GroupPolicy  string
	TunnelGroup  string
	Login        time.Time
	Duration     time.Duration
	Inactivity   time.Duration // since the last channel went; zero while there is one
	AuthMode     string        // userPassword, Certificate, or both
	Client       string        // user agent
	Filter       string
	IdleTimeout  time.Duration // zero: none
	Idle         time.Duration // since the last packet

	BytesTx, BytesRx, PktsTx, PktsRx uint64 // Tx is to the client
	PktsTxDrop, PktsRxDrop           uint64

	SSL, DTLS *Tunnel // nil while it is down
}

// Tunnel is a channel of a session.
type Tunnel struct {
	Cipher        string // OpenSSL's name, or Go's
	Encapsulation string // TLSv1.2, DTLSv1.2
	PublicIP      string
	SrcPort       string
	DstPort       string
}

// labelWidth is that of the left of each field, valueWidth that of a value with another field behind it.
const (
	labelWidth = 13
	valueWidth = 23
)

// table writes fields in one or two columns.
type table struct {
	b      []byte
	indent string
}

func (t *table) line(text string) { t.b = append(append(t.b, text...), '\n') }

// field writes one field on a line of its own.
func (t *table) field(label, value string) {
	t.b = fmt.Appendf(t.b, "%s%-*s: %s\n", t.indent, labelWidth, label, value)
}

// pair writes two fields side by side, or below each other where the first is too long.
func (t *table) pair(label, value, label2, value2 string) {
	if len(value) >= valueWidth {
		t.field(label, value)
		t.field(label2, value2)
		return
	}
	t.b = fmt.Appendf(t.b, "%s%-*s: %-*s%-*s: %s\n", t.indent, labelWidth, label, valueWidth, value, labelWidth, label2, value2)
}

// numbers is pair for counters.
func (t *table) numbers(label string, n uint64, label2 string, n2 uint64) {
	t.pair(label, fmt.Sprint(n), label2, fmt.Sprint(n2))
}

// NoSessions is what stands in the place of an empty list.
const NoSessions = "INFO: There are presently no active sessions of the type specified\n"

// Sessions is the output of `show vpn-sessiondb anyconnect`, or with detail of
// `show vpn-sessiondb detail anyconnect`.
func Sessions(sessions []Session, detail bool) string {
	if len(sessions) == 0 {
		return NoSessions
	}
	t := &table{}
	t.line("")
	t.line("Session Type: AnyConnect" + map[bool]string{true: " Detailed"}[detail])
	for i := range sessions {
		t.line("")
		t.session(&sessions[i], detail)
	}
	return string(t.b)
}

func (t *table) session(s *Session, detail bool) {
	t.pair("Username", s.Username, "Index", fmt.Sprint(s.Index))
	if s.AssignedIP == "" {
		t.field("Public IP", cmp.Or(s.PublicIP, "0.0.0.0"))
	} else {
		t.pair("Assigned IP", s.AssignedIP, "Public IP", cmp.Or(s.PublicIP, "0.0.0.0"))
	}
	if s.AssignedIPv6 != "" {
		t.field("Assigned IPv6", s.AssignedIPv6)
	}
	t.field("Protocol", "AnyConnect-Parent"+present(s.SSL, " SSL-Tunnel", "")+present(s.DTLS, " DTLS-Tunnel", ""))
	t.field("License", "none needed")
	t.field("Encryption", "AnyConnect-Parent: (1)none"+present(s.SSL, "  SSL-Tunnel: (1)%s", s.SSL.encryption())+present(s.DTLS, "  DTLS-Tunnel: (1)%s", s.DTLS.encryption()))
	t.field("Hashing", "AnyConnect-Parent: (1)none"+present(s.SSL, "  SSL-Tunnel: (1)%s", s.SSL.hashing())+present(s.DTLS, "  DTLS-Tunnel: (1)%s", s.DTLS.hashing()))
	t.numbers("Bytes Tx", s.BytesTx, "Bytes Rx", s.BytesRx)
	if detail {
		t.numbers("Pkts Tx", s.PktsTx, "Pkts Rx", s.PktsRx)
		t.numbers("Pkts Tx Drop", s.PktsTxDrop, "Pkts Rx Drop", s.PktsRxDrop)
	}
	t.pair("Group Policy", cmp.Or(s.GroupPolicy, "none"), "Tunnel Group", cmp.Or(s.TunnelGroup, "none"))
	t.field("Login Time", s.Login.Format("15:04:05 MST Mon Jan 2 2006"))
	t.field("Duration", Duration(s.Duration))
	t.field("Inactivity", Duration(s.Inactivity))
	t.pair("VLAN Mapping", "N/A", "VLAN", "none")
	t.field("Audt Sess ID", fmt.Sprintf("%016x%08x", s.Index, uint32(s.Login.Unix())))
	t.field("Security Grp", "none")
	if detail {
		t.tunnels(s)
	}
}

// present is text, with a cipher in it, if there is the tunnel.
func present(t *Tunnel, text, cipher string) string {
	switch {
	case t == nil:
		return ""
	case cipher == "":
		return text
	}
	return fmt.Sprintf(text, cipher)
}

func (t *table) tunnels(s *Session) {
	t.line("")
	t.line("AnyConnect-Parent Tunnels: 1")
	if s.SSL != nil {
		t.line("SSL-Tunnel Tunnels: 1")
	}
	if s.DTLS != nil {
		t.line("DTLS-Tunnel Tunnels: 1")
	}
	t.tunnel(s, 1, "AnyConnect-Parent", &Tunnel{PublicIP: s.PublicIP}, "AnyConnect")
	if s.SSL != nil {
		t.tunnel(s, 2, "SSL-Tunnel", s.SSL, "SSL VPN Client")
	}
	if s.DTLS != nil {
		t.tunnel(s, 3, "DTLS-Tunnel", s.DTLS, "DTLS VPN Client")
	}
}

func (t *table) tunnel(s *Session, number int, name string, tunnel *Tunnel, kind string) {
	t.line("")
	t.line(name + ":")
	t.indent = "  "
	defer func() { t.indent = "" }()
	t.field("Tunnel ID", fmt.Sprintf("%d.%d", s.Index, number))
	if number == 1 {
		t.field("Public IP", cmp.Or(tunnel.PublicIP, "0.0.0.0"))
	} else {
		t.pair("Assigned IP", s.AssignedIP, "Public IP", tunnel.PublicIP)
	}
	t.pair("Encryption", tunnel.encryption(), "Hashing", tunnel.hashing())
	if number > 1 {
		over := map[int]string{2: "TCP", 3: "UDP"}[number]
		t.pair("Encapsulation", tunnel.Encapsulation, over+" Src Port", tunnel.SrcPort)
		t.pair(over+" Dst Port", tunnel.DstPort, "Auth Mode", s.AuthMode)
	} else {
		t.field("Auth Mode", s.AuthMode)
	}
	if s.IdleTimeout > 0 {
		t.pair("Idle Time Out", minutes(s.IdleTimeout), "Idle TO Left", minutes(max(s.IdleTimeout-s.Idle, 0)))
	}
	t.field("Client Type", kind)
	t.field("Client Ver", s.Client)
	if number > 1 && s.Filter != "" {
		t.field("Filter Name", s.Filter)
	}
}

func minutes(d time.Duration) string { return fmt.Sprintf("%d Minutes", d/time.Minute) }

func (t *Tunnel) encryption() string {
	if t == nil || t.Cipher == "" {
		return "none"
	}
	size := "128"
	if strings.Contains(t.Cipher, "256") && !strings.Contains(t.Cipher, "AES128") && !strings.Contains(t.Cipher, "AES_128") {
		size = "256"
	}
	switch {
	case strings.Contains(t.Cipher, "CHACHA20"):
		return "CHACHA20"
	case strings.Contains(t.Cipher, "GCM"):
		return "AES-GCM-" + size
	}
	return "AES" + size
}

func (t *Tunnel) hashing() string {
	if t == nil || t.Cipher == "" {
		return "none"
	}
	for _, hash := range []string{"SHA384", "SHA256"} {
		if strings.HasSuffix(t.Cipher, hash) {
			return hash
		}
	}
	if t.encryption() == "CHACHA20" || strings.Contains(t.Cipher, "GCM") {
		return "SHA256" // of the suite, where the name does not say it
	}
	return "SHA1"
}

// Summary is what `show vpn-sessiondb summary` counts.
type Summary struct {
	Active, Inactive int // with a channel, and without
	Cumulative       uint64
	Peak             int
	SSL, DTLS        Channels
	Capacity         int // addresses
}

// Channels is how many channels of a kind there are and were.
type Channels struct {
	Active     int
	Cumulative uint64
	Peak       int
}

const (
	rule      = "---------------------------------------------------------------------------"
	shortRule = "                             ----------------------------------------------"
)

// String is the output of `show vpn-sessiondb summary`.
func (s Summary) String() string {
	t := &table{}
	t.line(rule)
	t.line("VPN Session Summary")
	t.line(rule)
	t.line("                               Active : Cumulative : Peak Concur : Inactive")
	t.line(shortRule)
	for _, name := range []string{"AnyConnect Client", "  SSL/TLS/DTLS"} {
		t.b = fmt.Appendf(t.b, "%-29s: %6d : %10d : %11d : %8d\n", name, s.Active, s.Cumulative, s.Peak, s.Inactive)
	}
	t.line(rule)
	t.b = fmt.Appendf(t.b, "%-29s: %6d             Total Cumulative : %d\n", "Total Active and Inactive", s.Active+s.Inactive, s.Cumulative)
	t.b = fmt.Appendf(t.b, "%-29s: %6d\n", "Device Total VPN Capacity", s.Capacity)
	t.b = fmt.Appendf(t.b, "%-29s: %5d%%\n", "Device Load", s.load())
	t.line(rule)
	t.line("")
	t.line(rule)
	t.line("Tunnels Summary")
	t.line(rule)
	t.line("                               Active : Cumulative : Peak Concurrent")
	t.line(shortRule)
	parent := Channels{s.Active + s.Inactive, s.Cumulative, s.Peak}
	for _, row := range []struct {
		name string
		Channels
	}{{"AnyConnect-Parent", parent}, {"SSL-Tunnel", s.SSL}, {"DTLS-Tunnel", s.DTLS}} {
		t.b = fmt.Appendf(t.b, "%-29s: %6d : %10d : %15d\n", row.name, row.Active, row.Cumulative, row.Peak)
	}
	t.line(rule)
	t.b = fmt.Appendf(t.b, "%-29s: %6d : %10d\n", "Totals", parent.Active+s.SSL.Active+s.DTLS.Active, parent.Cumulative+s.SSL.Cumulative+s.DTLS.Cumulative)
	t.line(rule)
	return string(t.b)
}

// load is how much of the capacity is in use, in percent, rounded up.
func (s Summary) load() int {
	if s.Capacity == 0 {
		return 0
	}
	return (100*(s.Active+s.Inactive) + s.Capacity - 1) / s.Capacity
}
