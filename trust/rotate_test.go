package trust

import (
	"bytes"
	"crypto/x509"
	"errors"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/tlv"
)

// desk is a phone as far as it believes.
type desk struct {
	trust verify.TrustStore
}

// fetch gives a phone the ITL and a file, as at each restart. TVS is asked where a signer is unknown.
func (d *desk) fetch(t *testing.T, a *Authority, now time.Time) error {
	t.Helper()
	list, err := a.List(Signing{Name: "ITLSEP001122334455.tlv"}, ITL, ListOptions{})
	if err != nil {
		t.Fatal(err)
	}
	answer := d.trust.ListOffered(now, list)
	if asked, ok := answer.(verify.AskTVS); ok {
		d.ask(a, asked, now)
		answer = d.trust.ListOffered(now, list)
	}
	if rejected, ok := answer.(verify.Reject); ok {
		return rejected.Err
	}
	if _, ok := answer.(verify.Believe); !ok {
		return errors.New("nobody vouches for the list")
	}
	if d.trust.ITL, err = verify.ReadTrustList(list); err != nil {
		return err
	}
	file, err := a.SignFile(Signing{Name: "SEP001122334455.cnf.xml.sgn", At: now}, []byte("<device/>"))
	if err != nil {
		t.Fatal(err)
	}
	switch answer := d.trust.FileOffered(now, "SEP001122334455.cnf.xml.sgn", file).(type) {
	case verify.Reject:
		return answer.Err
	case verify.AskTVS:
		return errors.New("the new list does not name who signs files")
	}
	return nil
}

// ask is TVS: the server shows its certificate, which the phone must know, and answers from the records.
func (d *desk) ask(a *Authority, asked verify.AskTVS, now time.Time) {
	server, err := a.Pair(TVS)
	if err != nil || !d.trust.Knows(now, server.Leaf, tlv.TVS) {
		return
	}
	if r, ok := a.Vouches(asked.Signer.Issuer, asked.Signer.Serial); ok {
		d.trust.Vouch(now, verify.Vouched{Certificate: r.Certificate, Subject: r.Subject, Issuer: r.Issuer, Serial: r.Serial(), Roles: []tlv.Role{r.Role}, Lifetime: 24 * time.Hour})
	}
}

// Twenty years: the signers change twice, everything else several times, each time after every phone has
// fetched. A phone that fetches each time is never lost, and needs TVS not once.
func TestYearsOfChanges(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)
	a, err := OpenAuthority(t.Context(), AuthorityConfig{Store: openStore(t), Sealer: NewSealer([KeySize]byte{1}), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	phone := &desk{}
	if err := phone.fetch(t, a, now); err != nil {
		t.Fatal(err)
	}
	first := a.record(Signer1).Certificate
	changes := []func() error{
		func() error { return a.Replace(t.Context(), Signer2, Consent{}) },
		func() error { return a.Promote(t.Context(), Consent{}) },
		func() error { return a.Replace(t.Context(), Files, Consent{}) },
		func() error { return a.Replace(t.Context(), TVS, Consent{}) },
		func() error { return a.Replace(t.Context(), CAPF, Consent{}) },
		func() error { return a.Replace(t.Context(), FilesEC, Consent{}) },
	}
	for range 2 {
		for _, change := range changes {
			now = now.AddDate(1, 0, 0)
			before := a.record(Signer1).Certificate
			if err := change(); err != nil {
				t.Fatal(err)
			}
			// Between two restarts the phone may be given a file by the key that is not in its list yet.
			if err := phone.fetch(t, a, now); err != nil {
				t.Fatalf("after a change in %d: %v", now.Year(), err)
			}
			if signer := a.record(Signer1).Certificate; !signer.Equal(before) && phone.trust.ITL.Header.Signer.Name == tlv.NameText(before.Subject) {
				t.Error("the old signer goes on signing")
			}
		}
	}
	if a.record(Signer1).Certificate.Equal(first) || a.record(Signer2).Certificate.Equal(first) {
		t.Error("the first signer is still there after two changes")
	}
	// Whoever was away all the time and knew only the first day's list has TVS alone, and TVS has changed.
	away := &desk{}
	old, err := OpenAuthority(t.Context(), AuthorityConfig{Store: openStore(t), Sealer: NewSealer([KeySize]byte{1})})
	if err != nil {
		t.Fatal(err)
	}
	if err := away.fetch(t, old, now); err != nil {
		t.Fatal(err)
	}
	held := away.trust.ITL.Raw
	if err := away.fetch(t, a, now); err == nil {
		t.Error("a phone believes another house")
	}
	if !bytes.Equal(away.trust.ITL.Raw, held) {
		t.Error("the old list is gone")
	}
}

// A phone that missed the step that introduces a signer is saved by TVS, as long as that has not changed.
func TestMissedStep(t *testing.T) {
	t.Parallel()
	now := time.Now()
	a := openAuthority(t, openStore(t), now)
	phone := &desk{}
	if err := phone.fetch(t, a, now); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(a.Replace(t.Context(), Signer2, Consent{}), a.Promote(t.Context(), Consent{Behind: []string{"SEP001122334455"}, Force: true})); err != nil {
		t.Fatal(err)
	}
	if err := phone.fetch(t, a, now); err != nil {
		t.Errorf("TVS did not help: %v", err)
	}
}

func TestChangesAreHeldBack(t *testing.T) {
	t.Parallel()
	a := openAuthority(t, openStore(t), time.Now())
	behind := Consent{Behind: []string{"SEP001122334455"}}
	before := a.Records()
	var late *BehindError
	for name, err := range map[string]error{
		"replace": a.Replace(t.Context(), TVS, behind), "promote": a.Promote(t.Context(), behind),
	} {
		if !errors.As(err, &late) || late.Phones[0] != "SEP001122334455" {
			t.Errorf("%s: %v, want it held back", name, err)
		}
	}
	if err := a.Replace(t.Context(), Signer1, Consent{Force: true}); !errors.Is(err, ErrSigns) {
		t.Errorf("the first signer: %v, want ErrSigns", err)
	}
	if err := a.Replace(t.Context(), "door", Consent{}); err == nil {
		t.Error("a purpose that does not exist is replaced")
	}
	for i, r := range a.Records() {
		if !r.Certificate.Equal(before[i].Certificate) {
			t.Errorf("%s has changed", r.Purpose)
		}
	}
	if err := a.Replace(t.Context(), TVS, Consent{Behind: behind.Behind, Force: true}); err != nil {
		t.Error(err)
	}
	old := before[4]
	if r, ok := a.Vouches(old.Issuer, old.Serial()); !ok || r.Purpose != TVS || r.Until.IsZero() {
		t.Error("nobody vouches for the former TVS")
	}
	for _, r := range a.Members(ITL, ListOptions{}) {
		if r.Certificate.Equal(old.Certificate) {
			t.Error("lists name the former TVS")
		}
	}
}

func TestSecondSignerGoesAndComes(t *testing.T) {
	t.Parallel()
	s := openStore(t)
	a := openAuthority(t, s, time.Now())
	var kept Pair
	refusal := errors.New("disk full")
	if err := a.TakeOut(t.Context(), func(Pair) error { return refusal }); !errors.Is(err, refusal) || !a.record(Signer2).Online {
		t.Fatalf("%v, and the key is gone", err)
	}
	if err := a.TakeOut(t.Context(), func(p Pair) error { kept = p; return nil }); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Pair(Signer2); !errors.Is(err, ErrOffline) {
		t.Errorf("the key is still here: %v", err)
	}
	if err := a.Promote(t.Context(), Consent{}); !errors.Is(err, ErrOffline) {
		t.Errorf("a signer without a key signs: %v", err)
	}
	if err := a.TakeOut(t.Context(), func(Pair) error { return nil }); !errors.Is(err, ErrOffline) {
		t.Errorf("what is out is taken out: %v", err)
	}
	again := openAuthority(t, s, time.Now())
	if again.record(Signer2).Online || len(again.Members(CTL, ListOptions{})) != 4 {
		t.Error("after a restart the signer is back, or not in lists")
	}
	if err := again.Import(t.Context(), kept, Names{}, Consent{Behind: []string{"SEP001122334455"}}); err != nil {
		t.Fatal(err)
	}
	if err := again.Promote(t.Context(), Consent{}); err != nil {
		t.Fatal(err)
	}
	if !again.record(Signer1).Certificate.Equal(a.record(Signer2).Certificate) {
		t.Error("the second signer does not sign")
	}
	if third := openAuthority(t, s, time.Now()); !third.record(Signer1).Online || !third.record(Signer2).Online {
		t.Error("keys do not open after they have changed places")
	}
}

// Phones that follow another server's signer follow us when we have its key.
func TestForeignSigner(t *testing.T) {
	t.Parallel()
	now := time.Now()
	theirs := openAuthority(t, openStore(t), now)
	phone := &desk{}
	if err := phone.fetch(t, theirs, now); err != nil {
		t.Fatal(err)
	}
	list := phone.trust.ITL.Raw
	ours := openAuthority(t, openStore(t), now)
	if err := phone.fetch(t, ours, now); err == nil {
		t.Fatal("the phone follows a stranger")
	}
	held, err := theirs.Pair(Signer1)
	if err != nil {
		t.Fatal(err)
	}
	pair, err := pairOf(held.Certificate[0], theirs.keys[Signer1].key)
	if err != nil {
		t.Fatal(err)
	}
	names, err := NamesIn(list, pair)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(ours.Import(t.Context(), pair, names, Consent{}), ours.Promote(t.Context(), Consent{})); err != nil {
		t.Fatal(err)
	}
	if r := ours.record(Signer1); !r.Foreign || r.Subject != names.Subject || !r.Online {
		t.Errorf("the signer is %+v", r)
	}
	if err := phone.fetch(t, ours, now); err != nil {
		t.Errorf("the phone does not follow: %v", err)
	}
	other := ours.record(TVS)
	if _, err := NamesIn(list, Pair{certificatePEM(other.Certificate.Raw), pair.Key}); err == nil {
		t.Error("a certificate that the list does not name is found in it")
	}
	for purpose, want := range map[Purpose]error{FilesEC: ErrUnfit} {
		unfit, err := ours.Pair(purpose)
		if err != nil {
			t.Fatal(err)
		}
		text, err := pairOf(unfit.Certificate[0], ours.keys[purpose].key)
		if err != nil {
			t.Fatal(err)
		}
		if err := ours.Import(t.Context(), text, Names{}, Consent{}); !errors.Is(err, want) {
			t.Errorf("%s as a signer: %v, want %v", purpose, err, want)
		}
	}
}

func TestRollbackAndAdvanced(t *testing.T) {
	t.Parallel()
	a := openAuthority(t, openStore(t), time.Now())
	for _, test := range []struct {
		kind    ListKind
		options ListOptions
		roles   []tlv.Role
	}{
		{ITL, ListOptions{}, []tlv.Role{tlv.SAST, tlv.SAST, tlv.TFTP, tlv.TVS, tlv.CAPF}},
		{ITL, ListOptions{Advanced: true}, []tlv.Role{tlv.SAST, tlv.SAST, tlv.TFTP, tlv.TFTP, tlv.TVS, tlv.CAPF}},
		{CTL, ListOptions{}, []tlv.Role{tlv.SAST, tlv.SAST, tlv.CCMTFTP, tlv.CAPF}},
		{ITL, ListOptions{Rollback: true}, []tlv.Role{tlv.SAST, tlv.SAST}},
	} {
		raw, err := a.List(Signing{Name: "ITLFile.tlv"}, test.kind, test.options)
		if err != nil {
			t.Fatal(err)
		}
		again, err := a.List(Signing{Name: "ITLFile.tlv", At: time.Now().Add(time.Hour)}, test.kind, test.options)
		if err != nil || !bytes.Equal(raw, again) {
			t.Error("the same members give another list")
		}
		list, err := verify.ReadTrustList(raw)
		if err != nil {
			t.Fatal(err)
		}
		var roles []tlv.Role
		for _, r := range list.Records {
			roles = append(roles, r.Role)
			certificate, err := x509.ParseCertificate(r.Certificate)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(r.Serial, certificate.SerialNumber.Bytes()) || !bytes.Equal(r.Signature, certificate.Signature) {
				t.Error("a record does not fit its certificate")
			}
		}
		store := verify.TrustStore{ITL: list}
		if got, want := store.WantsSigned(), !test.options.Rollback; got != want {
			t.Errorf("%v: wants signed files: %v", test.options, got)
		}
		if store.WantsHTTPS() != test.options.Advanced {
			t.Errorf("%v: wants HTTPS: %v", test.options, store.WantsHTTPS())
		}
		if len(roles) != len(test.roles) {
			t.Fatalf("%s %v has roles %v, want %v", test.kind, test.options, roles, test.roles)
		}
		for i := range roles {
			if roles[i] != test.roles[i] {
				t.Errorf("%s %v has roles %v, want %v", test.kind, test.options, roles, test.roles)
			}
		}
	}
}
