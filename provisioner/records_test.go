package provisioner

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
)

// TestOldRecords: what earlier versions stored is read by this one.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	for sample, by := range map[string]provision.Fetcher{"delivery-1.json": provision.Anybody, "delivery-1-own.json": provision.ThePhone} {
		record, err := os.ReadFile(filepath.Join("testdata", sample))
		if err != nil {
			t.Fatal(err)
		}
		s := memory.New()
		defer s.Close()
		if _, err := s.Commit(t.Context(), store.Op{Key: "provisioner/delivery/" + phone, Value: record, Read: store.Any}); err != nil {
			t.Fatal(err)
		}
		want := map[string][]Delivery{phone: {{
			Device: phone, File: phone + ".cnf.xml", VersionStamp: "{0a1b}", Peer: netip.MustParseAddrPort("10.20.0.140:49153"), By: by,
			Transport: provision.HTTP, Bytes: 4711, Complete: time.Date(2026, 11, 25, 21, 0, 0, 0, time.UTC),
		}}}
		if got, err := Deliveries(t.Context(), s); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %+v, %v want %+v", sample, got, err, want)
		}
	}
}

func delivery(file, stamp string, at time.Time) Delivery {
	return Delivery{Device: phone, File: file, VersionStamp: stamp, Peer: netip.MustParseAddrPort("10.0.0.9:1234"), Complete: at}
}

// TestRecentDeliveries: what a phone fetches again and again does not push out the last of another file.
func TestRecentDeliveries(t *testing.T) {
	t.Parallel()
	r, now := newRecorder(nil, slog.New(slog.DiscardHandler)), time.Unix(0, 0)
	r.note(delivery("a", "first", now))
	for i := range 100 {
		r.note(delivery("b", fmt.Sprint(i), now.Add(time.Duration(i)*time.Hour)))
	}
	got := r.all()[phone]
	if len(got) != recentDeliveries || got[0].VersionStamp != "99" || got[len(got)-1].File != "a" {
		t.Errorf("kept are %+v; want %d, the newest first, and the last of each file", got, recentDeliveries)
	}
}

// TestSameDelivery: a file that comes again at once says nothing new; a new one, one to another address
// and a late one do.
func TestSameDelivery(t *testing.T) {
	t.Parallel()
	r, now := newRecorder(nil, slog.New(slog.DiscardHandler)), time.Unix(0, 0)
	elsewhere := delivery("a", "1", now)
	elsewhere.Peer = netip.MustParseAddrPort("10.0.0.10:1234")
	for _, c := range []struct {
		d    Delivery
		want int
	}{
		{delivery("a", "1", now), 1},
		{delivery("a", "1", now.Add(sameDelivery-1)), 1},
		{elsewhere, 2},
		{delivery("a", "2", now), 3},
		{delivery("a", "2", now.Add(sameDelivery)), 4},
	} {
		if r.note(c.d); len(r.all()[phone]) != c.want {
			t.Errorf("after %+v there are %d deliveries, want %d", c.d, len(r.all()[phone]), c.want)
		}
	}
}

// failingStore is a store that fails while told to.
type failingStore struct {
	store.Store
	fails   atomic.Bool
	commits atomic.Int64
}

func (b *failingStore) Commit(ctx context.Context, ops ...store.Op) (store.Revision, error) {
	b.commits.Add(1)
	if b.fails.Load() {
		return 0, errors.New("disk full")
	}
	return b.Store.Commit(ctx, ops...)
}

func (b *failingStore) deliveries(t *testing.T) []Delivery {
	t.Helper()
	all, err := Deliveries(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return all[phone]
}

// TestDeliveriesSurvive: a restart, a store that fails for a while, and the end of the device.
func TestDeliveriesSurvive(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		kept := &failingStore{Store: memory.New()}
		defer kept.Close()
		log := &servertest.Log{}
		r := newRecorder(kept, slog.New(slog.NewTextHandler(log, nil)))
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan struct{})
		run := func(r *recorder) { r.run(ctx); ended <- struct{}{} }
		go run(r)
		kept.fails.Store(true)
		r.note(delivery("a", "1", time.Now()))
		time.Sleep(10 * time.Second)
		if tried := kept.commits.Load(); len(kept.deliveries(t)) != 0 || tried < 9 || tried > 11 {
			t.Errorf("a broken store was tried %d times in ten seconds, want once a second", tried)
		}
		kept.fails.Store(false)
		time.Sleep(rewriteAfter)
		synctest.Wait()
		if got := kept.deliveries(t); len(got) != 1 || got[0].VersionStamp != "1" {
			t.Errorf("the store works again and holds %+v", got)
		}
		stop()
		<-ended
		r.note(delivery("a", "2", time.Now()))
		go run(r) // its context has ended: it writes what is left
		<-ended
		again := newRecorder(kept, slog.New(slog.DiscardHandler))
		if err := again.load(t.Context(), office()); err != nil {
			t.Fatal(err)
		}
		if got := again.all()[phone]; len(got) != 2 || got[0].VersionStamp != "2" {
			t.Errorf("after a restart %+v is known", got)
		}
		without := office()
		delete(without.Devices, phone)
		third := newRecorder(kept, slog.New(slog.DiscardHandler))
		if err := third.load(t.Context(), without); err != nil {
			t.Fatal(err)
		}
		go run(third)
		<-ended
		if got := kept.deliveries(t); len(third.all()) != 0 || len(got) != 0 {
			t.Errorf("of a device that is gone %+v is kept", got)
		}
	})
}

// TestDeliveryOnTheWire: a transfer that arrived is in the store, one that broke off is not.
func TestDeliveryOnTheWire(t *testing.T) {
	t.Parallel()
	kept := memory.New()
	defer kept.Close()
	set := outside() // made once: its certificate is another each second
	s := startWith(t, set, func(c *Config) { c.Store = kept })
	packet, from := s.next(s.ask(encode(t, rrq(phone+".cnf.xml"))))
	if packet.String() != "DATA 1 512 bytes" || from == s.tftp {
		t.Fatalf("answer is %s from %s", packet, from)
	}
	if _, err := s.fetch("SEP001122334455.CNF.xml"); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the delivery is stored", func() bool {
		all, err := Deliveries(t.Context(), kept)
		return err == nil && len(all[phone]) == 1
	})
	all, err := Deliveries(t.Context(), kept)
	if err != nil {
		t.Fatal(err)
	}
	got := all[phone][0]
	made, err := s.library.renderer.File(set, phone+".cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	if got.File != made.Name || got.VersionStamp != made.VersionStamp || got.Bytes != int64(len(made.Content)) ||
		got.Transport != provision.TFTP || time.Since(got.Complete) > time.Minute {
		t.Errorf("stored is %+v, want the file with stamp %s", got, made.VersionStamp)
	}
	if len(made.Hashes) == 0 || !slices.Equal(got.Hashes, made.Hashes) {
		t.Errorf("stored hashes are %v, those in the file %v", got.Hashes, made.Hashes)
	}
	if !reflect.DeepEqual(s.Deliveries()[phone], []Delivery{got}) {
		t.Errorf("in memory is %+v, stored %+v", s.Deliveries()[phone], got)
	}
}

// outside is an office whose phone is told of a gateway.
func outside() *inventory.Set {
	set := office()
	certificate, _ := testcert.PEM(testcert.RSA("vpn.example.net"))
	set.Certificates["gateway"] = &inventory.Certificate{Name: "gateway", Certificate: certificate}
	set.VPNGateways["gateway"] = &inventory.VPNGateway{Name: "gateway", URL: "https://vpn.example.net/phones", Certificates: []string{"gateway"}}
	set.VPNGroups["phones"] = &inventory.VPNGroup{Name: "phones", Gateways: []string{"gateway"}}
	set.CommonPhoneProfiles["home"] = &inventory.CommonPhoneProfile{Name: "home", VPNGroup: "phones"}
	set.Devices[phone].CommonPhoneProfile = "home"
	return set
}
