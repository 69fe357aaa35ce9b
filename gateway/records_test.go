package gateway

import (
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
)

// TestOldRecords: what earlier versions stored is read by this one.
func TestOldRecords(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]sessionRecord{
		"session-1.json": {
			ID: 7, User: "anna", Device: "SEP001122334455", TunnelGroup: "phones", Address: netip.MustParseAddr("10.99.0.2"),
			Began: time.Date(2026, 9, 1, 8, 0, 0, 0, time.UTC), UserAgent: "Cisco SVC IPPhone Client v1.0",
		},
		"session-1-server.json": {
			ID: 8, User: "boris", TunnelGroup: "staff", GroupPolicy: "contractors", FramedAddress: netip.MustParseAddr("10.99.0.9"),
			IdleTimeout: 10 * time.Minute, SessionTimeout: time.Hour, Address: netip.MustParseAddr("10.99.0.9"),
			Began: time.Date(2026, 11, 1, 8, 0, 0, 0, time.UTC), UserAgent: "OpenConnect",
		},
	} {
		sample, err := os.ReadFile(filepath.Join("testdata", file))
		if err != nil {
			t.Fatal(err)
		}
		s := memory.New()
		t.Cleanup(func() { s.Close() })
		if _, err := s.Commit(t.Context(), store.Op{Key: "gateway/session/x", Value: sample, Read: store.Any}); err != nil {
			t.Fatal(err)
		}
		if got, err := sessionTable(s).Get(t.Context(), "x"); err != nil || got.Value != want {
			t.Errorf("%s: got %+v, %v want %+v", file, got.Value, err, want)
		}
	}
}
