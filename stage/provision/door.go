package provision

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// How long and how often a door serves.
const (
	DoorTime      = 10 * time.Minute // from the confirmation of the invitation on
	DoorLinger    = time.Minute      // after the file arrived: its last acknowledgement may have been lost
	doorSends     = 5                // of the file, begun: each way once, and again
	maxDoors      = 64               // open at a time
	maxDoorAsking = 200              // requests in a door's life that are answered at all
)

var (
	// ErrDoorTaken: the door of this address is open for another phone. Wait until it is shut.
	ErrDoorTaken = errors.New("provision: the door of this address is open for another phone")
	// ErrDoors: as many doors as there may be are open.
	ErrDoors = errors.New("provision: too many doors are open")
)

// DoorAnswer is what a request from outside gets.
type DoorAnswer int

// The answers. Silence is the zero value: nothing is sent, not even a refusal.
const (
	Silence    DoorAnswer = iota
	NoSuchFile            // the phone of the door goes on to its next name
	SendFile              // its starter file
)

// Door lets one phone that was never inside fetch its starter file from one address. To everybody else, and
// for every other name, nobody is there.
//
// A booting phone asks for trust lists first and waits on silence, so names of lists are answered with "not
// there": its own at once, the shared ones once it has said who it is.
//
//	shut ── opened ── asked ── delivered ── a minute ── shut
//	          └───────────── ten minutes ────────────── shut
type Door struct {
	Device  string
	Address netip.Addr
	Until   time.Time

	known     bool // the phone has asked for a file of its own
	signed    bool // and for a signed one
	delivered bool
	sends     int
	asked     int
}

// Open reports whether the door serves at this time.
func (d *Door) Open(now time.Time) bool { return now.Before(d.Until) }

// Delivered reports whether the starter file has arrived.
func (d *Door) Delivered() bool { return d.delivered }

// WantsSigned reports whether the phone asked for a signed file: it holds a trust list of another system and
// will not take what is not signed, until somebody erases that list.
func (d *Door) WantsSigned() bool { return d.signed }

// Asked decides on a request for a file by its name as it came, from the door's address.
func (d *Door) Asked(now time.Time, name string) DoorAnswer {
	name, err := Clean(name)
	if err != nil || !d.Open(now) || d.asked >= maxDoorAsking {
		return Silence
	}
	of := func(prefix, suffix string) bool { return strings.EqualFold(name, prefix+d.Device+suffix) }
	config, signed := of("", configSuffix), of("", configSuffix+".sgn") || of("", configSuffix+".enc.sgn")
	list := of("CTL", ".tlv") || of("ITL", ".tlv") || of("ext_ITL", ".tlv")
	d.known = d.known || config || signed || list
	d.signed = d.signed || signed
	shared := strings.EqualFold(name, "ITLFile.tlv") || strings.EqualFold(name, "CTLFile.tlv")
	switch {
	case config && d.sends < doorSends:
		d.asked++
		d.sends++
		return SendFile
	case signed || list || shared && d.known:
		d.asked++
		return NoSuchFile
	}
	return Silence
}

// Arrived tells that the starter file has arrived completely. The door shuts soon after.
func (d *Door) Arrived(now time.Time) {
	d.delivered = true
	if soon := now.Add(DoorLinger); soon.Before(d.Until) {
		d.Until = soon
	}
}

// Doors are the open doors: one for each address.
type Doors struct{ doors []*Door }

// Open opens the door of an address for a device until the given time. A door that is open for the device
// already, here or at another address, is shut.
func (ds *Doors) Open(now time.Time, device string, address netip.Addr, until time.Time) (*Door, error) {
	if d := ds.At(now, address); d != nil && d.Device != device {
		return nil, ErrDoorTaken
	}
	ds.Shut(device)
	if len(ds.doors) >= maxDoors {
		return nil, ErrDoors
	}
	d := &Door{Device: device, Address: address, Until: until}
	ds.doors = append(ds.doors, d)
	return d, nil
}

// At returns the open door of an address, or nil.
func (ds *Doors) At(now time.Time, address netip.Addr) *Door {
	for _, d := range ds.doors {
		if d.Address == address && d.Open(now) {
			return d
		}
	}
	return nil
}

// Of returns the open door of a device, or nil.
func (ds *Doors) Of(now time.Time, device string) *Door {
	for _, d := range ds.doors {
		if d.Device == device && d.Open(now) {
			return d
		}
	}
	return nil
}

// Shut shuts the door of a device and reports whether there was one.
func (ds *Doors) Shut(device string) bool {
	n := len(ds.doors)
	ds.doors = slices.DeleteFunc(ds.doors, func(d *Door) bool { return d.Device == device })
	return len(ds.doors) < n
}

// Sweep removes doors whose time is over and returns them.
func (ds *Doors) Sweep(now time.Time) (over []*Door) {
	ds.doors = slices.DeleteFunc(ds.doors, func(d *Door) bool {
		if d.Open(now) {
			return false
		}
		over = append(over, d)
		return true
	})
	return over
}

// Addresses returns from where anything is answered now.
func (ds *Doors) Addresses() (all []netip.Addr) {
	for _, d := range ds.doors {
		all = append(all, d.Address)
	}
	return all
}

// Wake returns when the next door shuts, or the zero time when none is open.
func (ds *Doors) Wake() (next time.Time) {
	for _, d := range ds.doors {
		if next.IsZero() || d.Until.Before(next) {
			next = d.Until
		}
	}
	return next
}
