package gateway

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/cstp"
)

const aPhone = "SEP001122334455"

func withPhone(w *world, _ *Config) {
	w.users["anna"] = struct{ password, device string }{"secret of anna", aPhone}
	w.users["bert"] = struct{ password, device string }{"secret of bert", ""}
}

// TestPhoneWithoutDTLS: a phone that asks for DTLS and cannot have it is spoken of, until it gets it.
func TestPhoneWithoutDTLS(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withPhone, withoutDTLS, with)
	w.tunnel(staffURL, "bert")
	if f := standing(board, finding.DTLSDisabled); f != nil {
		t.Errorf("of a computer: %+v", f)
	}
	client := w.dial(modern())
	cookie := client.cookie(staffURL, "anna")
	if err := client.connect(client.offer(cookie)); err != nil {
		t.Fatal(err)
	}
	// What is found out is on the board a moment after the client has its answer.
	w.until("switched off", func() bool {
		f := standing(board, finding.DTLSDisabled)
		return f != nil && f.Subject == aPhone && strings.Contains(f.Evidence[0].Text, "switched it off")
	})
	w.inventory.Store(declared())
	client = w.dial(modern())
	request := client.offer(client.cookie(staffURL, "anna"))
	request.CipherSuites, request.CipherSuites12 = []string{"RC4-MD5"}, nil
	if err := client.connect(request); err != nil {
		t.Fatal(err)
	}
	w.until("no cipher", func() bool {
		f := standing(board, finding.DTLSCipherMismatch)
		return f != nil && strings.Contains(f.Says, "RC4-MD5") && standing(board, finding.DTLSDisabled) == nil
	})
	w.tunnel(staffURL, "anna")
	w.until("DTLS is offered", func() bool { return standing(board, finding.DTLSCipherMismatch) == nil })
}

// TestPhoneTimedOut: a timer that ends a phone's session is spoken of, until its policy has none.
func TestPhoneTimedOut(t *testing.T) {
	t.Parallel()
	board := finding.NewBoard()
	s := &session{g: &Gateway{config: Config{Findings: board}}, record: sessionRecord{Device: aPhone}}
	s.machine = tunnel.NewSession(tunnel.SessionConfig{Login: time.Now()}, time.Now())
	for cause, d := range map[tunnel.Cause]finding.Declaration{tunnel.IdleTimeout: finding.IdleTimeout, tunnel.SessionTimeout: finding.SessionTimeout} {
		s.judgeEnd(tunnel.End{Cause: cause}, time.Hour)
		if f := standing(board, d); f == nil || f.Subject != aPhone {
			t.Errorf("%s: %+v", d.Code, board.Findings())
		}
		var policy tunnel.Policy
		policy.IdleTimeout, policy.SessionTimeout = time.Minute, time.Minute
		s.judgeGrant(policy, cstp.Request{}, "")
		if standing(board, d) == nil {
			t.Errorf("%s is gone though the policy has the timer", d.Code)
		}
		s.judgeGrant(tunnel.Policy{}, cstp.Request{}, "")
		if f := standing(board, d); f != nil {
			t.Errorf("without the timer: %+v", f)
		}
	}
	s.judgeEnd(tunnel.End{Cause: tunnel.UserLogout}, time.Hour)
	s.record.Device = ""
	s.judgeEnd(tunnel.End{Cause: tunnel.IdleTimeout}, time.Hour)
	if all := board.Findings(); len(all) != 0 {
		t.Errorf("logging off, and a computer's idleness, are nothing: %+v", all)
	}
}

// TestPhoneAddressChanged: a phone that loses its address to somebody else is spoken of, until it gets the same twice.
func TestPhoneAddressChanged(t *testing.T) {
	t.Parallel()
	board := finding.NewBoard()
	s := &session{g: &Gateway{config: Config{Findings: board}}, record: sessionRecord{Device: aPhone}}
	a, b := netip.MustParseAddr("10.0.0.2"), netip.MustParseAddr("10.0.0.3")
	s.judgeAddress(netip.Addr{}, a)
	if f := standing(board, finding.AddressChanged); f != nil {
		t.Errorf("its first address: %+v", f)
	}
	s.judgeAddress(a, b)
	if f := standing(board, finding.AddressChanged); f == nil || !strings.Contains(f.Says, "10.0.0.2, now 10.0.0.3") {
		t.Errorf("another address: %+v", f)
	}
	s.judgeAddress(b, b)
	if f := standing(board, finding.AddressChanged); f != nil {
		t.Errorf("the same again: %+v", f)
	}
}

// TestPoolKnowsWhatWasTaken: the pool says which address an owner had, also when somebody else has it now.
func TestPoolKnowsWhatWasTaken(t *testing.T) {
	t.Parallel()
	p := newPool(netip.MustParsePrefix("10.0.0.0/30")) // one address
	addr, _ := p.take("a")
	p.release(addr)
	if got := p.last("a"); got != addr {
		t.Errorf("a had %v, want %v", got, addr)
	}
	for _, other := range []string{"b", "c", "d"} {
		p.take(other)
		p.release(addr)
		if got := p.last("a"); got != addr && other == "b" {
			t.Errorf("b has it; a had %v, want %v", got, addr)
		}
		if len(p.lost) > p.size() {
			t.Errorf("%d lost addresses are remembered, of %d", len(p.lost), p.size())
		}
	}
}
