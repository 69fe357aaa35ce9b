package login

import (
	"context"
	"log/slog"
	"net/netip"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// benchmarkLogin logs one user in, whose hash costs what new hashes cost. before is done before each login.
func benchmarkLogin(b *testing.B, before func(*Local)) {
	text, err := HashPassword(secret.New("secret"))
	if err != nil {
		b.Fatal(err)
	}
	set := inventory.NewSet()
	set.TunnelGroups["staff"] = &inventory.TunnelGroup{Name: "staff"}
	set.Users["anna"] = &inventory.User{Name: "anna", PasswordHash: secret.New(text)}
	l, err := NewLocal(Config{Users: func() *inventory.Set { return set }})
	if err != nil {
		b.Fatal(err)
	}
	r := request("anna", "secret", "staff")
	if _, err := l.Authenticate(context.Background(), r); err != nil {
		b.Fatal(err)
	}
	began := processorTime(b)
	for b.Loop() {
		before(l)
		if _, err := l.Authenticate(context.Background(), r); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64((processorTime(b)-began).Microseconds())/float64(b.N), "cpu-µs/op") // says the same on a busy machine
}

// processorTime is what this process has used.
func processorTime(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkFirstLogin is what a user's first login after a start costs: a hashing with argon2id.
func BenchmarkFirstLogin(b *testing.B) {
	benchmarkLogin(b, func(l *Local) { l.memory = newMemory() })
}

// BenchmarkLoginAgain is what the logins after it cost.
func BenchmarkLoginAgain(b *testing.B) {
	benchmarkLogin(b, func(*Local) {})
}

// BenchmarkBans is what counting failed logins adds to each, with as many remembered as can be.
func BenchmarkBans(b *testing.B) {
	bans := newBans(nil, slog.New(slog.DiscardHandler))
	set := inventory.NewSet()
	for i := range maxBans {
		r := request("x", "wrong", "staff")
		r.Source = netip.AddrFrom4([4]byte{10, 0, byte(i >> 8), byte(i)})
		bans.note(set, r, ErrRefused)
	}
	r := request("anna", "secret", "staff")
	for b.Loop() {
		if err := bans.refuse(set, r); err != nil {
			b.Fatal(err)
		}
		bans.note(set, r, nil)
	}
}
