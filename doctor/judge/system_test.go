package judge_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/finding"
)

// TestSystem gives what a running system tells of a phone, and what is to be said of it.
func TestSystem(t *testing.T) {
	t.Parallel()
	type told struct {
		kind   fact.Kind
		values []string
	}
	phone := func(values ...string) told {
		return told{fact.SystemPhone, append([]string{"device", "SEP001122334455"}, values...)}
	}
	standing := told{fact.SystemFinding, []string{"code", "address-pool-exhausted", "severity", "fault", "says", "the pool 10.0.0.0/24 is full", "fix-1", "enlarge it", "fix-2", "log somebody off"}}
	absent := told{fact.SystemAbsent, []string{"device", "SEP001122334455"}}
	unready := func(device, state string, more ...string) told {
		return told{fact.SystemUnready, append([]string{"device", device, "gateway", "office", "certificate", "next", "state", state, "sha1", "0123456789ABCDEF0123456789ABCDEF01234567"}, more...)}
	}
	tests := map[string]struct {
		told    []told
		verdict judge.Verdict
		codes   []string
	}{
		"works":                     {[]told{phone("session", "true", "registered", "true", "file", "current", "fetched", "current", "blocked", "false")}, judge.OK, nil},
		"standing":                  {[]told{phone("session", "false"), absent, standing}, judge.Fault, []string{"address-pool-exhausted"}},
		"seen and told":             {[]told{{fact.WalkLogin, []string{"url", "https://vpn/p", "user", "anna", "by", "password", "outcome", "refused"}}, {fact.SystemFinding, []string{"code", "login-refused", "says", "the gateway refuses the login of anna at noon"}}}, judge.Fault, []string{"login-refused"}},
		"told twice":                {[]told{{fact.SystemFinding, []string{"code", "lsc-expires", "says", "one"}}, {fact.SystemFinding, []string{"code", "lsc-expires", "says", "two"}}}, judge.OK, []string{"lsc-expires", "lsc-expires"}},
		"what follows":              {[]told{{fact.WalkGroupURL, []string{"url", "https://vpn/p", "outcome", "no-cookie"}}, {fact.OwnFinding, []string{"code", "registration-unreachable", "says", "no call manager answers at 10.1.1.5"}}}, judge.Fault, []string{"group-url-mismatch"}},
		"nobody is heard":           {[]told{{fact.SystemFinding, []string{"code", "no-route-to-pool", "severity", "note", "certainty", "possible", "says", "the office has no way back to the phones' addresses 10.9.0.0/24"}}, {fact.OwnFinding, []string{"code", "one-way-audio", "says", "A does not hear B"}}}, judge.Fault, []string{"no-route-to-pool"}},
		"nobody complains":          {[]told{{fact.SystemFinding, []string{"code", "no-route-to-pool", "severity", "note", "certainty", "possible", "says", "the office has no way back to the phones' addresses 10.9.0.0/24"}}}, judge.OK, []string{"no-route-to-pool"}},
		"away":                      {[]told{phone("session", "false", "registered", "false", "blocked", "false"), absent}, judge.Insufficient, nil},
		"blocked":                   {[]told{phone("blocked", "true"), absent}, judge.Fault, []string{"phone-blocked"}},
		"has the new file":          {[]told{phone("registered", "true", "file", "older", "fetched", "current")}, judge.Fault, []string{"vpn-not-restarted"}},
		"has the old file":          {[]told{phone("registered", "true", "file", "older", "fetched", "older")}, judge.OK, nil},
		"past":                      {[]told{{fact.SystemPast, []string{"at", "2026-11-25T10:00:00Z"}}}, judge.Insufficient, nil},
		"unknown code":              {[]told{{fact.SystemFinding, []string{"code", "of-a-later-release", "says", "x"}}}, judge.OK, nil},
		"blocked, so refused":       {[]told{phone("blocked", "true"), {fact.SystemFinding, []string{"code", "login-refused", "says", "the gateway refuses the login of anna"}}, {fact.SystemFinding, []string{"code", "config-change-not-taken", "says", "SEP001122334455 is there, and has not taken up the file"}}}, judge.Fault, []string{"phone-blocked"}},
		"unsendable, so refused":    {[]told{{fact.WalkCredential, []string{"user", "an na"}}, {fact.SystemFinding, []string{"code", "login-refused", "says", "the gateway refuses the login of an na"}}}, judge.Fault, []string{"credential-characters"}},
		"refused, so never fetched": {[]told{{fact.SystemFinding, []string{"code", "files-refused", "says", "refused"}}, {fact.SystemFinding, []string{"code", "file-not-fetched", "says", "never fetched"}}}, judge.OK, []string{"files-refused"}},
		"run out, so not believed":  {[]told{{fact.SystemFinding, []string{"code", "client-certificate-expired", "says", "expired"}}, {fact.WalkLogin, []string{"url", "https://vpn/p", "by", "certificate", "outcome", "refused"}}}, judge.Fault, []string{"client-certificate-expired"}},
		"does not register":         {[]told{{fact.SystemUnregistered, []string{"device", "SEP001122334455"}}}, judge.Insufficient, nil},
		"a change waits":            {[]told{unready("SEP001122334455", "staged"), unready("SEP001122334466", "staged")}, judge.OK, []string{"next-certificate-unknown"}},
		"nobody changes":            {[]told{unready("SEP001122334455", "none")}, judge.OK, []string{"next-certificate-unknown"}},
		"kept out, maybe":           {[]told{unready("SEP001122334455", "swapped")}, judge.OK, []string{"certificate-hash-mismatch"}},
		"kept out, unheard":         {[]told{absent, unready("SEP001122334455", "swapped")}, judge.Insufficient, []string{"certificate-hash-mismatch"}},
		"kept out":                  {[]told{absent, unready("SEP001122334455", "swapped", "refused", "true")}, judge.Fault, []string{"certificate-hash-mismatch"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := fact.NewCollector("test", "SEP001122334455")
			c.At(time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC))
			in := c.Open("the running system")
			in.Recognised("Longcord, running", finding.Longcord)
			for _, each := range test.told {
				in.Add(each.kind, 0, name, time.Time{}, each.values...)
			}
			r := judge.Facts(c.File(), "test")
			var codes []string
			for _, f := range r.Findings {
				codes = append(codes, f.Code)
			}
			if r.Verdict != test.verdict || !slices.Equal(codes, test.codes) {
				t.Errorf("got %s with %v, want %s with %v", r.Verdict, codes, test.verdict, test.codes)
			}
			if name == "standing" && !slices.Equal(r.Findings[0].Fix, []string{"enlarge it", "log somebody off"}) {
				t.Errorf("got the remedies %q, want those that were told", r.Findings[0].Fix)
			}
		})
	}
}

// TestUnreadySystem reads the sentence that names phones before a certificate changes, and how much it weighs.
func TestUnreadySystem(t *testing.T) {
	t.Parallel()
	twelve := "SEP001122334401, SEP001122334402, SEP001122334403, SEP001122334404, SEP001122334405, SEP001122334406, SEP001122334407, SEP001122334408, SEP001122334409, SEP001122334410, and 2 more"
	for name, test := range map[string]struct {
		phones   int
		state    string
		severity finding.Severity
		names    string
	}{
		"one":     {1, "staged", finding.Warning, "SEP001122334401"},
		"twelve":  {12, "staged", finding.Warning, twelve},
		"a spare": {2, "none", finding.Note, "SEP001122334401, SEP001122334402"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := fact.NewCollector("test", "the running system")
			in := c.Open("the running system")
			in.Recognised("Longcord, running", finding.Longcord)
			for i := range test.phones {
				in.Add(fact.SystemUnready, 0, "the file it holds is without the hash", time.Time{},
					"device", fmt.Sprintf("SEP0011223344%02d", i+1), "gateway", "office", "certificate", "next", "state", test.state)
			}
			r := judge.Facts(c.File(), "test")
			if len(r.Findings) != 1 {
				t.Fatalf("got %d findings, want one for the gateway", len(r.Findings))
			}
			f := r.Findings[0]
			want := finding.NextCertificateUnknown.With("office", "next", test.names)
			if f.Says != want.Says || f.Severity != test.severity {
				t.Errorf("got %s: %s\nwant %s: %s", f.Severity, f.Says, test.severity, want.Says)
			}
		})
	}
}
