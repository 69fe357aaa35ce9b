package register

import (
	"strings"

	"github.com/longcord/longcord/wire/sip"
)

// allow is what the call manager understands outside calls.
const allow = "REGISTER,INVITE,ACK,CANCEL,BYE,OPTIONS,REFER,NOTIFY"

// Chatter answers what phones send besides REGISTER and calls, so that they do not repeat it: alarms and
// notes of their state are accepted, what we do not serve is refused for good. The request is one outside
// a dialog. registered tells whether it came over the flow of a registered phone; the alarm that a phone
// sends before it registers is accepted from anybody, because it opens nothing.
func Chatter(request *sip.Message, registered bool) *sip.Message {
	status := chatterStatus(request, registered)
	r := sip.NewResponse(request, status, request.FromTag()+"-cm")
	switch status {
	case 200, 405:
		r.Fields.Add("Allow", allow)
		r.Fields.Add("Accept", "application/sdp")
	case 489:
		r.Fields.Add("Allow-Events", "dialog")
	}
	return r
}

func chatterStatus(request *sip.Message, registered bool) int {
	content, _, _ := strings.Cut(request.Fields.Get("Content-Type"), ";")
	switch request.Method {
	case sip.Options:
		return 200
	case sip.Refer:
		switch {
		case content == "application/x-cisco-alarm+xml",
			content == "application/x-cisco-remotecc-response+xml",
			strings.Contains(request.Fields.Get("Refer-To"), "urn:x-cisco-remotecc:token-registration"):
			return 202
		case !registered:
			return 403
		}
		return 603 // a soft key that we do not serve
	case sip.Notify:
		switch {
		case !registered:
			return 403
		case request.Fields.Get("Event") == "dialog": // hook state
			return 200
		}
		return 489
	case sip.Subscribe, sip.Publish:
		return 489
	}
	return 405
}
