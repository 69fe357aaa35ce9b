//go:build interop

package openconnect_test

import (
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// aliases are two tunnel groups that people find in a list, each with a domain of its own. One has a URL, too.
const aliases = `
kind: GroupPolicy
name: people
defaultDomain: people.example.net
---
kind: GroupPolicy
name: guests
defaultDomain: guests.example.net
---
kind: TunnelGroup
name: people
groupURLs: ["https://203.0.113.2/people"]
groupAliases: [People]
addressPool: phones
defaultGroupPolicy: people
---
kind: TunnelGroup
name: guests
groupAliases: [Guests]
addressPool: phones
defaultGroupPolicy: guests
`

// TestGroupChoice: the group that openconnect gets is that of the URL, or of the alias that it chooses at a URL that is
// no group's, by documents and by forms. Phones' groups are not in the list.
func TestGroupChoice(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	apply(t, o, aliases)
	const root = "https://203.0.113.2/"
	for name, c := range map[string]struct {
		url    string
		flags  []string
		domain string
	}{
		"URL":                 {peopleURL, nil, "people.example.net"},
		"URL, form":           {peopleURL, []string{"--no-xmlpost"}, "people.example.net"},
		"alias":               {root, []string{"--authgroup", "Guests"}, "guests.example.net"},
		"alias, form":         {root, []string{"--no-xmlpost", "--authgroup", "Guests"}, "guests.example.net"},
		"another alias":       {root, []string{"--authgroup", "People"}, "people.example.net"},
		"another alias, form": {root, []string{"--no-xmlpost", "--authgroup", "People"}, "people.example.net"},
	} {
		t.Run(name, func(t *testing.T) {
			client, told := tunnelTo(t, o, c.url, c.flags...)
			wants(t, told, map[string]string{"CISCO_DEF_DOMAIN": c.domain})
			client.Signal(syscall.SIGINT)
			client.Ended()
			waitSessions(t, o, 0)
		})
	}
	out, err := o.Run(o.Client, password+"\n", office.Peer(t, "openconnect"), "--authenticate", "--user", "anna", "--passwd-on-stdin", "--non-inter",
		"--servercert", pin(t, o), "--authgroup", "phones", root)
	if err == nil {
		t.Errorf("openconnect is let in to a group for phones by its name:\n%s", out)
	}
}

// TestThreeLogoffs: who may return does so by himself, as after a cut line; who must log in again finds his cookie gone,
// and of a phone's session is told nothing; who is to stay away is told.
func TestThreeLogoffs(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	apply(t, o, aliases)
	const toldOff = "received server terminate packet"
	logoff := func(flags ...string) {
		t.Helper()
		if out, err := o.Longcord("", append([]string{"-c", o.Path("longcord.yaml"), "sessions", "logoff", "anna"}, flags...)...); err != nil {
			t.Fatalf("logoff %q: %v\n%s", flags, err, out)
		}
	}
	for name, url := range map[string]string{"phone": office.URL, "person": peopleURL} {
		t.Run(name, func(t *testing.T) {
			c := connectTo(t, o, url, password)
			mark := c.Mark()
			logoff("--may-return")
			c.WaitAfter(mark, "script reconnect "+c.address)
			pings(t, o, "-w", "20")
			logoff()
			if code := c.Ended(); code == 0 || !strings.Contains(c.Output(), "401") && !strings.Contains(c.Output(), toldOff) {
				t.Errorf("logged off it ends with %d and says\n%s", code, c.Output())
			}
			if told := strings.Contains(c.Output(), toldOff); told != (name == "person") {
				t.Errorf("a %s is told: %t", name, told)
			}
			waitSessions(t, o, 0)
			c = connectTo(t, o, url, password)
			logoff("--stay-away")
			c.Ended()
			if !strings.Contains(c.Output(), toldOff) {
				t.Errorf("who is to stay away is not told:\n%s", c.Output())
			}
			waitSessions(t, o, 0)
		})
	}
}
