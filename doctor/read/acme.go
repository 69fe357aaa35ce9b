package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// acme.sh and Certbot, by which some gateways get their certificates: that one was not renewed, and why. observed: published
// logs of both
var (
	acmeFailed = compile(`^(?:\[[^\]]*\] )?(?:([\w.*-]+): ?(?:Verify error|Invalid status\. Verification error details): ?(.*)|Error renew ([\w.*-]+?)\.)$|` +
		`\bFailed to renew certificate ([\w.*-]+) with error: (.*)$|/live/([\w.*-]+)/fullchain\.pem \(failure\)`)
	acmeNames = compile(`^(?:\[[^\]]*\] )?Renew: '([\w.*-]+)'`)
	acmeDone  = compile(`^(?:\[[^\]]*\] )?(Cert success)\.?$|/live/([\w.*-]+)/fullchain\.pem(?: expires on \S+ \((?:success|skipped)\)| \(success\))|(all renewals succeeded)`)
)

var _ = recognise(Recogniser{
	Format: "acme.sh's or Certbot's log",
	Marks:  []string{"verify error:", "verification error details", "error renew ", "failed to renew", "fullchain.pem", "renew: '", "cert success", "renewals succeeded"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &acme{in: in} },
})

type acme struct {
	in     *fact.Input
	at     string // the name that acme.sh is about
	failed []acmeFailure
}

// acmeFailure is a certificate that was not renewed, as far as is read: the next night it may be.
type acmeFailure struct {
	Line
	host, reason string
}

func (r *acme) Line(l Line) bool {
	if m := acmeNames.FindStringSubmatch(l.Raw); m != nil {
		r.at = m[1]
		return true
	}
	if m := acmeFailed.FindStringSubmatch(l.Raw); m != nil {
		r.fails(acmeFailure{l, m[1] + m[3] + m[4] + m[6], m[2] + m[5]})
		return true
	}
	m := acmeDone.FindStringSubmatch(l.Raw)
	if m == nil {
		return false
	}
	done := m[2]
	if m[1] != "" {
		done = r.at
	}
	left := r.failed[:0]
	for _, f := range r.failed {
		if m[3] == "" && f.host != done {
			left = append(left, f)
		}
	}
	r.failed = left
	return true
}

// fails keeps one line for each name, the one that says why.
func (r *acme) fails(f acmeFailure) {
	for i, had := range r.failed {
		if had.host == f.host {
			if had.reason == "" && f.reason != "" {
				r.failed[i] = f
			}
			return
		}
	}
	if len(r.failed) < maxBackends {
		r.failed = append(r.failed, f)
	}
}

func (r *acme) End() {
	for _, f := range r.failed {
		r.in.Add(fact.CertificateNotRenewed, f.Number, f.Raw, f.Time, pairs("host", strings.TrimPrefix(f.host, "*."), "reason", f.reason)...)
	}
}
