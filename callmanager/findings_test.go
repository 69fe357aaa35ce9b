package callmanager

import (
	"net/netip"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

// TestFindings raises what is wrong with registrations, and takes it back.
func TestFindings(t *testing.T) {
	m, stop := serve(t, memory.New())
	stop()
	board := finding.NewBoard()
	m.config.Findings = board
	stands := func(d finding.Declaration, subject string) bool {
		for _, f := range board.Findings() {
			if f.Code == d.Code && f.Subject == subject {
				return true
			}
		}
		return false
	}
	for _, noise := range []string{"+\x13\x9c\f}", "SEP00\n\x1b[31m"} {
		if m.isRefused(register.Denied{Line: noise, Why: "there is no such Device"}); len(board.Findings()) != 0 {
			t.Errorf("%q stands among the findings: %+v", noise, board.Findings())
		}
	}
	const phone = "SEP001122334455"
	from := func(contact, peer string) register.Binding {
		return register.Binding{Line: "1001", Device: phone, Contact: "<sip:1001@" + contact + ":5060>", Flow: sip.Flow{Transport: sip.TCP, Peer: netip.MustParseAddrPort(peer)}}
	}
	m.isRefused(register.Denied{Line: "1001", Why: "wrong secret for line 1001"})
	if !stands(finding.RegistrationRefused, "1001") {
		t.Errorf("refused: %+v", board.Findings())
	}
	m.isIn(from("10.0.0.5", "10.0.0.5:40000"))
	if stands(finding.RegistrationRefused, "1001") || stands(finding.NATInTheWay, phone) {
		t.Errorf("registered from where it is: %+v", board.Findings())
	}
	m.isIn(from("192.168.1.5", "10.0.0.1:40000"))
	if !stands(finding.NATInTheWay, phone) {
		t.Errorf("registered from elsewhere: %+v", board.Findings())
	}
	m.isIn(from("phone.example.com", "10.0.0.1:40000"))
	if stands(finding.NATInTheWay, phone) {
		t.Errorf("a name tells nothing: %+v", board.Findings())
	}
}
