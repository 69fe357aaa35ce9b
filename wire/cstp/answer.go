package cstp

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// SessionIDLen is the length in bytes of the id that a client puts into its DTLS ClientHello.
const SessionIDLen = 32

// Values of RekeyMethod.
const (
	RekeyNone      = "none"
	RekeyNewTunnel = "new-tunnel" // the client opens a new TLS connection and CONNECTs with its cookie
	RekeySSL       = "ssl"        // the client renegotiates TLS
)

// Answer is the gateway's "200 CONNECTED": what the session gets. A duration of zero means off, or no
// limit.
type Answer struct {
	Hostname     string         // the client's name, or a hint for it
	Address      netip.Addr     // inner IPv4 address
	Netmask      netip.Addr     // of the network that Address is from
	Address6     netip.Prefix   // inner IPv6 address; only for a client that said FullIPv6
	DNS          []netip.Addr   // at most 3, in order of preference
	NBNS         []netip.Addr   // at most 3
	Domain       string         // X-CSTP-Default-Domain
	SplitDNS     []string       // domains asked inside; none: all
	SplitInclude []netip.Prefix // networks inside; none: everything
	SplitExclude []netip.Prefix // networks outside
	TunnelAllDNS bool
	Bypass       bool   // X-CSTP-Client-Bypass-Protocol: a family without address may go around the tunnel
	Banner       string // shown to the user; percent escapes on the wire

	DPD                 time.Duration
	Keepalive           time.Duration
	LeaseDuration       time.Duration
	IdleTimeout         time.Duration
	SessionTimeout      time.Duration
	SessionRemaining    time.Duration // of SessionTimeout, which began at the login
	DisconnectedTimeout time.Duration // how long the session may be without a channel
	RekeyTime           time.Duration
	RekeyMethod         string // RekeyNone and so on; empty: not said
	Keep                bool
	TCPKeepalive        bool
	SmartcardRemoval    bool   // X-CSTP-Smartcard-Removal-Disconnect
	License             string // "accept"

	DTLS    DTLSAnswer
	BaseMTU int // bytes of a packet between client and gateway
	MTU     int // bytes of a packet inside; openconnect insists on it and takes the larger of both MTUs

	Other []Header // X- headers without a field, as they came
}

// DTLSAnswer is the part of an Answer that concerns the DTLS channel. Without a Port there is none.
type DTLSAnswer struct {
	SessionID     []byte // SessionIDLen bytes; nil where AppID is
	AppID         []byte // likewise, for a handshake with a pre-shared key
	Port          int    // UDP; phones use 443 whatever stands here
	DPD           time.Duration
	Keepalive     time.Duration
	RekeyTime     time.Duration
	RekeyMethod   string
	CipherSuite   string // chosen name of X-DTLS-CipherSuite, or
	CipherSuite12 string // chosen name of X-DTLS12-CipherSuite
	MTU           int
}

var answerFields = []field[Answer]{
	always[Answer]("X-CSTP-Version", "1"),
	text("X-CSTP-Hostname", func(a *Answer) *string { return &a.Hostname }),
	address("X-CSTP-Address", func(a *Answer) *netip.Addr { return &a.Address }),
	{"X-CSTP-Netmask", netmaskLine, readNetmask},
	{"X-CSTP-Address-IP6", address6Line, readAddress6},
	addresses("X-CSTP-DNS", netip.Addr.Is4, func(a *Answer) *[]netip.Addr { return &a.DNS }),
	addresses("X-CSTP-DNS-IP6", netip.Addr.Is6, func(a *Answer) *[]netip.Addr { return &a.DNS }),
	addresses("X-CSTP-NBNS", netip.Addr.Is4, func(a *Answer) *[]netip.Addr { return &a.NBNS }),
	text("X-CSTP-Default-Domain", func(a *Answer) *string { return &a.Domain }),
	texts("X-CSTP-Split-DNS", func(a *Answer) *[]string { return &a.SplitDNS }),
	networks("X-CSTP-Split-Include", func(a *Answer) *[]netip.Prefix { return &a.SplitInclude }),
	networks6("X-CSTP-Split-Include-IP6", func(a *Answer) *[]netip.Prefix { return &a.SplitInclude }),
	networks("X-CSTP-Split-Exclude", func(a *Answer) *[]netip.Prefix { return &a.SplitExclude }),
	networks6("X-CSTP-Split-Exclude-IP6", func(a *Answer) *[]netip.Prefix { return &a.SplitExclude }),
	statement("X-CSTP-Tunnel-All-DNS", func(a *Answer) *bool { return &a.TunnelAllDNS }),
	statement("X-CSTP-Client-Bypass-Protocol", func(a *Answer) *bool { return &a.Bypass }),
	escaped("X-CSTP-Banner", func(a *Answer) *string { return &a.Banner }),
	seconds("X-CSTP-DPD", func(a *Answer) *time.Duration { return &a.DPD }),
	seconds("X-CSTP-Keepalive", func(a *Answer) *time.Duration { return &a.Keepalive }),
	seconds("X-CSTP-Lease-Duration", func(a *Answer) *time.Duration { return &a.LeaseDuration }),
	limit("X-CSTP-Idle-Timeout", func(a *Answer) *time.Duration { return &a.IdleTimeout }),
	limit("X-CSTP-Session-Timeout", func(a *Answer) *time.Duration { return &a.SessionTimeout }),
	seconds("X-CSTP-Session-Timeout-Remaining", func(a *Answer) *time.Duration { return &a.SessionRemaining }),
	limit("X-CSTP-Disconnected-Timeout", func(a *Answer) *time.Duration { return &a.DisconnectedTimeout }),
	rekeyTime("X-CSTP-Rekey-Time", func(a *Answer) (*time.Duration, *string) { return &a.RekeyTime, &a.RekeyMethod }),
	text("X-CSTP-Rekey-Method", func(a *Answer) *string { return &a.RekeyMethod }),
	statement("X-CSTP-Keep", func(a *Answer) *bool { return &a.Keep }),
	statement("X-CSTP-TCP-Keepalive", func(a *Answer) *bool { return &a.TCPKeepalive }),
	statement("X-CSTP-Smartcard-Removal-Disconnect", func(a *Answer) *bool { return &a.SmartcardRemoval }),
	text("X-CSTP-License", func(a *Answer) *string { return &a.License }),
	id("X-DTLS-Session-ID", func(a *Answer) *[]byte { return &a.DTLS.SessionID }),
	id("X-DTLS-App-ID", func(a *Answer) *[]byte { return &a.DTLS.AppID }),
	number("X-DTLS-Port", func(a *Answer) *int { return &a.DTLS.Port }),
	seconds("X-DTLS-DPD", func(a *Answer) *time.Duration { return &a.DTLS.DPD }),
	seconds("X-DTLS-Keepalive", func(a *Answer) *time.Duration { return &a.DTLS.Keepalive }),
	rekeyTime("X-DTLS-Rekey-Time", func(a *Answer) (*time.Duration, *string) { return &a.DTLS.RekeyTime, &a.DTLS.RekeyMethod }),
	text("X-DTLS-Rekey-Method", func(a *Answer) *string { return &a.DTLS.RekeyMethod }),
	text(dtls.CipherSuite.String(), func(a *Answer) *string { return &a.DTLS.CipherSuite }),
	text(dtls.CipherSuite12.String(), func(a *Answer) *string { return &a.DTLS.CipherSuite12 }),
	number("X-DTLS-MTU", func(a *Answer) *int { return &a.DTLS.MTU }),
	number("X-CSTP-Base-MTU", func(a *Answer) *int { return &a.BaseMTU }),
	number("X-CSTP-MTU", func(a *Answer) *int { return &a.MTU }),
}

func netmaskLine(a *Answer) []string {
	if !a.Netmask.IsValid() {
		return nil
	}
	return []string{a.Netmask.String()}
}

func readNetmask(a *Answer, s string) error {
	if strings.Contains(s, ":") {
		return errOther // the partner of an IPv6 X-CSTP-Address
	}
	mask, err := netip.ParseAddr(s)
	if err != nil {
		return fmt.Errorf("%q is not a netmask", s)
	}
	if _, err := maskBits(mask); err != nil {
		return err
	}
	a.Netmask = mask
	return nil
}

func address6Line(a *Answer) []string {
	if !a.Address6.IsValid() {
		return nil
	}
	return []string{a.Address6.String()}
}

func readAddress6(a *Answer, s string) (err error) {
	if a.Address6, err = netip.ParsePrefix(s); err != nil || !a.Address6.Addr().Is6() {
		return fmt.Errorf("%q is not an IPv6 address with prefix length", s)
	}
	return nil
}

// rekeyTime is written as zero, not left out, when a method is said.
func rekeyTime(name string, at func(*Answer) (*time.Duration, *string)) field[Answer] {
	f := seconds(name, func(a *Answer) *time.Duration { t, _ := at(a); return t })
	f.get = func(a *Answer) []string {
		t, method := at(a)
		if *t == 0 && *method == "" {
			return nil
		}
		return []string{strconv.FormatInt(int64(*t/time.Second), 10)}
	}
	return f
}

// id is a header with the hex digits of an id for the ClientHello.
func id(name string, at func(*Answer) *[]byte) field[Answer] {
	return field[Answer]{name,
		func(a *Answer) []string { return unlessEmpty(hex.EncodeToString(*at(a))) },
		func(a *Answer, s string) error {
			id, err := hex.DecodeString(s)
			if err != nil || len(id) != SessionIDLen {
				return fmt.Errorf("%q is not %d hex digits", s, 2*SessionIDLen)
			}
			*at(a) = id
			return nil
		},
	}
}

// Prefix returns the inner IPv4 address with the length of its netmask; without a netmask that is 32.
// Without an address it is not valid.
func (a Answer) Prefix() netip.Prefix {
	bits := 32
	if a.Netmask.IsValid() {
		bits, _ = maskBits(a.Netmask)
	}
	return netip.PrefixFrom(a.Address, bits)
}

// SetPrefix sets Address and Netmask.
func (a *Answer) SetPrefix(p netip.Prefix) {
	a.Address, a.Netmask = p.Addr(), maskOf(p.Bits())
}

// PSK reports whether the DTLS channel is to come up by a handshake with a pre-shared key, for which AppID
// stands in its ClientHello.
func (d DTLSAnswer) PSK() bool {
	return d.Port != 0 && len(d.AppID) == SessionIDLen && d.CipherSuite == dtls.PSKNegotiate
}

// Suite returns what the DTLS channel is to resume. It is false when there is to be none, or a kind that
// package dtls does not know.
func (d DTLSAnswer) Suite() (dtls.Version, dtls.Suite, bool) {
	if d.Port == 0 || len(d.SessionID) != SessionIDLen {
		return 0, 0, false
	}
	if d.CipherSuite12 != "" {
		return dtls.SuiteByName(dtls.CipherSuite12, d.CipherSuite12)
	}
	return dtls.SuiteByName(dtls.CipherSuite, d.CipherSuite)
}

// String returns the answer on one line.
func (a Answer) String() string {
	s := fmt.Sprintf("200 CONNECTED %v, mtu %d, dpd %v, keepalive %v", a.Prefix(), a.MTU, a.DPD, a.Keepalive)
	if a.DTLS.Port == 0 {
		return s + ", no dtls"
	}
	return fmt.Sprintf("%s, dtls port %d %s%s mtu %d", s, a.DTLS.Port, a.DTLS.CipherSuite, a.DTLS.CipherSuite12, a.DTLS.MTU)
}

// AppendBinary appends the answer as it stands on the wire, in the spelling that clients compare with
// case. Frames follow directly. It refuses values that hold a line break.
func (a Answer) AppendBinary(dst []byte) ([]byte, error) {
	dst = append(dst, "HTTP/1.1 200 CONNECTED\r\n"...)
	return write(dst, &a, answerFields, a.Other)
}

// ParseAnswer reads the gateway's reply to a CONNECT from its first line to its empty line, with header
// names in any case. When the gateway refuses, the error is a *Refusal.
func ParseAnswer(head []byte) (Answer, error) {
	first, headers, err := splitHead(head)
	if err != nil {
		return Answer{}, err
	}
	status, err := parseStatus(first)
	if err != nil {
		return Answer{}, err
	}
	if status.Status != 200 {
		return Answer{}, refusalOf(status, headers)
	}
	var a Answer
	if a.Other, err = read(&a, answerFields, headers); err != nil {
		return Answer{}, err
	}
	return a, nil
}
