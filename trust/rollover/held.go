package rollover

import (
	"net/netip"
	"slices"
	"time"

	"github.com/longcord/longcord/stage/verify"
)

// File is one file of a phone as it arrived there.
type File struct {
	Stamp  string     `json:"stamp"`
	Hashes []string   `json:"hashes"`      // its certHash elements
	At     time.Time  `json:"at"`          // when its last byte had arrived
	To     netip.Addr `json:"to,omitzero"` // the address that it went to; zero: certainly the phone's own
	// Counts says that it counts as held by a phone whose registrations somebody else takes.
	Counts bool `json:"counts,omitempty"`
	// Other says that somebody else than the phone fetched it: it is no sign of the phone.
	Other bool `json:"other,omitempty"`
}

// same reports whether two files say the same.
func (f File) same(other File) bool {
	return f.Stamp == other.Stamp && slices.Equal(f.Hashes, other.Hashes)
}

// has reports whether a phone with this file believes a chain of certificates in DER.
func (f File) has(chain [][]byte) bool {
	_, _, ok := verify.Match(chain, f.Hashes)
	return ok
}

// Held is what is known of the file that one phone holds. A file that arrived may have been thrown away
// again (a wrong signature, a power cut), or have been fetched by somebody else, so it is taken for held only
// when the phone has begun a registration since, from where the file went. Until then the phone may hold it
// or any file before it.
type Held struct {
	Proven *File     `json:"proven,omitempty"` // nil: nothing is known
	Later  []File    `json:"later,omitempty"`  // arrived since, oldest first
	Read   time.Time `json:"read,omitzero"`    // how far deliveries were taken in
	Seen   time.Time `json:"seen,omitzero"`    // last sign of the phone: a file, a registration, a tunnel

	elsewhere bool // somebody else takes its registrations
}

// maxLater bounds the files that wait for a proof. Beyond it the two oldest become one that has the hashes
// of both.
const maxLater = 8

// Delivered takes in a file that arrived. Files from before what was taken in already say nothing new.
// It reports whether anything changed.
func (h *Held) Delivered(f File) bool {
	if !f.At.After(h.Read) {
		return false
	}
	h.Read = f.At
	if !f.Other {
		h.SeenAt(f.At)
	}
	if n := len(h.Later); n == 0 && h.Proven != nil && h.Proven.same(f) || n > 0 && h.Later[n-1].same(f) && h.Later[n-1].To == f.To && h.Later[n-1].Counts == f.Counts {
		return true // the same again
	}
	if h.Later = append(h.Later, f); len(h.Later) > maxLater {
		merged := h.Later[1]
		merged.Hashes = slices.DeleteFunc(slices.Clone(merged.Hashes), func(hash string) bool {
			return !slices.Contains(h.Later[0].Hashes, hash)
		})
		h.Later = append([]File{merged}, h.Later[2:]...)
	}
	return true
}

// Took takes the last file that arrived and counts for held, without a registration: for phones whose
// registrations somebody else takes.
func (h *Held) Took() bool {
	for i := len(h.Later) - 1; i >= 0; i-- {
		if h.Later[i].Counts {
			h.prove(i)
			return true
		}
	}
	return false
}

// Registered takes in that the phone began a registration. The file must have arrived before at the address
// that the phone registers from, and, with a stamp, which some phones tell, be that one. It reports whether
// that proved a file.
func (h *Held) Registered(r Registration) bool {
	for i := len(h.Later) - 1; i >= 0; i-- {
		f := h.Later[i]
		here := !f.To.IsValid() || !r.From.IsValid() || f.To == r.From
		if here && r.Began.After(f.At) && (r.Stamp == "" || r.Stamp == f.Stamp) {
			h.prove(i)
			return true
		}
	}
	return false
}

func (h *Held) prove(i int) {
	proven := h.Later[i]
	h.Proven, h.Later = &proven, slices.Clone(h.Later[i+1:])
}

// SeenAt takes in a sign of the phone.
func (h *Held) SeenAt(at time.Time) {
	if at.After(h.Seen) {
		h.Seen = at
	}
}

// Believes reports whether the phone believes a chain of certificates, whichever of the files it may hold
// it holds.
func (h *Held) Believes(chain [][]byte) bool {
	if h == nil || h.Proven == nil || !h.Proven.has(chain) {
		return false
	}
	return !slices.ContainsFunc(h.Later, func(f File) bool { return !f.has(chain) })
}

// New reports whether the phone has never been heard of: it holds no file of ours, and no change can keep
// it out.
func (h *Held) New() bool { return h == nil || h.Seen.IsZero() }
