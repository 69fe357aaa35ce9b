package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The trace of CUCM's trust verification service: docs/wire/gateway-logs.md#tvs.
var (
	tvsLine   = compile(`\|\s*(?:-->|<--)?\s*debug\b(?:\s+(.*))?$`)
	tvsIssuer = compile(`(?:Issuer Name is|issuerName) ?: (.+?)(?: and Length: \d+)?$`)
	tvsSerial = compile(`(?:Serial Number is|serialNumber) ?: ([0-9A-Fa-f]+)`)
	tvsNames  = compile(`\b(?:tvs[A-Z]\w+|TVS_\w+|TVS CORE|Certificate(?:DB|CTL)?Cache::)`)
)

var _ = recognise(Recogniser{
	Format: "trace of TVS", Follows: true, Platform: finding.CUCM,
	Marks: []string{"tvs", "cache::getcertificateinformation", "cert_verif", "query_cert"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &tvsTrace{in: in} },
})

// tvsTrace follows one question after the other: who is asked about, and in which of its stores TVS found that.
type tvsTrace struct {
	in             *fact.Input
	issuer, serial string
	missing        *Line // where a store had no such certificate; nil: none has said so, or another has it
}

func (r *tvsTrace) Line(l Line) bool {
	m := tvsLine.FindStringSubmatch(l.Raw)
	if m == nil || !tvsNames.MatchString(l.Raw) && !strings.Contains(l.Raw, "CERT_") {
		return false
	}
	says := m[1]
	if m := tvsIssuer.FindStringSubmatch(says); m != nil && !strings.Contains(says, "SAST Issuer") {
		r.answered()
		r.issuer, r.serial = m[1], ""
		return true
	}
	if m := tvsSerial.FindStringSubmatch(says); m != nil {
		r.serial = m[1]
		return true
	}
	switch {
	case !strings.Contains(says, "getCertificateInformation"):
		if strings.Contains(says, "Sending QUERY_CERT_RES") || strings.Contains(says, "Sending CERT_VERIF_RES") || strings.Contains(says, "_REQ") {
			r.answered()
		}
	case strings.Contains(says, "Cannot find the certificate"):
		r.missing = &l
	case strings.Contains(says, "Found entry"), strings.Contains(says, "Certificate found and equal"):
		r.missing = nil
	}
	return true
}

// answered ends a question: what no store had is unknown.
func (r *tvsTrace) answered() {
	if l := r.missing; l != nil {
		r.in.Add(fact.TVSUnknown, l.Number, l.Raw, l.Time, pairs("issuer", r.issuer, "serial", r.serial)...)
	}
	r.missing, r.issuer, r.serial = nil, "", ""
}

func (r *tvsTrace) End() { r.answered() }
