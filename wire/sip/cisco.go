package sip

import (
	"fmt"
	"strconv"
	"strings"
)

// Names of Contact parameters that enterprise phones write (docs/wire/sip.md#contact).
const (
	paramInstance   = "+sip.instance"
	paramDeviceName = "+u.sip!devicename.ccm.cisco.com"
	paramModel      = "+u.sip!model.ccm.cisco.com"
	// NewRegistration stands in a registrar's answer when the registration is new to it.
	NewRegistration = "x-cisco-newreg"
)

// Device is what a Cisco phone says about itself in its Contact.
type Device struct {
	Instance string // urn:uuid of the phone, which ends in its MAC
	Name     string // SEP and the MAC
	Model    int    // Cisco's number of the model, such as 684 for an 8851
}

// DeviceOf reads the Cisco parameters of a Contact; ok is false when there is no device name.
func DeviceOf(contact Address) (d Device, ok bool) {
	d.Instance = strings.Trim(contact.Params.Get(paramInstance), "<>")
	d.Name = contact.Params.Get(paramDeviceName)
	d.Model, _ = strconv.Atoi(contact.Params.Get(paramModel))
	return d, d.Name != ""
}

// Params returns the device as Contact parameters, in the order in which phones write them.
func (d Device) Params() Params {
	return Params{
		{Name: paramInstance, Value: "<" + d.Instance + ">", Quoted: true},
		{Name: paramDeviceName, Value: d.Name, Quoted: true},
		{Name: paramModel, Value: strconv.Itoa(d.Model), Quoted: true},
	}
}

// Alarm is what a phone tells at its first registration after a restart: why, and what it runs.
type Alarm struct {
	Number int    // 25 for "initialized", for example
	Name   string // device name
	Load   string // firmware that runs
	Last   string // reason of the last restart
}

// ParseAlarm reads the text of a Reason field: SIP;cause=200;text="cisco-alarm:25 Name=… Last=…". ok is
// false when it is a Reason of another kind. Older loads write Load, newer ones ActiveLoad.
func ParseAlarm(reason string) (a Alarm, ok bool) {
	_, params, _ := strings.Cut(reason, ";")
	p, err := parseParams(params)
	text, isAlarm := strings.CutPrefix(p.Get("text"), "cisco-alarm:")
	if err != nil || !isAlarm {
		return a, false
	}
	words := strings.Fields(text)
	if len(words) == 0 {
		return a, false
	}
	if a.Number, err = strconv.Atoi(words[0]); err != nil {
		return a, false
	}
	for _, word := range words[1:] {
		switch key, value, _ := strings.Cut(word, "="); key {
		case "Name":
			a.Name = value
		case "Load", "ActiveLoad":
			a.Load = value
		case "Last":
			a.Last = value
		}
	}
	return a, true
}

// String writes the alarm as a Reason field.
func (a Alarm) String() string {
	return fmt.Sprintf(`SIP;cause=200;text="cisco-alarm:%d Name=%s ActiveLoad=%s InactiveLoad= Last=%s"`,
		a.Number, a.Name, a.Load, a.Last)
}

// RemoteParty is the other party's name and number for a phone's display.
type RemoteParty struct {
	Name string
	URI  URI
	Role string // calling or called
}

// String writes a Remote-Party-ID field.
func (r RemoteParty) String() string {
	return Address{Name: r.Name, URI: r.URI}.String() +
		";party=" + r.Role + ";id-type=subscriber;privacy=off;screen=yes"
}

// ParseRemoteParty reads a Remote-Party-ID field.
func ParseRemoteParty(text string) (RemoteParty, error) {
	a, err := ParseAddress(text)
	if err != nil {
		return RemoteParty{}, fmt.Errorf("sip: Remote-Party-ID: %w", err)
	}
	return RemoteParty{Name: a.Name, URI: a.URI, Role: a.Params.Get("party")}, nil
}
