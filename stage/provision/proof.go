package provision

import "net/netip"

// Fetcher says who it is that fetched a file of a device.
type Fetcher string

// In the office whoever asks gets any phone's file, so a file that was fetched says little about the phone unless
// its fetcher proves to be it.
const (
	Anybody      Fetcher = ""      // nobody here can tell: behind a router everybody looks the same
	ThePhone     Fetcher = "phone" // by its tunnel, its certificate, or the MAC address that it is named after
	SomebodyElse Fetcher = "other" // by another MAC address, or at an operator's machine
)

// Fetches says who it is that fetches a file of a device by a rule. A MAC address is worth what the network is
// worth: who stands in it can take another's. It keeps those apart who look at a phone's file and mean no harm.
func (a Asker) Fetches(device string, by Rule) Fetcher {
	switch {
	case a.Certified == device, a.Session != nil && a.Session.Device == device, a.MAC != "" && device == "SEP"+a.MAC:
		return ThePhone
	case a.MAC != "", by == OperatorsMachine:
		return SomebodyElse
	}
	return Anybody
}

// Witness is what is known of a fetch, and of how its phone could confirm it.
type Witness struct {
	Fetcher    Fetcher
	From       netip.Addr
	Registers  bool       // the phone registers here when it is there
	Registered netip.Addr // where it is registered from now; zero: it is not
	Routed     bool       // the operator takes fetches from behind routers for the phones'
}

// Counts reports whether a fetch counts as the phone's own. Of a phone that registers here the registration tells:
// what went elsewhere was not for it; while there is none, every fetch may be the phone's, and who needs to be sure
// waits for a registration. Of other phones nothing will ever tell, so the fetch has to prove it itself.
func (w Witness) Counts() bool {
	switch {
	case w.Fetcher == ThePhone:
		return true
	case w.Registered.IsValid():
		return w.From == w.Registered
	case w.Registers:
		return true
	}
	return w.Fetcher == Anybody && w.Routed
}
