package main

import (
	"testing"
	"time"

	"github.com/longcord/longcord/control"
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
