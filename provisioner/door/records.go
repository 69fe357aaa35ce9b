package door

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/longcord/longcord/store"
)

// invitationRecord is what the store keeps of an invitation. Its name in the table is the SHA-256 of the
// link's token, never the token: who reads the store cannot open doors.
type invitationRecord struct {
	Device  string    `json:"device"`
	By      string    `json:"by"` // the operator who made it
	Made    time.Time `json:"made"`
	Expires time.Time `json:"expires"` // it can be used until then

	Used    time.Time  `json:"used,omitzero"`
	From    netip.Addr `json:"from,omitzero"`    // who used it
	Carried bool       `json:"carried,omitzero"` // by a laptop; else a door was opened for From
	Ticket  string     `json:"ticket,omitempty"` // SHA-256 of what the laptop asks with how the phone fares
	Until   time.Time  `json:"until,omitzero"`   // when the door shuts

	Delivered time.Time `json:"delivered,omitzero"` // the starter file arrived at the phone
}

// keptFor is how long an invitation stands in the list after it is over.
const keptFor = 24 * time.Hour

// over is when nothing more can come of an invitation.
func (r invitationRecord) over() time.Time {
	if r.Used.IsZero() {
		return r.Expires
	}
	if r.Until.After(r.Used) {
		return r.Until
	}
	return r.Used
}

func invitationTable(s store.Store) *store.Table[invitationRecord] {
	return store.NewTable[invitationRecord](s, "provisioner/invitation/", 1, nil)
}

// hashOf is the name under which what belongs to a token is found.
func hashOf(token string) string {
	sum := sha256.Sum256([]byte(token))
	return hex.EncodeToString(sum[:])
}
