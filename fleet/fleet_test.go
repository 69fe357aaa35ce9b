package fleet_test

import (
	"context"
	"encoding/json"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/fleet"
	"github.com/longcord/longcord/internal/secret"
)

// short is little enough for a machine that does other things too.
var short = fleet.Talk{Rate: 20, Length: time.Second, Warm: 200 * time.Millisecond}

func run(t *testing.T, config fleet.Config, talk fleet.Talk) fleet.Result {
	t.Helper()
	f, err := fleet.New(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	result, err := f.Run(ctx, talk)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// heard expects that packets went one way and nothing happened to them. How many are lost on a machine
// that is busy is not judged: a lost packet is one that is known to be lost.
func heard(t *testing.T, way string, d fleet.Direction, want uint64) {
	t.Helper()
	if d.Sent != want || d.Received == 0 || d.Received+d.Lost != d.Sent {
		t.Errorf("%s: got %d sent, %d received, %d lost, want %d sent", way, d.Sent, d.Received, d.Lost, want)
	}
	if d.Corrupted != 0 || d.Repeated != 0 || d.Reordered != 0 {
		t.Errorf("%s: got %d corrupted, %d repeated, %d reordered, want none", way, d.Corrupted, d.Repeated, d.Reordered)
	}
	if d.Received > 0 && (d.Latency.P50 <= 0 || d.Latency.P50 > d.Latency.P99 || d.Latency.P99 > d.Latency.Max) {
		t.Errorf("%s: latency %+v is not in order", way, d.Latency)
	}
}

func TestTalk(t *testing.T) {
	w := start(t)
	for _, c := range []struct {
		name   string
		cipher string
		change func(*fleet.Config)
	}{
		{"xml login, one socket", "DTLS 1.2 AES128-GCM-SHA256", func(*fleet.Config) {}},
		{"phone login, a socket each", "DTLS 1.2 AES128-GCM-SHA256", func(c *fleet.Config) { c.Phones, c.Sources = true, netip.Prefix{} }},
		{"pre-shared key", "DTLS 1.2 PSK-AES256-GCM-SHA384", func(c *fleet.Config) { c.CipherSuites = []string{"PSK-NEGOTIATE"} }},
		{"DTLS 0.9", "DTLS 0.9 AES128-SHA", func(c *fleet.Config) { c.CipherSuites = []string{"AES128-SHA"} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			config := w.config(8)
			c.change(&config)
			r := run(t, config, short)
			if r.SetUp.Failed != 0 || r.SetUp.Cipher != c.cipher || r.SetUp.PerSecond <= 0 || r.SetUp.Latency.P50 <= 0 {
				t.Errorf("set-up is %+v", r.SetUp)
			}
			heard(t, "up", r.Voice.Up, 160)
			heard(t, "down", r.Voice.Down, 160)
			if r.Voice.Ended != 0 || r.Voice.Clients != 8 || r.Voice.OwnCPU <= 0 || r.Voice.Carried < 320 {
				t.Errorf("voice is %+v", r.Voice)
			}
			if _, err := json.Marshal(r); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestJudges has the host behind the tunnel do to packets what networks do.
func TestJudges(t *testing.T) {
	w := start(t)
	n := 0
	var late []byte
	w.mangle = func(packet []byte) [][]byte {
		switch n++; n % 10 {
		case 1:
			return nil // lost
		case 2:
			return [][]byte{packet, packet} // repeated
		case 3:
			packet[100] ^= 1 // corrupted
		case 4:
			late = append([]byte(nil), packet...)
			return nil
		case 5:
			return [][]byte{packet, late} // reordered
		}
		return [][]byte{packet}
	}
	r := run(t, w.config(1), fleet.Talk{Rate: 100, Length: time.Second, Warm: time.Millisecond, Way: fleet.UpOnly})
	up := r.Voice.Up
	if up.Sent != 100 || r.Voice.Down.Sent != 0 {
		t.Fatalf("sent %d up and %d down, want 100 and none", up.Sent, r.Voice.Down.Sent)
	}
	for what, n := range map[string]uint64{"repeated": up.Repeated, "corrupted": up.Corrupted, "reordered": up.Reordered} {
		if n == 0 || n > 11 {
			t.Errorf("%d packets are %s, want some ten", n, what)
		}
	}
	if up.Lost < 15 || up.Lost != up.Sent-up.Received {
		t.Errorf("%d packets are lost, want some twenty: those that are corrupted are lost too", up.Lost)
	}
}

// TestAcross has clients talk to each other.
func TestAcross(t *testing.T) {
	w := start(t)
	r := run(t, w.config(6), fleet.Talk{Rate: 20, Length: time.Second, Warm: time.Millisecond, Way: fleet.Across})
	heard(t, "across", r.Voice.Up, 120)
	if r.Voice.Down.Sent+r.Voice.Down.Received+r.Voice.Down.Corrupted != 0 {
		t.Errorf("something went down: %+v", r.Voice.Down)
	}
}

func TestLoginRefused(t *testing.T) {
	w := start(t)
	for _, phones := range []bool{false, true} {
		config := w.config(2)
		config.Phones = phones
		config.Login = func(i int) (string, secret.String) {
			return "user", secret.New([]string{"right", "wrong"}[i])
		}
		f, err := fleet.New(config)
		if err != nil {
			t.Fatal(err)
		}
		s, err := f.Connect(t.Context())
		if s.Failed != 1 || err == nil || !strings.Contains(err.Error(), "client 1: login of user: wrong login") {
			t.Errorf("one wrong password: %d failed, error %v", s.Failed, err)
		}
		v, err := f.Talk(t.Context(), fleet.Talk{Rate: 10, Length: 100 * time.Millisecond})
		if err != nil || v.Clients != 1 {
			t.Errorf("the other one: %d clients talk, error %v", v.Clients, err)
		}
		if err := f.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestTalkIsCutShort(t *testing.T) {
	w := start(t)
	f, err := fleet.New(w.config(1))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Talk(t.Context(), short); err == nil {
		t.Error("clients talk that are not connected")
	}
	if _, err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := f.Talk(ctx, fleet.Talk{Length: time.Hour}); err == nil {
		t.Error("a talk that is cut short has a result")
	}
	if _, err := f.Talk(t.Context(), short); err != nil {
		t.Errorf("the next one: %v", err)
	}
}

func TestNewRefuses(t *testing.T) {
	allowed(t)
	w := &world{t: t, base: netip.MustParseAddr("127.0.0.0"), inside: newInside(t)}
	for what, change := range map[string]func(*fleet.Config){
		"no URL":           func(c *fleet.Config) { c.URL = "vpn.example.com" },
		"no TLS":           func(c *fleet.Config) { c.TLS = nil },
		"no clients":       func(c *fleet.Config) { c.Clients = 0 },
		"few addresses":    func(c *fleet.Config) { c.Clients = 200 },
		"a far IPv6 end":   func(c *fleet.Config) { c.Far = netip.MustParseAddrPort("[::1]:4000") },
		"a foreign inside": func(c *fleet.Config) { c.Far = netip.MustParseAddrPort("192.0.2.1:4000") },
	} {
		config := w.config(2)
		change(&config)
		if f, err := fleet.New(config); err == nil {
			f.Close()
			t.Errorf("%s: taken", what)
		}
	}
}

// TestSearch has a network lose packets above a rate.
func TestSearch(t *testing.T) {
	w := start(t)
	var second time.Time
	n := 0
	w.mangle = func(packet []byte) [][]byte {
		if now := time.Now(); now.Sub(second) > 100*time.Millisecond {
			second, n = now, 0
		}
		if n++; n > 40 { // 400 a second
			return nil
		}
		return [][]byte{packet}
	}
	f, err := fleet.New(w.config(2))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.Connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	// On a machine that is busy packets are late, and some are lost anyway: much is forgiven.
	found, err := f.Search(t.Context(), fleet.Search{
		From: 50, Length: 500 * time.Millisecond, P99: time.Minute, Loss: 0.3, Nearest: 0.5,
	})
	if err != nil {
		t.Fatal(err)
	}
	if found.Best.Rate < 50 || found.Worse.Rate <= found.Best.Rate || found.Worse.Rate > 1200 || found.Worse.Loss() < 0.3 {
		t.Errorf("best is %v, worse %v with %v lost", found.Best.Rate, found.Worse.Rate, found.Worse.Loss())
	}
}
