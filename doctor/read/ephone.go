package read

import (
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
	ephoneSays = compile(`%IPPHONE-6-(REGISTER|REGISTER_NEW|UNREGISTER_NORMAL|UNREGISTER_ABNORMAL): ephone-\d+:(SEP[0-9A-Fa-f]{12}) IP:(\S+)`)
)

var _ = recognise(Recogniser{
	Format: "phones of CME", Platform: finding.IOS, Early: true,
	Marks: []string{"ephone-", "ephone_capf", "ssl handshake"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &ephones{in: in, gone: map[string]Line{}} },
})

type ephones struct {
	in    *fact.Input
	gone  map[string]Line // phones that are not registered, and where it says so
	order []string
}

func (r *ephones) Line(l Line) bool {
	if m := ephoneShown.FindStringSubmatch(l.Raw); m != nil {
		r.is(l, "SEP"+strings.ToUpper(strings.ReplaceAll(m[1], ".", "")), "", m[2] == "REGISTERED")
		return true
	}
	if m := ephoneSays.FindStringSubmatch(l.Raw); m != nil {
		if m[1] != "UNREGISTER_NORMAL" {
			r.is(l, m[2], m[3], m[1] != "UNREGISTER_ABNORMAL")
		}
		return true
	}
	return ephoneCAPF.MatchString(l.Raw)
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
