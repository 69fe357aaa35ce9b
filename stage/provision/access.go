package provision

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/longcord/longcord/inventory"
)

// Rule names why somebody may fetch a file, or may not. Logs and findings show it.
type Rule string

// The rules, in the order in which they are asked. The first that has something to say decides.
const (
	OperatorsMachine Rule = "operator"      // from a machine of the operators: anything
	BlockedPhone     Rule = "blocked"       // a file of a blocked phone, or asked for by one: nothing
	OwnCertificate   Rule = "certificate"   // a client certificate has proved which phone it is
	OwnSession       Rule = "session"       // from the inner address of a session: what is that phone's, and shared files
	NoSession        Rule = "no-session"    // from an address of tunnels that no session has: nothing
	OfficeNetwork    Rule = "office"        // from the office: anything
	NotOffice        Rule = "not-an-office" // from anywhere else: nothing
)

// Asker is who asks for a file, as far as the server knows.
type Asker struct {
	Address netip.Addr
	// Session is the one that has Address as its inner address; nil: none has.
	Session *Holder
	// Certified is the device that a client certificate has proved; empty: none was shown.
	Certified string
	// MAC is of who has Address on a network of the server, 12 hex digits in upper case; empty: Address is behind
	// a router, or nobody has looked. No Rule asks for it.
	MAC string
}

// Holder is who has a session: the user who logged in, and the device that the session belongs to.
type Holder struct {
	User   string
	Device string // empty: none in particular
}

// Access says from where files may be fetched besides tunnels.
type Access struct {
	Office    []netip.Prefix // networks of the office, where anybody gets any phone's file
	Operators []netip.Prefix // machines of the operators
}

// Decision is what became of a request for a file.
type Decision struct {
	Allowed bool
	Rule    Rule
	Says    string // why not; empty when allowed
}

// asked is one request under the rules.
type asked struct {
	Access
	set   *inventory.Set
	who   Asker
	name  string // as Clean returned it
	owner string // the device that the name holds; empty: the file is shared
}

// rules are asked in order; one that has nothing to say returns false.
var rules = []func(asked) (Decision, bool){
	asked.byOperator, asked.byBlocked, asked.byCertificate, asked.bySession, asked.byPool, asked.byOffice,
}

// Decide says whether a file may be handed out. Whose it is says its name: every name that holds a device's
// belongs to that phone, all others are shared.
func (a Access) Decide(set *inventory.Set, who Asker, name string) Decision {
	request := asked{Access: a, set: set, who: who, name: name, owner: DeviceIn(name)}
	for _, rule := range rules {
		if decision, decided := rule(request); decided {
			return decision
		}
	}
	return refusal(NotOffice, "%s is in no office network", who.Address)
}

func permission(rule Rule) Decision { return Decision{Allowed: true, Rule: rule} }

func refusal(rule Rule, format string, args ...any) Decision {
	return Decision{Rule: rule, Says: fmt.Sprintf(format, args...)}
}

// local reports whether the asker is in one of networks and not at the end of a tunnel: whatever network
// the addresses of tunnels lie in, who has one is a phone at home.
func (r asked) local(networks []netip.Prefix) bool {
	return r.who.Session == nil && !r.set.InPool(r.who.Address) &&
		slices.ContainsFunc(networks, func(n netip.Prefix) bool { return n.Contains(r.who.Address) })
}

func (r asked) byOperator() (Decision, bool) {
	return permission(OperatorsMachine), r.local(r.Operators)
}

func (r asked) byBlocked() (Decision, bool) {
	names := []string{r.owner, r.who.Certified}
	if r.who.Session != nil {
		names = append(names, r.who.Session.Device)
	}
	for _, name := range names {
		if device, ok := r.set.Devices[name]; ok && device.Blocked {
			return refusal(BlockedPhone, "%s is blocked", name), true
		}
	}
	return Decision{}, false
}

func (r asked) byCertificate() (Decision, bool) {
	switch r.who.Certified {
	case "":
		return Decision{}, false
	case r.owner:
		return permission(OwnCertificate), true
	}
	if r.owner == "" {
		return permission(OwnCertificate), true
	}
	return refusal(OwnCertificate, "the certificate is of %s", r.who.Certified), true
}

// bySession gives a session what belongs to its device. The session of a user who has several devices
// belongs to none of them in particular: whichever it is, it gets what is that user's. Not the default
// file: a phone at home that took it would lose the way back.
func (r asked) bySession() (Decision, bool) {
	session := r.who.Session
	if session == nil {
		return Decision{}, false
	}
	if session.Device != "" {
		if r.owner == "" || r.owner == session.Device {
			return permission(OwnSession), true
		}
		return refusal(OwnSession, "the tunnel is that of %s", session.Device), true
	}
	user := r.set.Users[session.User]
	switch {
	case user == nil || len(user.Devices) == 0:
		return refusal(OwnSession, "the tunnel of %s is no phone's", session.User), true
	case r.owner == "" && !strings.EqualFold(r.name, DefaultFile), slices.Contains(user.Devices, r.owner):
		return permission(OwnSession), true
	}
	return refusal(OwnSession, "the tunnel of %s is that of %s", session.User, strings.Join(user.Devices, " or ")), true
}

func (r asked) byPool() (Decision, bool) {
	return refusal(NoSession, "%s belongs to tunnels, and none has it now", r.who.Address), r.set.InPool(r.who.Address)
}

func (r asked) byOffice() (Decision, bool) { return permission(OfficeNetwork), r.local(r.Office) }
