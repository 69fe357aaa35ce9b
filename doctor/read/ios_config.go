package read

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Running configuration of IOS with CME: what phones are told of their VPN, and IOS's own SSL VPN. Lines count by
// their words and not by their indentation, which examples often lose.
var _ = recognise(Recogniser{
	Format: "IOS configuration", Follows: true, Platform: finding.IOS,
	New: func(in *fact.Input) Reader { return &iosReader{in: in} },
})

type iosReader struct {
	in     *fact.Input
	router string
	begun  bool // the beginning of a whole configuration was there
	whole  bool // and its end
	active bool
	block  string // what stands open: voice service, vpn-group, vpn-profile, phone, telephony, register, gateway, context
	name   string // of that block
	phone  map[string]string
	at     Line
}

var (
	iosPrompt = compile(`^([0-9A-Za-z._-]+) ?\((conf[0-9A-Za-z-]*)\) ?# ?`)
	iosBegins = compile(`^(?:Building configuration\.\.\.|Current configuration *: *\d+ bytes|version 1[2-9]\.\d+\s*$|! Last configuration change at )`)
	iosAsks   = compile(`^[0-9A-Za-z._-]+[#>] ?(?:show|debug|undebug|terminal|clear|more|ping|conf|exit)\b`)
	iosMAC    = compile(`^[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}$`)
)

func (r *iosReader) Line(l Line) bool {
	text := l.Raw
	prompted := false
	if m := iosPrompt.FindStringSubmatch(text); m != nil {
		text, prompted = text[len(m[0]):], true
	}
	text = strings.TrimSpace(text)
	if iosBegins.MatchString(text) {
		r.begun, r.active = true, true
		return true
	}
	if !r.active && (r.whole || !r.begun) && r.block == "" && !iosOpens[firstWord(text)] {
		return false // nearly every line of a log
	}
	words := strings.Fields(text)
	switch {
	case len(words) == 0 || text == "!":
		return r.active
	case text == "end" && r.active:
		r.whole, r.active = r.begun, false
		r.leave()
		return true
	case iosAsks.MatchString(text):
		r.leave()
		r.active = false
		return false
	case strings.IndexByte("*.[<", text[0]) >= 0 || strings.Contains(text, ": %") || strings.Contains(text, "%ASA-"):
		return false // of a log
	}
	if r.active && poolLine(r.in, l) {
		return true
	}
	if r.opens(l, words) || r.block != "" && r.setting(l, words) {
		r.active = true
		return true
	}
	if r.block != "" && (text == l.Raw || prompted) && iosTop[words[0]] {
		r.leave()
	}
	if words[0] == "hostname" && r.active && len(words) == 2 {
		r.router = words[1]
	}
	r.active = r.begun && !r.whole || r.active && (text != l.Raw || iosTop[words[0]] || prompted)
	return r.active
}

// iosTop are words that begin commands of their own, so that the block before them ends.
var iosTop = wordsOf(`aaa archive banner boot class-map clock control-plane controller crypto dial-peer enable ephone-dn ephone-template gateway hostname interface ip
	line logging mgcp no ntp policy-map privilege radius-server redundancy route-map router sccp scheduler service sip-ua snmp-server spanning-tree tftp-server
	username version vlan voice voice-card webvpn`)

// iosOpens are words that begin what opens a block.
var iosOpens = wordsOf("ephone telephony-service voice vpn-gateway vpn-group vpn-profile webvpn")

func firstWord(text string) string {
	if i := strings.IndexFunc(text, unicode.IsSpace); i >= 0 {
		return text[:i]
	}
	return text
}

func wordsOf(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// opens takes a command that opens a block which concerns phones.
func (r *iosReader) opens(l Line, w []string) bool {
	is := func(words ...string) bool { return len(w) >= len(words) && slices.Equal(w[:len(words)], words) }
	switch {
	case is("voice", "service", "voip"):
		r.enter("voice service", "")
	case is("telephony-service"):
		r.enter("telephony", "telephony-service")
	case is("voice", "register", "global"):
		r.enter("register", "voice register global")
	case is("voice", "register", "pool") && len(w) > 3, is("ephone") && len(w) == 2:
		r.enter("phone", strings.Join(w, " "))
		r.phone, r.at = map[string]string{"name": r.name}, l
	case is("webvpn", "gateway") && len(w) == 3, is("webvpn", "context") && len(w) == 3:
		r.enter("webvpn", strings.Join(w[1:], " "))
		r.at = l
		r.add(l, fact.IOSGateway, "name", r.name, "setting", "block")
	case is("vpn-group") && len(w) == 2 && r.ofService():
		r.enter("vpn-group", w[1])

		r.add(l, fact.IOSGroup, "group", r.name)
	case is("vpn-profile") && len(w) == 2 && r.ofService():
		r.enter("vpn-profile", w[1])
		r.add(l, fact.IOSProfile, "profile", r.name)
	case is("vpn-gateway") && len(w) == 3 && strings.HasPrefix(w[2], "http") && r.block == "":
		r.enter("vpn-group", "")
		return r.setting(l, w)
	default:
		return false
	}
	return true
}

// ofService reports whether a vpn-group or vpn-profile here is one itself, and not a phone's reference to one.
func (r *iosReader) ofService() bool {
	return r.block == "" || r.block == "voice service" || r.block == "vpn-group" || r.block == "vpn-profile"
}

func (r *iosReader) enter(block, name string) {
	r.leave()
	r.block, r.name = block, name
}

func (r *iosReader) leave() {
	if r.phone != nil {
		pairs := []string{}
		for _, name := range []string{"name", "mac", "model", "vpn-group", "vpn-profile"} {
			if r.phone[name] != "" {
				pairs = append(pairs, name, r.phone[name])
			}
		}
		r.add(r.at, fact.IOSPhone, pairs...)
		if r.phone["mac"] != "" {
			r.add(r.at, fact.Device, "device", "SEP"+r.phone["mac"], "model", r.phone["model"])
		}
		r.phone = nil
	}
	if r.block == "webvpn" {
		r.add(r.at, fact.IOSGateway, "name", r.name, "setting", "end")
	}
	r.block, r.name = "", ""
}

func (r *iosReader) add(l Line, k fact.Kind, values ...string) {
	if r.router != "" && k != fact.Device && k != fact.FileURL {
		values = append(values, "router", r.router)
	}
	kept := values[:0:0]
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			kept = append(kept, values[i], values[i+1])
		}
	}
	r.in.Add(k, l.Number, l.Raw, time.Time{}, kept...)
}

// setting takes a command of the block that is open.
func (r *iosReader) setting(l Line, w []string) bool {
	rest := strings.Join(w[1:], " ")
	switch r.block {
	case "vpn-group":
		switch w[0] {
		case "vpn-gateway":
			if len(w) < 3 {
				return true
			}
			r.add(l, fact.FileURL, "url", w[2], "index", w[1])
		case "vpn-trustpoint", "vpn-hash-algorithm":
		default:
			return false
		}
		r.add(l, fact.IOSGroup, "group", r.name, "setting", w[0], "value", rest)
	case "vpn-profile":
		if !slices.Contains([]string{"host-id-check", "fail-connect-time", "auto-network-detect", "password-persistent", "password-persistence", "mtu", "keepalive", "authen-method"}, w[0]) {
			return false
		}
		r.add(l, fact.IOSProfile, "profile", r.name, "setting", w[0], "value", rest)
	case "phone":
		return r.ofPhone(w, rest)
	case "telephony", "register":
		if w[0] == "cnf-file" || w[0] == "create" || w[0] == "vpn-group" || w[0] == "vpn-profile" || w[0] == "load" || w[0] == "tftp-path" {
			r.add(l, fact.IOSService, "name", r.name, "setting", w[0], "value", rest)
			return true
		}
		return l.Raw != strings.TrimLeft(l.Raw, " ")
	case "webvpn":
		if l.Raw == strings.TrimLeft(l.Raw, " ") && iosTop[w[0]] && w[0] != "gateway" && w[0] != "ip" {
			return false
		}
		r.add(l, fact.IOSGateway, "name", r.name, "setting", w[0], "value", rest)
	default:
		return l.Raw != strings.TrimLeft(l.Raw, " ")
	}
	return true
}

func (r *iosReader) ofPhone(w []string, rest string) bool {
	switch {
	case w[0] == "mac-address" && len(w) > 1 && iosMAC.MatchString(w[1]):
		r.phone["mac"] = strings.ToUpper(strings.ReplaceAll(w[1], ".", ""))
	case w[0] == "id" && len(w) > 2 && w[1] == "mac" && iosMAC.MatchString(w[2]):
		r.phone["mac"] = strings.ToUpper(strings.ReplaceAll(w[2], ".", ""))
	case w[0] == "type" && len(w) > 1:
		r.phone["model"] = w[1]
	case w[0] == "vpn-group" || w[0] == "vpn-profile":
		r.phone[w[0]] = rest
	case iosTop[w[0]]:
		return false
	}
	return true
}

func (r *iosReader) End() {
	if r.block == "webvpn" && !r.whole {
		r.block = "" // it may have been cut
	}
	r.leave()
}
