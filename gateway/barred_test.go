package gateway

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

// registrationTo is a packet of a phone to a call manager's port.
func (c *client) registrationTo(server string, proto byte, port uint16) {
	c.t.Helper()
	c.sendFrame(cstp.Data, packet(c.answer.Address.String(), server, proto, port, 8))
}

// TestRegistrationBarred: a phone whose registrations its filter denies is spoken of, with what to write, until one gets
// through or it leaves.
func TestRegistrationBarred(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withPhone, with)
	phone := w.tunnel(phoneURL, "anna")
	phone.registrationTo("10.20.0.9", protoUDP, 6000)
	phone.registrationTo("10.20.0.9", protoTCP, 2000)
	w.until("denied", func() bool {
		f := standing(board, finding.RegistrationACL)
		return f != nil && f.Subject == aPhone && strings.Contains(f.Says, "10.20.0.9") && strings.Contains(f.Says, "access list fence of group policy phones denies tcp 2000") &&
			strings.Contains(f.Fix[0], `{action: permit, protocol: tcp, destination: 10.20.0.9/32, ports: "2000"}`)
	})
	phone.registrationTo(files, protoUDP, 5060) // which is permitted, and another call manager
	if got := w.toHost(); got[16:20] != "\x0a\x14\x00\x05" {
		t.Fatalf("the host got %x", got)
	}
	if standing(board, finding.RegistrationACL) == nil {
		t.Error("another call manager lets it in, and the denial is forgotten")
	}

	set := declared()
	set.AccessLists["fence"].Entries = append(set.AccessLists["fence"].Entries,
		inventory.AccessEntry{Action: "permit", Protocol: "tcp", Destination: "10.20.0.9/32", Ports: "2000"})
	w.inventory.Store(set)
	w.until("the filter is the new one", func() bool { return len(w.only().filter.Load().four) == 2 })
	phone.registrationTo("10.20.0.9", protoTCP, 2000)
	w.until("permitted", func() bool { return standing(board, finding.RegistrationACL) == nil })

	phone.registrationTo("10.20.0.8", protoTCP, 2000)
	w.until("denied again", func() bool { return standing(board, finding.RegistrationACL) != nil })
	w.only().end(tunnel.UserLogout)
	if f := standing(board, finding.RegistrationACL); f != nil {
		t.Errorf("its session is over: %+v", f)
	}
}

// TestRegistrationOfOthers: of computers, and of phones that are to get a certificate before anything else, nothing is said.
func TestRegistrationOfOthers(t *testing.T) {
	t.Parallel()
	for name, record := range map[string]sessionRecord{"computer": {User: "bert"}, "enrolment": {Device: aPhone, Enrolment: true}} {
		s := &session{record: record}
		var h header
		if !parseHeader(packet("10.99.0.2", "10.20.0.9", protoUDP, 5060, 8), &h) || !registers(&h) {
			t.Fatal("no registration")
		}
		s.registering(&h, false)
		if at := s.barred.Load(); at != nil {
			t.Errorf("%s: %+v", name, at)
		}
	}
}
