package register

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/wire/sip"
)

// Manner is how a phone's load wants to be told what to do. Loads answer 400 to a NOTIFY that another load
// takes (docs/wire/sip.md#service-control).
type Manner struct {
	CheckSync string          // this Event, without a body, in place of service-control
	Stamps    []sip.StampKind // that the body names
	FromUser  bool            // From has a user part
}

var (
	threeStamps = []sip.StampKind{sip.ConfigStamp, sip.DialplanStamp, sip.SoftkeyStamp}
	allStamps   = append(slices.Clone(threeStamps), sip.FeatureControlStamp, sip.HeadsetStamp)
)

// common is what enterprise firmware gets of which nothing else is known: what most servers send. The
// others are tried in their order when a phone answers 400: first what two loads are known to want, then as
// little as can be said.
var common = []Manner{
	{Stamps: allStamps, FromUser: true},
	{Stamps: threeStamps},
	{},
}

// known is what single loads are known to want, by the beginning of their User-Agent, and to what they
// answer 400. The first that fits counts.
var known = []load{
	{agent: "Cisco-CP7940G", manner: Manner{CheckSync: sip.EventCheckSync}},
	{agent: "Cisco-CP7960G", manner: Manner{CheckSync: sip.EventCheckSync}},
	{agent: "Cisco-CP7975G", manner: Manner{Stamps: threeStamps}, refusesUser: true},       // 9.4.2
	{agent: "Cisco-CP8861/14.", manner: Manner{Stamps: threeStamps}, refusesFeature: true}, // 14.1.1
}

type load struct {
	agent          string
	manner         Manner
	refusesUser    bool // a From with a user part
	refusesFeature bool // FeatureControlVersionStamp
}

func loadOf(agent string) (load, bool) {
	i := slices.IndexFunc(known, func(l load) bool { return strings.HasPrefix(agent, l.agent) })
	if i < 0 {
		return load{}, false
	}
	return known[i], true
}

// foreign is for phones that are no enterprise firmware. They reboot only when told so.
var foreign = Manner{CheckSync: sip.EventCheckSync}

// mannersOf returns the ways in which a phone may be told, the likeliest first.
func mannersOf(b Binding) []Manner {
	l, found := loadOf(b.UserAgent)
	switch {
	case found && (l.manner.CheckSync != "" || b.Device != ""):
		return append([]Manner{l.manner}, others(l.manner)...)
	case b.Device == "":
		return []Manner{foreign}
	}
	return common
}

// others returns the common manners but this one.
func others(m Manner) []Manner {
	if m.CheckSync != "" {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(common), m.equal)
}

func (m Manner) equal(n Manner) bool {
	return m.CheckSync == n.CheckSync && m.FromUser == n.FromUser && slices.Equal(m.Stamps, n.Stamps)
}

// String says it in a few words, for logs.
func (m Manner) String() string {
	if m.CheckSync != "" {
		return m.CheckSync
	}
	var names []string
	for _, s := range m.Stamps {
		names = append(names, string(s))
	}
	from := "without user"
	if m.FromUser {
		from = "with user"
	}
	return "From " + from + ", stamps [" + strings.Join(names, " ") + "]"
}
