package sccp

import "slices"

// Version is the protocol version that phone and call manager have agreed on. Before they have, it is 0.
type Version uint8

// Versions from which on layouts are other than before (docs/wire/sccp.md#versions).
const (
	withHeader   Version = 10 // the header names the version
	dynamicTexts Version = 8  // prompts and services
	dynamicLines Version = 17 // lines; and addresses have a kind
	longNumbers  Version = 18 // numbers have 25 bytes
)

// versions are those in which nothing is disputed (docs/wire/sccp.md#versions).
var versions = []Version{3, 5, 11, 15, 17, 18, 20, 22}

// Oldest and Newest bound what is spoken here.
const (
	Oldest Version = 3
	Newest Version = 22
)

// Negotiate returns the version for a phone that speaks up to that one.
func Negotiate(phone Version) Version {
	best := Oldest
	for _, v := range versions {
		if v <= phone {
			best = v
		}
	}
	return best
}

// Spoken reports whether a version is one of those that are spoken here.
func (v Version) Spoken() bool { return slices.Contains(versions, v) }

// DynamicTexts reports whether prompts and services have the newer messages.
func (v Version) DynamicTexts() bool { return v >= dynamicTexts }

// DynamicLines reports whether lines, speed dials and features have the newer messages.
func (v Version) DynamicLines() bool { return v >= dynamicLines }

// headerOf returns what the header of a message says. Those that come before there is an agreement, or are the same
// in every version, say nothing.
func headerOf(m Message, v Version) uint32 {
	switch m.(type) {
	case *RegisterReq, *RegisterAck, *RegisterReject, *RegisterTokenReq, *RegisterTokenAck, *RegisterTokenReject, *Alarm,
		*KeepAliveReq, *KeepAliveAck, *UnregisterAck:
		return 0
	}
	if v < withHeader {
		return 0
	}
	return uint32(v)
}
