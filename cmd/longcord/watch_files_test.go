package main

import (
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
)

func TestStaysBehind(t *testing.T) {
	t.Parallel()
	told := time.Unix(1000, 0)
	for name, c := range map[string]struct {
		action       control.PhoneAction
		state, stamp string
		runs         string
		after        time.Duration
		staysBehind  bool
	}{
		"took it":               {control.ApplyConfig, "taken", "new", "new", time.Hour, false},
		"said yes and did not":  {control.ApplyConfig, "taken", "new", "old", 3 * time.Minute, true},
		"may still do it":       {control.ApplyConfig, "taken", "new", "old", time.Minute, false},
		"does not run anything": {control.CheckVersion, "taken", "new", "", time.Hour, true},
		"declined":              {control.RestartPhone, "declined", "new", "old", 0, true},
		"silent":                {control.ApplyConfig, "silent", "new", "old", 0, true},
		"is away":               {control.ApplyConfig, "not-reached", "new", "old", time.Hour, false},
		"waits for its call":    {control.ApplyConfig, "in-call", "new", "old", time.Hour, false},
		"told of another":       {control.ApplyConfig, "taken", "newer", "old", time.Hour, false},
		"only reported":         {control.ReportProblem, "silent", "new", "old", time.Hour, false},
	} {
		why := staysBehind(told.Add(c.after), control.Telling{Action: c.action, State: c.state, Stamp: c.stamp, Since: told}, c.runs, "new")
		if (why != "") != c.staysBehind {
			t.Errorf("%s: %q", name, why)
		}
	}
}

// A phone that has its new file is to be restarted; one that has not is to fetch it.
func TestWhyBehind(t *testing.T) {
	t.Parallel()
	for has, want := range map[bool]string{true: "vpn-not-restarted", false: "config-change-not-taken"} {
		f, not := whyBehind(control.Telling{Phone: "SEP001122334455", Why: "it declined"}, has)
		if f.Code != want || f.Subject != "SEP001122334455" || not.Code == want || f.Evidence[0].Text != "it declined" {
			t.Errorf("has its file: %v; got %+v and not %s", has, f, not.Code)
		}
	}
}

// A phone that restarts and fetches nothing here asks somebody else, or found nobody.
func TestAsksElsewhere(t *testing.T) {
	t.Parallel()
	told := time.Unix(1000, 0)
	at := func(after time.Duration) []control.Registration {
		return []control.Registration{{Began: told.Add(-time.Hour)}, {Began: told.Add(after)}}
	}
	fetched := func(after time.Duration) []control.Delivery {
		return []control.Delivery{{Complete: told.Add(after)}, {Complete: told.Add(-time.Hour)}}
	}
	for name, c := range map[string]struct {
		action     control.PhoneAction
		state      string
		registered []control.Registration
		deliveries []control.Delivery
		want       bool
	}{
		"restarted and fetched nothing": {control.RestartPhone, "taken", at(time.Minute), fetched(-time.Minute), true},
		"fetched":                       {control.RestartPhone, "taken", at(time.Minute), fetched(time.Second), false},
		"has not restarted":             {control.RestartPhone, "taken", at(-time.Minute), fetched(-time.Minute), false},
		"declined":                      {control.RestartPhone, "declined", at(time.Minute), fetched(-time.Minute), false},
		"told to look only":             {control.CheckVersion, "taken", at(time.Minute), fetched(-time.Minute), false},
	} {
		f, got := asksElsewhere(control.Telling{Phone: "SEP001122334455", Action: c.action, State: c.state, Since: told}, c.deliveries, c.registered, "10.1.0.5")
		if got != c.want || got && (f.Code != "second-tftp-answers" || f.Subject != "SEP001122334455" || f.Certainty != finding.Possible || !strings.Contains(f.Says, "10.1.0.5")) {
			t.Errorf("%s: %v, %+v", name, got, f)
		}
	}
}

// TestJudgesElsewhere: it stands on the board until the phone runs its file.
func TestJudgesElsewhere(t *testing.T) {
	t.Parallel()
	const phone = "SEP001122334455"
	told := time.Unix(1000, 0)
	s := &system{findings: finding.NewBoard(), log: slog.New(slog.DiscardHandler), settings: config.Config{Inside: netip.MustParseAddr("10.1.0.5")}}
	tellings := []control.Telling{{Phone: phone, Action: control.RestartPhone, State: "taken", Stamp: "new", Since: told}}
	stamps, raised := map[string]string{phone: "new"}, map[string]bool{}
	registered := map[string][]control.Registration{phone: {{Phone: phone, Began: told.Add(time.Minute), Contact: "10.1.0.20:5060"}}}
	deliveries := map[string][]control.Delivery{phone: {{File: phone + ".cnf.xml", VersionStamp: "old", Complete: told.Add(-time.Hour), Peer: "10.1.0.20:40000"}}}
	judge := func(what, want string) {
		t.Helper()
		s.judgeTellings(told.Add(5*time.Minute), raised, tellings, stamps, deliveries, registered)
		var codes []string
		for _, f := range s.findings.Findings() {
			codes = append(codes, f.Code)
		}
		if got := strings.Join(codes, " "); got != want {
			t.Errorf("%s: %q, want %q", what, got, want)
		}
	}
	judge("it has fetched nothing since", "config-change-not-taken second-tftp-answers")
	deliveries[phone] = append([]control.Delivery{{File: phone + ".cnf.xml", VersionStamp: "old", Complete: told.Add(30 * time.Second), Peer: "10.1.0.20:40000"}}, deliveries[phone]...)
	judge("it has fetched an old one here", "config-change-not-taken")
	deliveries[phone] = deliveries[phone][1:]
	judge("once more", "config-change-not-taken second-tftp-answers")
	deliveries[phone][0].VersionStamp = "new"
	judge("it runs the new one", "")
}

// A phone runs the newest file that had arrived when its registration began.
func TestRunning(t *testing.T) {
	t.Parallel()
	at := func(minute int) time.Time { return time.Unix(int64(60*minute), 0) }
	deliveries := []control.Delivery{
		{File: "ITLSEP001122334455.tlv", VersionStamp: "list", Complete: at(31)}, {File: "SEP001122334455.cnf.xml.sgn", VersionStamp: "c", Complete: at(30)},
		{File: "SEP001122334455.cnf.xml", VersionStamp: "b", Complete: at(20)}, {File: "ringlist.xml", Complete: at(19)},
		{File: "SEP001122334455.cnf.xml", VersionStamp: "a", Complete: at(10)},
	}
	for began, want := range map[int]string{5: "", 15: "a", 25: "b", 35: "c"} {
		if got := control.Running(deliveries, []control.Registration{{Began: at(began)}}); got != want {
			t.Errorf("registered at minute %d it runs %q, want %q", began, got, want)
		}
	}
	if got := control.Running(deliveries, []control.Registration{{Began: at(35)}, {Began: at(15)}}); got != "a" {
		t.Errorf("with a line registered since minute 15 it runs %q, want a", got)
	}
	deliveries[1].Peer = "10.1.0.7:40000"
	phone := []control.Registration{{Began: at(35), Contact: "10.1.0.20:5060"}}
	for i := 2; i < len(deliveries); i++ {
		deliveries[i].Peer = "10.1.0.20:40000"
	}
	if got := control.Running(deliveries, phone); got != "b" {
		t.Errorf("somebody else has fetched its newest file, and it runs %q, want b", got)
	}
	deliveries[1].Own = true
	if got := control.Running(deliveries, phone); got != "c" {
		t.Errorf("it has fetched its newest file through its tunnel, and runs %q, want c", got)
	}
	if got := control.Holds(deliveries, nil); got != "c" {
		t.Errorf("it holds %q, want c, which came through its tunnel", got)
	}
	deliveries[1].Own = false
	if got := control.Holds(deliveries, phone); got != "b" {
		t.Errorf("it holds %q, want b: somebody else fetched c", got)
	}
	if got := control.Running(deliveries, nil); got != "" {
		t.Errorf("unregistered it runs %q", got)
	}
}
