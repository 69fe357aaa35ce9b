package read

import "strings"

// asaClients follows clients through a log of an ASA: what did not work is told at the end of the log, when it is known
// how the client went on, and whether it wanted the SSL VPN at all. The ASA asks the same servers for those who manage it
// and for clients of IPsec.
type asaClients struct {
	events    []*asaEvent
	open      map[string][]*asaEvent // by whom they are about, while nothing has undone them
	here      map[string]bool        // who is at the SSL VPN
	elsewhere map[string]bool        // who is at something else
}

// asaEvent is something that did not work.
type asaEvent struct {
	tell  func(then string)
	about string  // empty: nobody knows
	from  string  // the address where that is known: many phones may have one user
	until asaStep // after any of these it did not last
	then  string  // "in": it did not
}

// asaStep is what happens to clients that get further, and to servers: a set.
type asaStep int

const (
	asaAccepted  asaStep = 1 << iota // a login was accepted
	asaSession                       // a session began, or got an address
	asaChannel                       // a tunnel's channel came up
	asaDatagrams                     // likewise, over UDP
	asaAddressed                     // another source of addresses had one
	asaAnswers                       // a server answers
)

// maxASAEvents bounds how many events wait, and of how many clients it is known where they are. What comes after that is
// told as it is.
const maxASAEvents = 5000

func newASAClients() *asaClients {
	return &asaClients{open: map[string][]*asaEvent{}, here: map[string]bool{}, elsewhere: map[string]bool{}}
}

// asaWho says whom an event is about: a user, or else an address, because the ASA hides names that it does not know.
// Nothing: nobody knows.
func asaWho(user, from string) string {
	switch {
	case strings.Trim(user, "*") != "":
		return "user " + strings.ToLower(user)
	case from != "":
		return "address " + from
	}
	return ""
}

// wait keeps an event about somebody, at an address where that is known.
func (a *asaClients) wait(until asaStep, who, from string, tell func(then string)) {
	if len(a.events) >= maxASAEvents {
		tell("")
		return
	}
	e := &asaEvent{tell: tell, about: who, from: from, until: until}
	a.events = append(a.events, e)
	if who != "" {
		a.open[who] = append(a.open[who], e)
	}
}

// got notes that somebody got further, from an address where that is known.
func (a *asaClients) got(step asaStep, who, from string) {
	var still []*asaEvent
	for _, e := range a.open[who] {
		if e.until&step == 0 || e.from != "" && from != "" && e.from != from {
			still = append(still, e)
		} else {
			e.then = "in"
		}
	}
	if a.open[who] = still; still == nil {
		delete(a.open, who)
	}
}

// at notes where somebody is: here or elsewhere.
func (a *asaClients) at(where map[string]bool, who string) {
	if who != "" && len(where) < maxASAEvents {
		where[who] = true
	}
}

func (a *asaClients) tell() {
	for _, e := range a.events {
		if !a.elsewhere[e.about] || a.here[e.about] {
			e.tell(e.then)
		}
	}
}
