package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Alarms: what a phone tells its call manager when it comes back, docs/wire/phone-logs.md#alarms. It stands in the
// debug display of its page, in REGISTER, and in logs of call managers.
var _ = recognise(Recogniser{
	Format: "alarm of a phone", Platform: finding.Phone,
	Marks: []string{"name=sep", "reasonforoutofservicetext=", "reasonforoutofservice\">", "restart cause"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &alarmReader{in} },
})

type alarmReader struct{ in *fact.Input }

var (
	alarmLine = compile(`(?:cisco-alarm:\d+|\b\d{1,3}:|Severity: [^,]{1,40},) ?Name=(SEP[0-9A-F]{12})\b(?:.*?\b(?:Active)?Load= ?(\S+))?.*?\bLast=([\w-]+)`)
	outOfWork = compile(`(?:DeviceName=(SEP[0-9A-F]{12})\b.*)?ReasonForOutOfServiceText=([\w-]+)`)
	// outOfWorkXML is the same for SCCP, with a number: x-cisco-alarm.
	outOfWorkXML = compile(`(?:<String name="DeviceName">([Ss][Ee][Pp][0-9A-Fa-f]{12})</String>.*)?<Enum name="ReasonForOutOfService">(\d+)</Enum>`)
	// restart is the same in the network statistics of a phone's screen and page.
	restart = compile(`(?i)^\W*Restart cause\W+([A-Za-z][\w -]*?)\W*$`)
)

// outOfWorkReasons are numbers of ReasonForOutOfService, in CUCM's words: docs/wire/phone-logs.md#alarms.
var outOfWorkReasons = map[string]string{
	"10": "TCPtimedOut", "12": "TCPucmResetConnection", "13": "TCPucmAbortedConnection", "14": "TCPucmClosedConnection",
	"15": "SCCPKeepAliveFailure", "17": "TCPDeviceRegistrationTimedOut", "24": "TCPClosedRegistrationReject",
}

func (r *alarmReader) Line(l Line) bool {
	device, load, last := "", "", ""
	if m := alarmLine.FindStringSubmatch(l.Text); m != nil {
		device, load, last = m[1], m[2], m[3]
	} else if m := outOfWork.FindStringSubmatch(l.Text); m != nil {
		device, last = m[1], m[2]
	} else if m := outOfWorkXML.FindStringSubmatch(l.Raw); m != nil {
		device, last = strings.ToUpper(m[1]), outOfWorkReasons[m[2]]
		if last == "" {
			last = "reason " + m[2]
		}
	} else if m := restart.FindStringSubmatch(l.Text); m != nil {
		last = m[1]
	} else {
		return false
	}
	load = strings.TrimSuffix(load, ".loads")
	if device != "" {
		r.in.Add(fact.Device, l.Number, l.Text, l.Time, pairs("device", device, "load", load)...)
	}
	if plain := strings.ToLower(last); strings.Contains(plain, "reg-rej") || strings.Contains(plain, "registrationreject") {
		r.in.Add(fact.PhoneRegisterRefused, l.Number, l.Text, l.Time, pairs("device", device, "text", last)...)
	} else {
		r.in.Add(fact.PhoneAlarm, l.Number, l.Text, l.Time, "last", last)
	}
	return true
}

func (r *alarmReader) End() {}
