package register

import (
	"strings"

	"github.com/longcord/longcord/wire/sip"
)

// Self is what a phone compares an order with.
type Self struct {
	CallID    string // of its REGISTER
	Stamp     string // version stamp of the file that it runs
	UserAgent string
}

// Obey is the phone's half of service control: how it answers a NOTIFY outside a dialog, and what it is to
// do. ok is false when there is nothing to do, as for a check of versions that finds none changed. A phone
// in a call does it when the call is over.
func Obey(request *sip.Message, self Self) (status int, order Order, ok bool) {
	event, params, _ := strings.Cut(request.Fields.Get("Event"), ";")
	switch strings.TrimSpace(event) {
	case sip.EventCheckSync:
		order.Action = sip.ApplyConfig
		if strings.Contains(params, "reboot=true") {
			order.Action = sip.Reset
		}
		return 200, order, true
	case sip.EventServiceControl:
		return obeyService(request, self)
	}
	return 489, order, false
}

func obeyService(request *sip.Message, self Self) (status int, order Order, ok bool) {
	content, _, _ := strings.Cut(request.Fields.Get("Content-Type"), ";")
	body, err := sip.ParseServiceControl(request.Body)
	switch {
	case !strings.EqualFold(strings.TrimSpace(content), "text/plain"), err != nil:
		return 400, order, false
	case body.CallID != self.CallID: // some other phone's, or of a registration that is no more
		return 400, order, false
	case refuses(request, body, self.UserAgent):
		return 400, order, false
	}
	order.Action = body.Action
	order.Stamp, _ = body.Stamp(sip.ConfigStamp)
	switch body.Action {
	case sip.CheckVersion:
		return 200, order, order.Stamp != self.Stamp
	case sip.ApplyConfig, sip.Restart, sip.Reset, sip.ReportProblem:
		return 200, order, true
	}
	return 400, order, false
}

// refuses reports whether a load of this name is known to answer 400 to such a request.
func refuses(request *sip.Message, body sip.ServiceControl, agent string) bool {
	from, err := request.From()
	l, _ := loadOf(agent)
	_, feature := body.Stamp(sip.FeatureControlStamp)
	return err != nil || l.refusesUser && from.URI.User != "" || l.refusesFeature && feature
}
