package register

import (
	"time"

	"github.com/longcord/longcord/wire/sip"
)

// Binding is one place where a line can be reached.
type Binding struct {
	Line      string
	Device    string   // device name of a Cisco phone; empty for others
	Model     int      // Cisco's number of the model; 0 for others
	Contact   string   // address as the phone wrote it, with all parameters; by SCCP bare, or empty
	Flow      sip.Flow // the way to it
	CallID    string   // of the phone's REGISTER, empty by SCCP; requests to restart the phone must name it
	CSeq      uint32
	UserAgent string
	Load      string    // firmware, from the phone's restart alarm
	Stamp     string    // version stamp of the file that it runs, if it says so: newer loads do by SCCP
	Restart   string    // reason of its last restart, from the same
	Since     time.Time // when this registration began: refreshes leave it, a new connection or Call-ID does not
	Expires   time.Time
	Lifetime  time.Duration // what the last refresh was granted
	Written   time.Time     // how long the record in the store holds; not before Expires while it is registered
	Follows   bool          // registered by the device's first line, not by itself
}

// URI returns the address to send requests to.
func (b Binding) URI() sip.URI {
	a, _ := sip.ParseAddress(b.Contact) // parsed before it was taken in
	return a.URI
}

// Key tells the bindings of a line apart: a Cisco phone by its device name, any other by its address.
// When a phone comes back from another port or address its new binding replaces the old.
func (b Binding) Key() string {
	if b.Device != "" {
		return b.Device
	}
	uri := b.URI()
	uri.Params = nil
	return uri.String()
}

// moved reports whether b is another registration than old, rather than a refresh of it.
func (b Binding) moved(old Binding) bool {
	return b.Contact != old.Contact || b.Flow != old.Flow || b.CallID != old.CallID
}
