package login

import (
	"fmt"
	"net/netip"
	"testing"
	"time"

	"github.com/longcord/longcord/inventory"
)

// guess fails to log in with as many passwords as are given.
func (w *ward) guess(user, source string, times int) {
	w.t.Helper()
	for i := range times {
		w.guesses++
		r := request(user, fmt.Sprint("guess ", w.guesses), "staff")
		r.Source = netip.MustParseAddr(source)
		if got := w.login(r); got != "refused: wrong password" && got != "refused: unknown user" {
			w.t.Fatalf("guess %d of %s from %s: %s", i, user, source, got)
		}
	}
}

func from(r Request, source string) Request {
	r.Source = netip.MustParseAddr(source)
	return r
}

func TestUserIsBannedAtAnAddress(t *testing.T) {
	inWard(t, func(w *ward) {
		anna, bert := request("anna", "secret", "staff"), request("bert", "secret", "staff")
		w.guess("anna", sourceA, ofOneUser.failures)
		w.wantStanding("login-banned", "anna from 192.0.2.1")
		w.want(anna, "banned")
		w.want(request("Anna", "secret", "staff"), "banned")
		w.want(bert, "bert")
		w.want(from(anna, sourceB), "anna SEP000000000001")
		w.want(anna, "banned")
		time.Sleep(ofOneUser.forget)
		w.guess("anna", sourceA, 1)
		w.want(anna, "banned")
		time.Sleep(ofOneUser.forget)
		w.want(anna, "anna SEP000000000001")
		w.wantStanding("login-banned")
		w.guess("anna", sourceA, ofOneUser.failures)
		w.want(anna, "banned")
	})
}

// TestNewPasswordLiftsABan: the help desk's usual remedy works at once.
func TestNewPasswordLiftsABan(t *testing.T) {
	inWard(t, func(w *ward) {
		w.guess("bert", sourceA, ofOneUser.failures)
		w.want(request("bert", "secret", "staff"), "banned")
		w.set = house(w.t)
		w.set.Users["bert"] = &inventory.User{Name: "bert", PasswordHash: hashOf("another")}
		w.want(request("bert", "another", "staff"), "bert")
		w.wantStanding("login-banned")
	})
}

// TestStubbornPhone: one that repeats its old password does not guess.
func TestStubbornPhone(t *testing.T) {
	inWard(t, func(w *ward) {
		for range 10 * ofOneAddress.failures {
			w.want(request("anna", "old", "staff"), "refused: wrong password")
		}
		w.want(request("anna", "secret", "staff"), "anna SEP000000000001")
		w.wantStanding("login-banned")
	})
}

// TestAddressIsBanned: who tries many names is stopped, and who logged in there lately is spared.
func TestAddressIsBanned(t *testing.T) {
	inWard(t, func(w *ward) {
		w.want(request("anna", "secret", "staff"), "anna SEP000000000001")
		for i := range ofOneAddress.failures {
			w.guess(fmt.Sprint("name", i), sourceA, 1)
		}
		w.wantStanding("login-banned", "192.0.2.1")
		w.want(request("bert", "secret", "staff"), "banned")
		w.want(request("nobody", "secret", "staff"), "banned")
		w.want(request("anna", "secret", "staff"), "anna SEP000000000001")
		w.want(from(request("bert", "secret", "staff"), sourceB), "bert")
		w.guess("anna", sourceA, ofOneUser.failures)
		w.want(request("anna", "secret", "staff"), "banned")
		time.Sleep(7 * ofOneAddress.forget)
		w.want(request("bert", "secret", "staff"), "bert")
	})
}

func TestIPv6NeighboursAreOneAddress(t *testing.T) {
	inWard(t, func(w *ward) {
		for i := range ofOneUser.failures {
			w.guess("anna", fmt.Sprintf("2001:db8::%x", i+1), 1)
		}
		w.want(from(request("anna", "secret", "staff"), "2001:db8::ffff"), "banned")
		w.wantStanding("login-banned", "anna from 2001:db8::/64")
		w.want(from(request("anna", "secret", "staff"), "2001:db8:0:1::1"), "anna SEP000000000001")
	})
}

// TestWrongAnswersCount: answers to challenges are guesses too.
func TestWrongAnswersCount(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(asksTwice)
		r := request("rosa", "secret", "radius")
		for i := range ofOneUser.failures {
			w.want(answer(r, w.ask(r), fmt.Sprint("guess ", i)), "refused: wrong answer")
		}
		w.want(r, "banned")
	})
}

// TestWhatWasNotCheckedIsNoFailure: a dead server does not ban anybody.
func TestWhatWasNotCheckedIsNoFailure(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(silent)
		w.second.now(silent)
		for i := range 2 * ofOneUser.failures {
			w.want(request("rosa", fmt.Sprint(i), "radius"), "later:…")
		}
		w.first.now(knows("rosa"))
		time.Sleep(deadTime)
		w.want(request("rosa", "secret", "radius"), "rosa")
	})
}

// TestBansAreBounded: what strangers do takes no more memory than is set aside, and does not make a ban
// be forgotten.
func TestBansAreBounded(t *testing.T) {
	inWard(t, func(w *ward) {
		w.guess("anna", sourceA, ofOneUser.failures)
		now := time.Now()
		for i := range 2 * maxBans {
			who := userAt{netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32), "x"}
			w.bans.mu.Lock()
			w.bans.failed(who, failures{last: [32]byte{1}, name: "x"}, now)
			w.bans.mu.Unlock()
		}
		if len(w.bans.users) != maxBans || len(w.bans.addresses) != maxBans {
			t.Errorf("%d users and %d addresses are remembered, want %d", len(w.bans.users), len(w.bans.addresses), maxBans)
		}
		w.want(request("anna", "secret", "staff"), "banned")
	})
}

func TestGoodUsersAreBounded(t *testing.T) {
	inWard(t, func(w *ward) {
		source := sourceOf(netip.MustParseAddr(sourceA))
		for i := range 10 * maxGood {
			w.bans.succeeded(userAt{source, fmt.Sprint(i)}, time.Now())
		}
		if n := len(w.bans.addresses[source].good); n != maxGood {
			t.Errorf("%d good users, want %d", n, maxGood)
		}
		time.Sleep(goodFor + time.Second)
		w.bans.succeeded(userAt{source, "new"}, time.Now())
		if n := len(w.bans.addresses[source].good); n != 1 {
			t.Errorf("%d good users a day later, want the new one", n)
		}
	})
}
