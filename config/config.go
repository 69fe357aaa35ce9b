// Package config reads longcord.yaml: where this machine stands in the network and where its files are.
// What operators change daily (phones, lines, users, policies) is inventory, not configuration.
//
// Find chooses the file, Load reads it, strictly; example.yaml is made of the comments below. Mapping
// the values onto the parts of the system is the command line's work.
package config

import (
	"net/netip"
	"time"
)

// Config is the configuration file. Paths in it are relative to the file; after Load they are absolute.
type Config struct {
	// Folder for what must survive: the store and master.key, which seals private keys and secrets in
	// it. Back it up, and keep master.key apart from the backup.
	State string `json:"state"`
	// Local socket over which the command line speaks to the running system. It belongs to the group
	// "longcord" where that exists; who may open it may do everything. Left out: longcord.sock
	// beside this file.
	Socket string `json:"socket,omitempty"`
	// Inventory file that an empty store is filled from at the first start. Later "longcord apply"
	// changes what the store holds.
	Inventory string `json:"inventory"`
	// Address of this machine inside: phones fetch their files from it and register at it.
	Inside netip.Addr `json:"inside"`
	// Address of this machine outside, where phones reach the gateway (behind a router that forwards
	// ports: the address they are forwarded to). It may be the same as inside for a trial.
	Outside netip.Addr `json:"outside"`
	// A second address outside, IPv6, for names that have both; the same ports are opened there. Phones
	// have no use for it: their VPN client knows IPv4 only. Left out: none.
	Outside6 netip.Addr `json:"outside6,omitzero"`
	// How much is logged: error, warn, info, debug, or trace, which shows SIP messages, one line each.
	LogLevel Level `json:"logLevel,omitempty"`

	Provisioner Provisioner `json:"provisioner,omitzero"`
	Gateway     Gateway     `json:"gateway,omitzero"`
	Calls       Calls       `json:"calls,omitzero"`

	Certificates Certificates `json:"certificates,omitzero"`
}

// Provisioner hands phones their files, by TFTP on port 69, HTTP on port 6970 and HTTPS on port 6971.
type Provisioner struct {
	// Folder that is served as it is, beside the files made from the inventory: firmware, rings, locales.
	// Left out: none.
	Files string `json:"files,omitempty"`
	// A second address at which phones fetch their files, one that no home uses: this machine gives it to
	// itself, and the office's router leads it to the inside address. It belongs into both TFTP fields of
	// phones that go home: a home that has the inside address for itself misleads none of them then. Left
	// out: the inside address alone.
	Address netip.Addr `json:"address,omitzero"`
	// Networks of the office, where whoever asks gets any phone's file, as with the vendor's own servers.
	// A phone in a tunnel is never one of them: it gets its own files. Left out: the network of the inside
	// address. [] hands out files in tunnels and to certificates only.
	OfficeNetworks []netip.Prefix `json:"officeNetworks,omitempty"`
	// Networks of the machines at which operators look at phones' files, wherever those are.
	Operators []netip.Prefix `json:"operators,omitempty"`
	// Whether a file that went to an address behind a router counts as fetched by its phone. It matters for
	// phones that register at a PBX, where nobody here sees which file they took: on its own networks this
	// machine sees by the MAC address whether the phone asks or somebody else; behind a router all look the
	// same. true: you trust that nobody but phones asks there.
	CountRouted bool `json:"countRouted,omitempty"`
}

// Gateway is where the phones' tunnels end. Phones send DTLS to UDP port 443 and nowhere else.
type Gateway struct {
	// TCP port of the gateway. It must be the one in the group URLs, unless a router in front of the
	// gateway forwards another.
	Port uint16 `json:"port,omitempty"`
	// More TCP ports, for group URLs that name them, each with the certificate of the VPNGateway that has that
	// URL: two certificates side by side while phones change from one to the other. DTLS stays on UDP 443.
	MorePorts []uint16 `json:"morePorts,omitempty"`
	// Name of the packet interface that tunnels end in.
	TUN string `json:"tun,omitempty"`
	// How long a packet may wait for others while many come, at most 1ms. Packets that are carried together
	// cost the gateway a fraction of what each costs alone; in thin traffic none waits. 0s: none ever does.
	BatchDelay Duration `json:"batchDelay,omitempty"`
	// Networks of proxies in front of the gateway, whose TCP connections begin with the client's address:
	// PROXY protocol, version 1 or 2. Each of their connections must. DTLS does not come by a proxy.
	ProxyProtocol []netip.Prefix `json:"proxyProtocol,omitempty"`
	// Routers inside, at most one IPv4 and one IPv6 address, that get what came out of a tunnel and has no
	// better route than a default one; this machine's own default route stays what it is. On the ASA:
	// route inside 0 0 ADDRESS tunneled. Left out: tunnels use this machine's routes alone.
	TunneledDefaultRoute []netip.Addr `json:"tunneledDefaultRoute,omitempty"`

	// Whether "longcord sessions capture" may look into tunnels, where people talk. Each use is logged.
	AllowCapture bool `json:"allowCapture,omitempty"`

	Syslog Syslog `json:"syslog,omitzero"`
}

// Syslog is a collector that hears what happens to logins and sessions, in the numbers and words of
// Cisco's ASA.
type Syslog struct {
	// HOST:PORT of the collector; usual ports are 514 for UDP and 1470 for TCP. Empty: no syslog.
	Server string `json:"server,omitempty"`
	// udp or tcp. By neither does a login or a packet wait for the collector.
	Protocol string `json:"protocol,omitempty"`
	// Facility number, 0 to 23; the ASA's own choice is 20, local4.
	Facility int `json:"facility,omitempty"`
}

// Calls are connected here, or by the PBX you have.
type Calls struct {
	// own: phones register here, by SIP on port 5060 and by SCCP on 2000. aside: phones register at the servers below, and
	// no call port is opened here.
	Mode Mode `json:"mode,omitempty"`
	// Call managers that phones are sent to in mode aside, HOST or HOST:PORT, at most three, in order.
	Servers []string `json:"servers,omitempty"`
}

// Certificates of gateways are changed without keeping a phone out.
type Certificates struct {
	// Days before its end at which a gateway's certificate is changed by itself, to the finished spare that
	// phones know already; of a short one, at most a third of its life. 0: only "longcord certs rollover"
	// changes it.
	RenewBefore int `json:"renewBefore,omitempty"`
	// Days for which a certificate stays in phones' files after another has taken its place by itself.
	KeepFor int `json:"keepFor,omitempty"`

	ACME ACME `json:"acme,omitzero"`
}

// ACME is an authority that issues gateways' certificates by RFC 8555, such as Let's Encrypt. It connects
// to port 443 of the gateway to see that the name is ours (tls-alpn-01).
type ACME struct {
	// URL of the authority's directory, such as https://acme-v02.api.letsencrypt.org/directory. With it you
	// agree to the authority's terms. Empty: gateways' certificates are made here.
	Directory string `json:"directory,omitempty"`
	// Whom the authority may write to. May be empty.
	Email string `json:"email,omitempty"`
	// VPNGateways that get their certificates from it. Left out: all whose key is here.
	Gateways []string `json:"gateways,omitempty"`
}

// Mode says who connects calls.
type Mode string

// The modes of Calls.
const (
	Own   Mode = "own"
	Aside Mode = "aside"
)

// defaults are the values of what a file leaves out.
func defaults() Config {
	return Config{
		LogLevel:    "info",
		Provisioner: Provisioner{Operators: []netip.Prefix{}},
		Gateway: Gateway{
			Port: 443, MorePorts: []uint16{}, TUN: "longcord0", BatchDelay: Duration{750 * time.Microsecond}, ProxyProtocol: []netip.Prefix{}, TunneledDefaultRoute: []netip.Addr{},
			Syslog: Syslog{Protocol: "udp", Facility: 20},
		},
		Calls:        Calls{Mode: Own},
		Certificates: Certificates{RenewBefore: 90, KeepFor: 30, ACME: ACME{Gateways: []string{}}},
	}
}
