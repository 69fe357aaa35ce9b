package read

import (
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/ocserv"
)

// ocservKeys are the settings that are looked at. True: no other program that people send has a setting of that name,
// so it says whose file this is.
var ocservKeys = map[string]bool{
	"tcp-port": true, "udp-port": true, "socket-file": true, "run-as-user": true, "run-as-group": true, "isolate-workers": true,
	"cisco-client-compat": true, "cisco-svc-client-compat": true, "dtls-legacy": true, "dtls-psk": true, "tls-priorities": true,
	"ipv4-network": true, "ipv4-netmask": true, "ipv6-network": true, "predictable-ips": true, "ping-leases": true,
	"max-same-clients": true, "mobile-idle-timeout": true, "mobile-dpd": true, "switch-to-tcp-timeout": true, "try-mtu-discovery": true,
	"cookie-timeout": true, "cert-user-oid": true, "cert-group-oid": true, "select-group": true, "select-group-by-url": true,
	"default-select-group": true, "auto-select-group": true, "max-ban-score": true, "ban-reset-time": true, "min-reauth-time": true,
	"ban-points-wrong-password": true, "match-tls-dtls-ciphers": true, "client-bypass-protocol": true, "enable-auth": true,
	"server-cert": true, "server-key": true, "use-occtl": true, "rekey-method": true, "explicit-ipv4": true,
	"auth": false, "route": false, "no-route": false, "dns": false, "mtu": false, "dpd": false, "keepalive": false, "idle-timeout": false,
	"session-timeout": false, "max-clients": false, "device": false, "auth-timeout": false,
}

// maxHeldSettings bounds the settings that wait for one that says whose they are.
const maxHeldSettings = 64

// ocserv.conf. A setting that other programs have as well counts once another line has said that this is ocserv's.
var _ = recognise(Recogniser{
	Format: "ocserv.conf", Follows: true, Platform: finding.Ocserv,
	New: func(in *fact.Input) Reader { return &ocservConf{in: in} },
})

type ocservConf struct {
	in    *fact.Input
	sure  bool
	last  int // the line that was last ours
	vhost string
	held  []heldSetting

	network, mask string // of the pool
	pool          Line   // where it stands; none: Number is 0
}

type heldSetting struct {
	ocserv.Setting
	line Line
}

func (r *ocservConf) Line(l Line) bool {
	s, err := ocserv.ParseLine(l.Raw)
	if err != nil {
		return false
	}
	near := r.sure && r.last == l.Number-1
	own, known := ocservKeys[s.Key]
	switch {
	case s.VHost != "":
		r.vhost, near = s.VHost, true
	case s.Key == "", !known && near: // comments and other settings within the file
		if near {
			r.last = l.Number
		}
		return near
	case !known:
		return false
	case s.Key == "auth" && ocservAuth(s.Value):
		own = true
	}
	if own && !r.sure {
		r.sure = true
		for _, h := range r.held {
			r.add(h.Setting, h.line)
		}
		r.held = nil
	}
	s.VHost = r.vhost
	if s.Key != "" {
		if !r.sure {
			if len(r.held) < maxHeldSettings {
				r.held = append(r.held, heldSetting{s, l})
			}
			return false
		}
		r.add(s, l)
	}
	r.last = l.Number
	return true
}

// ocservAuth reports whether a value is one of ocserv's ways to log in.
func ocservAuth(value string) bool {
	way, _, _ := strings.Cut(value, "[")
	switch way {
	case "plain", "pam", "radius", "certificate", "gssapi", "oidc":
		return true
	}
	return false
}

func (r *ocservConf) add(s ocserv.Setting, l Line) {
	values := []string{"key", s.Key, "value", s.Value}
	if s.VHost != "" {
		values = append(values, "vhost", s.VHost)
	}
	switch s.Key {
	case "ipv4-network":
		r.network, r.pool = s.Value, l
	case "ipv4-netmask":
		r.mask = s.Value
	}
	r.in.Add(fact.OcservSetting, l.Number, l.Raw, time.Time{}, values...)
}

// End names the pool, whose network and mask stand in two settings.
func (r *ocservConf) End() {
	if r.pool.Number > 0 {
		network := r.network
		if mask := net.ParseIP(r.mask).To4(); mask != nil && !strings.Contains(network, "/") {
			ones, _ := net.IPMask(mask).Size()
			network = fmt.Sprintf("%s/%d", network, ones)
		}
		r.in.Add(fact.GatewayPool, r.pool.Number, r.pool.Raw, time.Time{}, "network", network, "name", "ipv4-network")
	}
}
