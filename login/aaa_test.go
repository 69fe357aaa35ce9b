package login

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	memorystore "github.com/longcord/longcord/store/memory"
)

// script is a server that says what it is told to.
type script struct {
	mu    sync.Mutex
	says  func(ctx context.Context, r Request, state []byte) (opinion, error)
	asked []string
}

func (s *script) ask(ctx context.Context, r Request, state []byte) (opinion, error) {
	s.mu.Lock()
	s.asked = append(s.asked, fmt.Sprint(r.User, " ", r.Password.Reveal(), " ", string(state)))
	says := s.says
	s.mu.Unlock()
	return says(ctx, r, state)
}

func (s *script) now(says func(context.Context, Request, []byte) (opinion, error)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.says = says
}

func (s *script) questions() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

// knows accepts one user with the password secret.
func knows(user string, policies ...policyName) func(context.Context, Request, []byte) (opinion, error) {
	return func(_ context.Context, r Request, _ []byte) (opinion, error) {
		if r.User != user || r.Password.Reveal() != "secret" {
			return opinion{reason: "no such user, or another password"}, nil
		}
		return opinion{verdict: accepted, policies: policies, result: Result{User: r.User}}, nil
	}
}

// silent is a server that does not answer.
func silent(ctx context.Context, _ Request, _ []byte) (opinion, error) {
	select {
	case <-time.After(10 * time.Second):
		return opinion{}, errors.New("no reply")
	case <-ctx.Done():
		return opinion{}, ctx.Err()
	}
}

// ward is an AAA with two scripted servers.
type ward struct {
	*AAA
	t             *testing.T
	set           *inventory.Set
	kept          *memorystore.Store
	board         *finding.Board
	log           *strings.Builder
	first, second *script
	guesses       int
}

const aCode = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ" // the key of RFC 6238's test vectors

func newWard(t *testing.T) *ward {
	t.Helper()
	w := &ward{t: t, board: finding.NewBoard(), log: &strings.Builder{}, first: &script{says: knows("rosa")}, second: &script{says: knows("second")}}
	w.set = house(t,
		&inventory.AAAServer{Name: "first", Protocol: inventory.RADIUS},
		&inventory.AAAServer{Name: "second", Protocol: inventory.RADIUS},
		&inventory.GroupPolicy{Name: "consultants"},
		&inventory.TunnelGroup{Name: "radius", AuthenticationServerGroup: []string{"first", "second"}},
		&inventory.TunnelGroup{Name: "fallback", AuthenticationServerGroup: []string{"first", "second", inventory.LocalUsers}},
		&inventory.TunnelGroup{Name: "field", SecondaryAuthentication: inventory.SecondField},
		&inventory.TunnelGroup{Name: "form", SecondaryAuthentication: inventory.SecondForm},
		&inventory.TunnelGroup{Name: "both", AuthenticationServerGroup: []string{"first"}, SecondaryAuthentication: inventory.SecondForm},
		&inventory.TunnelGroup{Name: "certificate", Authentication: inventory.AuthenticateCertificate},
		&inventory.TunnelGroup{Name: "certificate and password", Authentication: inventory.AuthenticateBoth},
		&inventory.User{Name: "theo", PasswordHash: hashOf("secret"), TOTPSecret: secret.New(aCode)},
		&inventory.User{Name: "rosa", TOTPSecret: secret.New(aCode)},
		&inventory.User{Name: "locked", GroupLock: "phones"},
	)
	delete(w.set.Users, "broken") // its name's neighbours would pay for a whole hashing
	w.kept = memorystore.New()
	t.Cleanup(func() { w.kept.Close() })
	var err error
	w.AAA, err = New(Config{
		Users: func() *inventory.Set { return w.set }, Store: w.kept, Findings: w.board, Logger: slog.New(slog.NewTextHandler(w.log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	w.servers.make = func(s *inventory.AAAServer, _ *inventory.CertificateAuthority) backend {
		return map[string]*script{"first": w.first, "second": w.second}[s.Name]
	}
	return w
}

// login tries and returns what came of it, in a word.
func (w *ward) login(r Request) string {
	result, err := w.Authenticate(context.Background(), r)
	var challenge *Challenge
	switch {
	case errors.As(err, &challenge):
		return "asks " + challenge.Prompt
	case errors.Is(err, ErrRefused):
		return "refused: " + Reason(err)
	case errors.Is(err, ErrBanned):
		return "banned"
	case err != nil:
		return "later: " + err.Error()
	}
	return strings.TrimSpace(fmt.Sprint(result.User, " ", result.Device, " ", result.GroupPolicy))
}

func (w *ward) want(r Request, want string) {
	w.t.Helper()
	if got := w.login(r); got != want && !(strings.HasSuffix(want, "…") && strings.HasPrefix(got, strings.TrimSuffix(want, "…"))) {
		w.t.Errorf("%s in %s: got %q, want %q", r.User, r.TunnelGroup, got, want)
	}
}

func (w *ward) stands(code string) (subjects []string) {
	for _, s := range w.board.Findings() {
		if s.Code == code {
			subjects = append(subjects, s.Subject)
		}
	}
	return subjects
}

func (w *ward) wantStanding(code string, want ...string) {
	w.t.Helper()
	if got := w.stands(code); fmt.Sprint(got) != fmt.Sprint(want) {
		w.t.Errorf("findings %s: got %v, want %v", code, got, want)
	}
}

func inWard(t *testing.T, run func(*ward)) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) { run(newWard(t)) })
}

func TestServersDecide(t *testing.T) {
	inWard(t, func(w *ward) {
		w.want(request("rosa", "secret", "radius"), "rosa")
		w.want(request("rosa", "wrong", "radius"), "refused: no such user, or another password")
		w.want(request("second", "secret", "radius"), "refused: no such user…")
		w.want(request("anna", "secret", "fallback"), "refused: no such user…")
		w.want(request("anna", "secret", "staff"), "anna SEP000000000001")
		w.want(request("rosa", "", "radius"), "refused: empty password")
		w.want(request("rosa", "secret", "nowhere"), "refused: user without a password")
		if w.first.questions() != 4 || w.second.questions() != 0 {
			t.Errorf("asked %v and %v; a refusal is final, and an empty password no question", w.first.asked, w.second.asked)
		}
	})
}

// TestWhoDecided: the log of logins names the server.
func TestWhoDecided(t *testing.T) {
	inWard(t, func(w *ward) {
		w.set.AAAServers["first"].Host = "10.20.0.5"
		got, err := w.Authenticate(context.Background(), request("rosa", "secret", "radius"))
		if err != nil || got.Server != "10.20.0.5" {
			t.Errorf("got %+v, %v", got, err)
		}
		_, err = w.Authenticate(context.Background(), request("rosa", "wrong", "radius"))
		if RefusedBy(err) != "10.20.0.5" {
			t.Errorf("refused by %q", RefusedBy(err))
		}
		_, err = w.Authenticate(context.Background(), request("anna", "wrong", "staff"))
		if RefusedBy(err) != "" || RefusedBy(nil) != "" {
			t.Errorf("refused by %q", RefusedBy(err))
		}
	})
}

func TestWhatServersSayOfUsers(t *testing.T) {
	inWard(t, func(w *ward) {
		for _, test := range []struct {
			policies []policyName
			want     string
		}{
			{nil, "rosa"},
			{[]policyName{{"consultants", true}}, "rosa  consultants"},
			{[]policyName{{"consultants", false}}, "rosa  consultants"},
			{[]policyName{{"of the server's own", false}, {"consultants", true}}, "rosa  consultants"},
			{[]policyName{{"of the server's own", false}}, "rosa"},
			{[]policyName{{"nobody's", true}, {"consultants", true}}, `refused: server names the group policy "nobody's", which does not exist`},
		} {
			w.first.now(knows("rosa", test.policies...))
			w.want(request("rosa", "secret", "radius"), test.want)
		}
		w.first.now(knows("locked"))
		w.want(request("locked", "secret", "radius"), "refused: locked to another tunnel group")
		w.first.now(knows("LOCKED"))
		w.want(request("LOCKED", "secret", "radius"), "refused: locked to another tunnel group")
		w.first.now(func(_ context.Context, r Request, _ []byte) (opinion, error) {
			return opinion{verdict: accepted, lock: "fallback", result: Result{User: r.User}}, nil
		})
		w.want(request("rosa", "secret", "radius"), `refused: server locks the user to tunnel group "fallback"`)
		w.want(request("rosa", "secret", "fallback"), "rosa")
		w.first.now(knows("Rosa"))
		w.want(request("Rosa", "secret", "radius"), "rosa")
		w.first.now(knows("SEP000000000002"))
		w.want(request("SEP000000000002", "secret", "radius"), "SEP000000000002 SEP000000000002")
	})
}

// TestDeadServer: one that gives no answer is passed over, tried again by one login at a time, and comes
// back.
func TestDeadServer(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(silent)
		began := time.Now()
		w.want(request("second", "secret", "radius"), "second")
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("the first login took %v, want the server's own time", took)
		}
		w.wantStanding("aaa-server-dead", "first")
		began = time.Now()
		for range 5 {
			w.want(request("second", "secret", "radius"), "second")
		}
		if took := time.Since(began); took != 0 || w.first.questions() != 1 {
			t.Errorf("%d questions to a dead server, logins took %v", w.first.questions(), took)
		}
		time.Sleep(deadTime)
		var done sync.WaitGroup
		for range 5 {
			done.Go(func() { w.want(request("second", "secret", "radius"), "second") })
		}
		done.Wait()
		if n := w.first.questions(); n != 2 {
			t.Errorf("%d questions in all, want one more after the dead time", n)
		}
		w.first.now(knows("rosa"))
		time.Sleep(deadTime)
		w.want(request("rosa", "secret", "radius"), "rosa")
		w.wantStanding("aaa-server-dead")
		if !strings.Contains(w.log.String(), "server answers again") {
			t.Errorf("the log says:\n%s", w.log)
		}
	})
}

func TestAllServersDead(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(silent)
		w.second.now(silent)
		w.want(request("anna", "secret", "radius"), `later: login: nobody who knows the user can be asked: no server of tunnel group "radius" answers`)
		w.want(request("anna", "secret", "fallback"), "anna SEP000000000001")
		w.want(request("anna", "wrong", "fallback"), "refused: wrong password")
		w.wantStanding("aaa-server-dead", "first", "second")
		kept := *w.set
		kept.AAAServers = inventory.Table[inventory.AAAServer]{"second": w.set.AAAServers["second"]}
		w.set = &kept
		w.want(request("anna", "secret", "staff"), "anna SEP000000000001")
		w.wantStanding("aaa-server-dead", "second") // the other is declared no more
	})
}

// TestDeadServerHoldsUpNobodyElse: while many wait for a dead server, those who do not need it log in at
// once, and what is too much is put off.
func TestDeadServerHoldsUpNobodyElse(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(silent)
		w.second.now(silent)
		const crowd = askAtOnce + waitForTurn + 500
		results := make(chan string, crowd)
		var done sync.WaitGroup
		for i := range crowd {
			done.Go(func() {
				r := request("rosa", "secret", "radius")
				r.Source = netip.AddrFrom4([4]byte{192, 0, byte(i >> 8), byte(i)})
				results <- w.login(r)
			})
		}
		synctest.Wait()
		began := time.Now()
		w.want(request("anna", "secret", "staff"), "anna SEP000000000001")
		if took := time.Since(began); took != 0 {
			t.Errorf("a login that needs no server took %v", took)
		}
		if n := w.first.questions(); n != askAtOnce {
			t.Errorf("%d questions at once, want %d", n, askAtOnce)
		}
		done.Wait()
		if took := time.Since(began); took > 21*time.Second {
			t.Errorf("the last of them waited %v for two dead servers", took)
		}
		close(results)
		for result := range results {
			if !strings.HasPrefix(result, "later: ") {
				t.Fatalf("got %q, want that it is put off", result)
			}
		}
	})
}

// TestLoginGivenUp: that a peer goes away says nothing of the server.
func TestLoginGivenUp(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(silent)
		ctx, cancel := context.WithCancel(context.Background())
		time.AfterFunc(time.Second, cancel)
		if _, err := w.Authenticate(ctx, request("rosa", "secret", "radius")); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		w.wantStanding("aaa-server-dead")
	})
}

// asksTwice accepts rosa after two answers.
func asksTwice(_ context.Context, r Request, state []byte) (opinion, error) {
	switch string(state) + r.Password.Reveal() {
	case "secret":
		return opinion{verdict: challenged, prompt: "One?", state: []byte("s1")}, nil
	case "s1one":
		return opinion{verdict: challenged, prompt: "Two?", state: []byte("s2")}, nil
	case "s2two":
		return opinion{verdict: accepted, result: Result{User: r.User}}, nil
	}
	return opinion{reason: "wrong answer"}, nil
}

// ask logs in and returns the state of the challenge that comes.
func (w *ward) ask(r Request) string {
	w.t.Helper()
	var challenge *Challenge
	if _, err := w.Authenticate(context.Background(), r); !errors.As(err, &challenge) {
		w.t.Fatalf("got %v (%s), want a challenge", err, Reason(err))
	}
	return challenge.State
}

func answer(r Request, state, text string) Request {
	r.Password, r.State, r.SecondFactor = secret.String{}, state, secret.New(text)
	return r
}

func TestChallenge(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(asksTwice)
		r := request("rosa", "secret", "radius")
		second := w.ask(answer(r, w.ask(r), "one"))
		w.want(answer(r, second, "two"), "rosa")
		w.want(answer(r, second, "two"), "refused: answer to no challenge, or too late")
		w.want(answer(r, w.ask(r), "wrong"), "refused: wrong answer")
		w.want(answer(r, "invented", "one"), "refused: answer to no challenge…")

		other := request("bert", "", "radius")
		elsewhere := r
		elsewhere.Source = netip.MustParseAddr(sourceB)
		state := w.ask(r)
		w.want(answer(other, state, "one"), "refused: answer to no challenge…")
		w.want(answer(elsewhere, state, "one"), "refused: answer to no challenge…")
		w.want(answer(r, state, "one"), "asks Two?")
		state = w.ask(r)
		time.Sleep(challengeTime)
		w.want(answer(r, state, "one"), "refused: answer to no challenge…")

		state = w.ask(r)
		w.first.now(silent)
		w.want(answer(r, state, "one"), `later: login: nobody who knows the user can be asked: server "first" answers no more`)
	})
}

func TestChallengesAreBounded(t *testing.T) {
	inWard(t, func(w *ward) {
		w.first.now(asksTwice)
		r := request("rosa", "secret", "radius")
		for range maxFromOneAddress {
			w.ask(r)
		}
		w.want(r, "later: login: too many logins at once")
		elsewhere := func(i int) Request {
			r := r
			r.Source = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
			return r
		}
		first := w.ask(elsewhere(0))
		for i := range maxChallenges {
			w.ask(elsewhere(i + 1))
		}
		w.want(answer(elsewhere(0), first, "one"), "refused: answer to no challenge…")
		if n := len(w.challenges.open); n != maxChallenges {
			t.Errorf("%d challenges are open, want %d", n, maxChallenges)
		}
		again := elsewhere(maxChallenges)
		for range 3 * maxChallenges {
			w.ask(answer(again, w.ask(again), "one"))
			w.challenges.from = map[netip.Prefix]int{} // the bound by source is not the point here
		}
		if n := len(w.challenges.order); n > 2*maxChallenges+1 {
			t.Errorf("%d challenges in order, most of them answered", n)
		}
		w.challenges = newChallenges()
		w.ask(r)
		time.Sleep(challengeTime)
		w.want(r, "asks One?")
		if len(w.challenges.open) != 1 || len(w.challenges.from) != 1 || len(w.challenges.order) != 1 {
			t.Errorf("%d challenges open of %d sources, %d in order; want one each", len(w.challenges.open), len(w.challenges.from), len(w.challenges.order))
		}
	})
}

// code returns the code of a time.
func code(at time.Time) string {
	return oneTimeCode([]byte("12345678901234567890"), at.Unix()/30, codeDigits)
}

func TestOneTimeCodeInAField(t *testing.T) {
	inWard(t, func(w *ward) {
		with := func(user, password, code string) Request {
			r := request(user, password, "field")
			r.SecondFactor = secret.New(code)
			return r
		}
		now := time.Now()
		w.want(with("theo", "secret", ""), "refused: no one-time code…")
		w.want(with("theo", "wrong", code(now)), "refused: wrong password")
		w.want(with("theo", "secret", "000000"), "refused: wrong one-time code")
		w.want(with("anna", "secret", code(now)), "refused: user without a usable key of one-time codes")
		w.want(with("theo", "secret", code(now.Add(-2*codeStep))), "refused: wrong one-time code")
		w.want(with("theo", "secret", code(now.Add(2*codeStep))), "refused: wrong one-time code")
		w.want(with("theo", "secret", code(now.Add(-codeStep))), "theo")
		w.want(with("theo", "secret", code(now)), "theo")
		w.want(with("theo", "secret", code(now)), "refused: one-time code was used before")
		w.want(with("theo", "secret", code(now.Add(-codeStep))), "refused: one-time code was used before")
		w.codes = newCodes(w.kept) // as after a restart
		w.want(with("theo", "secret", code(now)), "refused: one-time code was used before")
		later := code(now.Add(codeStep))
		w.want(with("theo", "secret", " "+later[:3]+" "+later[3:]), "theo")
	})
}

func TestOneTimeCodeInAForm(t *testing.T) {
	inWard(t, func(w *ward) {
		r := request("theo", "secret", "form")
		w.want(r, "asks One-time code:")
		w.want(answer(r, w.ask(r), "000000"), "refused: wrong one-time code")
		state := w.ask(r)
		if kept := w.challenges.open[state]; !kept.request.Password.IsZero() {
			w.t.Error("the password is kept while the code is waited for")
		}
		got, err := w.Authenticate(context.Background(), answer(r, state, "000001"))
		if err == nil || got.User != "" {
			w.t.Errorf("a refused login says %+v", got)
		}
		w.want(answer(r, w.ask(r), code(time.Now())), "theo")
		w.want(request("theo", "wrong", "form"), "refused: wrong password")

		remote := request("rosa", "secret", "both")
		w.want(answer(remote, w.ask(remote), code(time.Now())), "rosa")
		w.first.now(asksTwice)
		state = w.ask(answer(remote, w.ask(answer(remote, w.ask(remote), "one")), "two"))
		time.Sleep(codeStep)
		w.want(answer(remote, state, code(time.Now())), "rosa")
	})
}

// TestOneTimeCodeBesideAChallenge: what stood in the second field counts after the server's question too.
func TestOneTimeCodeBesideAChallenge(t *testing.T) {
	inWard(t, func(w *ward) {
		w.set.TunnelGroups["both"].SecondaryAuthentication = inventory.SecondField
		w.first.now(asksTwice)
		r := request("rosa", "secret", "both")
		r.SecondFactor = secret.New(code(time.Now()))
		w.want(answer(r, w.ask(answer(r, w.ask(r), "one")), "two"), "rosa")
	})
}

// TestGuessedCodes: who has a password cannot try codes for ever, from whatever addresses.
func TestGuessedCodes(t *testing.T) {
	inWard(t, func(w *ward) {
		try := func(i int, code string) string {
			r := request("theo", "secret", "field")
			r.Source, r.SecondFactor = netip.AddrFrom4([4]byte{10, 1, byte(i >> 8), byte(i)}), secret.New(code)
			return w.login(r)
		}
		looked := 0
		for i := range 10 * ofOneCode.failures {
			if try(i, fmt.Sprintf("%06d", i)) == "refused: wrong one-time code" {
				looked++
			}
		}
		if looked != ofOneCode.failures {
			t.Errorf("%d codes were looked at, want %d", looked, ofOneCode.failures)
		}
		if got := try(1000, code(time.Now())); got != "refused: too many wrong one-time codes" {
			t.Errorf("a right code after that: %s", got)
		}
		time.Sleep(ofOneCode.forget + codeStep)
		if got := try(1001, code(time.Now())); got != "theo" {
			t.Errorf("a right code later: %s", got)
		}
		time.Sleep(time.Hour)
		try(1002, code(time.Now()))
		if len(w.codes.wrong) != 0 {
			t.Error("wrong codes are remembered for ever")
		}
	})
}

func TestCertificates(t *testing.T) {
	inWard(t, func(w *ward) {
		r := request("", "", "certificate")
		w.want(r, "refused: no client certificate")
		r.Certificate = &Certificate{Subject: "CP-8861-SEP000000000003", Device: "SEP000000000003", Issuer: "lsc"}
		w.want(r, "CP-8861-SEP000000000003 SEP000000000003")
		r.Certificate = &Certificate{Subject: "boss", Issuer: "people"}
		w.want(r, "boss")
		r.Certificate = &Certificate{Subject: "CP-8861-SEP00000000000F", Device: "SEP00000000000F", Manufacturer: true}
		w.want(r, "refused: manufacturer certificate…")
		both := request("dora", "secret", "certificate and password")
		w.want(both, "refused: no client certificate")
		both.Certificate = &Certificate{Subject: "x", Device: "SEP000000000003"}
		w.want(both, "dora SEP000000000003")
		both.Password = secret.New("wrong")
		w.want(both, "refused: wrong password")
	})
}

// TestVectors are those of RFC 6238 appendix B, which have eight digits.
func TestVectors(t *testing.T) {
	t.Parallel()
	for at, want := range map[int64]string{
		59: "94287082", 1111111109: "07081804", 1111111111: "14050471", 1234567890: "89005924", 2000000000: "69279037", 20000000000: "65353130",
	} {
		if got := oneTimeCode([]byte("12345678901234567890"), at/30, 8); got != want {
			t.Errorf("at %d: got %s, want %s", at, got, want)
		}
	}
	key := NewTOTPSecret()
	user := inventory.User{TOTPSecret: key}
	if bytes, err := user.TOTPKey(); len(bytes) != codeKey || err != nil || key == NewTOTPSecret() {
		t.Errorf("a new secret has %d bytes, %v, or is always the same", len(bytes), err)
	}
	if got, want := TOTPURL("vpn.example.net", "anna müller", secret.New("ABC")), "otpauth://totp/vpn.example.net:anna%20m%C3%BCller?issuer=vpn.example.net&secret=ABC"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzState: nobody gets in by a challenge's state that he was not given.
func FuzzState(f *testing.F) {
	for _, seed := range []string{"", "x", strings.Repeat("A", 26), "\x00", "../../x"} {
		f.Add(seed, "anna")
	}
	c := newChallenges()
	asked := c.ask(request("anna", "secret", "staff"), "Code?", pending{})
	f.Fuzz(func(t *testing.T, state, user string) {
		if _, ok := c.take(answer(request(user, "", "staff"), state, "1")); ok && state != asked.(*Challenge).State {
			t.Errorf("%q of %q opens a challenge", state, user)
		}
	})
}
