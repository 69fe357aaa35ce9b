package read

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Alarms of CUCM about its phones, as its syslog and RTMT have them: docs/wire/gateway-logs.md#cucms-alarms.
var (
	cucmAlarm = compile(`%(?:UC|CCM)_CALLMANAGER(?:-CALLMANAGER)?-\d-((?:Device|EndPoint)(?:Registered|Unregistered|TransientConnection)) ?:`)
	cucmField = compile(`\[(\w+)=([^\]]*)\]`)
	cucmOlder = compile(`\b(Device name|Device IP address|Reason Code)(?: \[Optional\])?\.?: ?([\w.:-]+)`)
)

var _ = recognise(Recogniser{
	Format: "alarms of CUCM", Platform: finding.CUCM, Early: true,
	Marks: []string{"_callmanager-"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &cucmAlarms{in} },
})

type cucmAlarms struct{ in *fact.Input }

// refusals are the reasons of TransientConnection for which no later try comes out better, by their numbers.
var refusals = map[string]string{
	"2":  "its database has no such device, and it does not register new ones by itself",
	"3":  "the device is configured wrongly in its database",
	"5":  "as many devices are registered as it takes",
	"10": "the security mode of the device is another than its Phone Security Profile has",
	"11": "the name in the certificate is not the one that its Phone Security Profile has",
	"12": "phone and call manager have no TLS cipher in common",
	"13": "the directory number of the line is another than the one in its database",
	"14": "it does not understand the phone's REGISTER",
	"15": "the device is configured for the other protocol, SIP instead of SCCP or the other way round",
	"16": "the device has not been activated",
	"17": "a device of this name is registered already",
	"18": "the phone's version of SCCP is too old",
	"28": "the security settings of the device are others than those of the call manager",
	"32": "the model is another than the one in its database",
	"33": "phone and call manager are set for different versions of IP",
}

// wanted are reasons of TransientConnection that are somebody's will: none, a reset by the device, one by the call manager.
var wanted = map[string]bool{"0": true, "8": true, "9": true}

// losses are reasons after which the phone and the call manager no longer heard each other, by their numbers.
var losses = map[string]string{"6": "connectivity-error", "13": "keepalive-timeout", "18": "device-no-response"}

func (r *cucmAlarms) Line(l Line) bool {
	m := cucmAlarm.FindStringSubmatch(l.Raw)
	if m == nil {
		return false
	}
	fields := map[string]string{}
	for _, f := range cucmField.FindAllStringSubmatch(l.Raw, -1) {
		fields[f[1]] = f[2]
	}
	for _, f := range cucmOlder.FindAllStringSubmatch(l.Raw, -1) {
		fields[map[string]string{"Device name": "DeviceName", "Device IP address": "IPAddress", "Reason Code": "Reason"}[f[1]]] = f[2]
	}
	device, reason := fields["DeviceName"], fields["Reason"]
	if reason == "" {
		reason = fields["ReasonCode"]
	}
	if device == "" {
		device = "a phone at " + fields["IPAddress"]
	}
	add := func(kind fact.Kind, values ...string) {
		r.in.Add(kind, l.Number, l.Raw, l.Time, pairs(values...)...)
	}
	switch name := m[1]; {
	case name == "DeviceRegistered" || name == "EndPointRegistered":
		add(fact.RegistrarRegistered, "line", device, "client", fields["IPAddress"])
	case name == "DeviceUnregistered" || name == "EndPointUnregistered":
		last := losses[reason]
		if last == "" {
			last = "reason " + reason
		}
		add(fact.PhoneAlarm, "device", device, "last", last)
	case refusals[reason] != "":
		add(fact.RegistrarRefused, "program", "CUCM", "line", device, "client", fields["IPAddress"], "cause", "reason "+reason, "reason", refusals[reason])
	case wanted[reason]:
		add(fact.PhoneAlarm, "device", device, "last", "reason "+reason)
	default:
		add(fact.PhoneAlarm, "device", device, "last", losses["6"])
	}
	return true
}

func (r *cucmAlarms) End() {}
