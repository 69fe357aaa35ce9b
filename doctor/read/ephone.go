package read

import (
	"cmp"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// CME's phones, as `show ephone` and its log have them: docs/wire/gateway-logs.md#cme.
var (
	ephoneShown = compile(`^\s*ephone-\d+\[\d+\] Mac:([0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}\.[0-9A-Fa-f]{4}) .*?\b(REGISTERED|UNREGISTERED|DECEASED)\b`)
	// ephoneCAPF is CME's CAPF at work, whose -6983 is that it waits for more bytes.
	ephoneCAPF = compile(`\bephone_capf_\w+:|\bSSL Handshake (?:Error -6983|Successful)\s*$`)
	// voiceRegister is what CME says of phones with SIP: who comes, and why it takes nobody.
	voiceRegister = compile(`\bVOICE_REG_POOL: ?(?:Register request for \((?P<line>[^)]*)\) from \((?P<client>[^)]*)\)|(?P<none>Contact doesn't match any pools)|(?P<full>Maximum registration threshold for pool\((?P<pool>\d+)\) hit))`)
	ephoneSays    = compile(`%IPPHONE-6-(REGISTER|REGISTER_NEW|UNREGISTER_NORMAL|UNREGISTER_ABNORMAL): (ephone-\d+)(?::(SEP[0-9A-Fa-f]{12}))? IP:(\S+)`)
)

var _ = recognise(Recogniser{
	Format: "phones of CME", Platform: finding.IOS, Early: true,
	Marks: []string{"ephone-", "ephone_capf", "ssl handshake", "voice_reg_pool"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &ephones{in: in, gone: map[string]Line{}} },
})

type ephones struct {
	in    *fact.Input
	gone  map[string]Line // phones that are not registered, and where it says so
	order []string

	line, client string // who has asked CME's SIP to register
}

func (r *ephones) Line(l Line) bool {
	if m := ephoneShown.FindStringSubmatch(l.Raw); m != nil {
		r.is(l, "SEP"+strings.ToUpper(strings.ReplaceAll(m[1], ".", "")), "", m[2] == "REGISTERED")
		return true
	}
	if m := ephoneSays.FindStringSubmatch(l.Raw); m != nil {
		if m[1] != "UNREGISTER_NORMAL" {
			r.is(l, cmp.Or(m[3], m[2]), m[4], m[1] != "UNREGISTER_ABNORMAL")
		}
		return true
	}
	if m := voiceRegister.FindStringSubmatch(l.Raw); m != nil {
		r.voice(m, l)
		return true
	}
	return ephoneCAPF.MatchString(l.Raw)
}

// voice follows who asks to register by SIP.
func (r *ephones) voice(m []string, l Line) {
	cause, reason := "pool", "none of its pools (voice register pool) is for this number and address"
	switch {
	case m[1] != "":
		r.line, r.client = m[1], m[2]
		return
	case m[4] != "":
		cause, reason = "contacts", "as many phones have registered with its pool "+m[5]+" as `max registrations` there allows"
	case r.line == "":
		return // of whom it speaks is not told
	}
	r.in.Add(fact.RegistrarRefused, l.Number, l.Raw, l.Time, pairs("program", "CME", "line", cmp.Or(r.line, unnamed), "client", r.client, "cause", cause, "reason", reason)...)
}

func (r *ephones) is(l Line, device, client string, registered bool) {
	if registered {
		delete(r.gone, device)
		r.in.Add(fact.RegistrarRegistered, l.Number, l.Raw, l.Time, pairs("line", device, "client", client)...)
		return
	}
	if len(r.gone) < maxAsked {
		r.gone[device] = l
		if !slices.Contains(r.order, device) {
			r.order = append(r.order, device)
		}
	}
}

func (r *ephones) End() {
	for _, device := range r.order {
		if l, ok := r.gone[device]; ok {
			r.in.Add(fact.RegistrarLost, l.Number, l.Raw, l.Time, "line", device)
		}
	}
}
