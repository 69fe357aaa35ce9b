package call

import "github.com/longcord/longcord/wire/sip"

// Party is a phone that takes or may take part in a call.
type Party struct {
	Number string
	Phone  string // device name, for the log
	Name   string // for the other phone's display
	Flow   sip.Flow
	Target sip.URI // the address the phone gave for itself
}

// DialPlan finds out whom a number rings. For now a number rings the line that has exactly it.
type DialPlan struct {
	// Known reports whether there is a line with this number, and its name.
	Known func(number string) (name string, ok bool)
	// Reach returns where the line can be reached, best first.
	Reach func(number string) []Party
}

// Route returns whom to ring, or the status to refuse with: 404 when there is no such number, 480 when
// its phone is not registered, 486 when a line rings itself.
func (d DialPlan) Route(caller, number string) (Party, int) {
	name, known := d.Known(number)
	if !known {
		return Party{}, 404
	}
	if number == caller {
		return Party{}, 486
	}
	places := d.Reach(number)
	if len(places) == 0 {
		return Party{}, 480
	}
	to := places[0]
	to.Number, to.Name = number, name
	return to, 0
}
