// Package fitness judges whether a phone is fit to go home: whether it will find its way back when nobody from the
// office can reach it any more. Judge is a pure function from Facts to Checks; who collects the facts, and asks
// name servers and phones' web pages, is cmd's affair.
package fitness

import (
	"net/netip"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

// Facts are what is known of one phone.
type Facts struct {
	Device     string
	Model      inventory.Model
	Known      bool                // whether the table of models has it
	VPN        *inventory.PhoneVPN // nil: its profile names no VPN group
	Hashes     []string            // of the certificates its gateways have, the one in use first
	Own        File                // its file as it would be given now
	Fetched    *Fetched            // the newest delivery of that file; nil: none
	Unproven   *Unproven           // where the file went, when nothing says that it was to the phone; nil with Fetched
	Calls      bool                // phones register here, so that we would know
	Registered []time.Time         // when the registrations that it has now began
	Load       string              // as the phone told, else as the inventory wants it; empty: not known
	Page       *Page               // what its web page says; nil: not read
	Server     netip.Addr          // what belongs into its TFTP fields
	Outside    netip.Addr          // where the gateway listens
	Names      []Name              // of its gateways
	Users      []string            // who may log in as this phone, by the inventory
	Others     int                 // users who are tied to no phone and may log in on this one
	Foreign    bool                // users are known to other servers, and are not listed here
	HasLSC     *bool               // whether the phone has a certificate of this house; nil: not known
	Password   bool                // it logs in by password
}

// File is a phone's file.
type File struct {
	Stamp     string
	WebAccess string // its webAccess; 0 opens the page
}

// Unproven is a fetch that counts for nothing, because nobody here would see the phone register.
type Unproven struct {
	To    netip.Addr
	Other bool // it has another MAC address than the phone; else it is behind a router
}

// Fetched is a file that arrived at a phone.
type Fetched struct {
	Stamp    string
	Hashes   []string
	Complete time.Time
}

// Page is what a phone's web page says of its network.
type Page struct {
	AlternateTFTP *bool // nil: the page does not say
	Servers       [2]string
}

// Name is the host of a gateway's URL and what a name server says of it.
type Name struct {
	Host      string
	Addresses []netip.Addr
	Err       error
	Public    bool // a resolver was asked that the operator named as one outside
}

// State is how a check ended.
type State string

// The states. A phone is fit when every check is.
const (
	Fit     State = "fit"
	Unfit   State = "unfit"
	Unknown State = "unknown"
)

// Check is one question about a phone, and its answer.
type Check struct {
	Name    string           `json:"check"`
	State   State            `json:"state"`
	Says    string           `json:"says"`
	Look    string           `json:"look,omitempty"`    // what to look at where the answer is unknown
	Finding *finding.Finding `json:"finding,omitempty"` // what is wrong; with Fit: what is not as good as it might be
}

func fit(name, says string) Check { return Check{Name: name, State: Fit, Says: says} }

func unknown(name, says, look string) Check {
	return Check{Name: name, State: Unknown, Says: says, Look: look}
}

func unfit(name string, f finding.Finding) Check {
	return Check{Name: name, State: Unfit, Says: f.Says, Finding: &f}
}

// warned is fit with a remark.
func warned(name string, f finding.Finding) Check {
	return Check{Name: name, State: Fit, Says: f.Says, Finding: &f}
}

// Judge answers every question. Where the phone has no VPN at all, there are no others.
func Judge(f Facts) []Check {
	if c := f.model(); c.State == Unfit {
		return []Check{c}
	}
	if f.VPN == nil {
		return []Check{f.model(), unfit("vpn", finding.VPNNotConfigured.With(f.Device))}
	}
	checks := []Check{
		f.model(), f.load(), f.file(), f.hashes(), f.registered(), f.alternateTFTP(), f.webAccess(), f.credentials(),
	}
	for _, name := range f.Names {
		checks = append(checks, f.name(name))
	}
	return append(checks, f.detection(), f.overlap())
}

// Verdict is the state of a phone: unfit when one check is, else unknown when one is.
func Verdict(checks []Check) State {
	verdict := Fit
	for _, c := range checks {
		switch {
		case c.State == Unfit:
			return Unfit
		case c.State == Unknown:
			verdict = Unknown
		}
	}
	return verdict
}
