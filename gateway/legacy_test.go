package gateway

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store/memory"
)

// TestLegacyInUse: who comes by old TLS or old DTLS is counted, also after a restart; others are not.
func TestLegacyInUse(t *testing.T) {
	t.Parallel()
	board, with := withBoard()
	w := open(t, withUsers("anna", "berta", "carla", "doris"), with)
	says := func(what string) {
		t.Helper()
		w.until(what, func() bool {
			f := standing(board, finding.LegacyInUse)
			return f != nil && f.Subject == "phones" && strings.Contains(f.Says, what)
		})
	}
	says("no phone has needed it")
	w.tunnelWith(old(), phoneURL, "anna")
	says("1 phone has needed it")
	w.tunnelWith(tls12(), phoneURL, "doris") // could have come by the old, and did not have to
	w.tunnelWith(old(), phoneURL, "berta")
	says("2 phones have needed it")
	w.tunnelWith(old(), phoneURL, "anna") // again
	c := w.dial(modern())
	offer := c.offer(c.cookie(phoneURL, "carla"))
	offer.CipherSuites12, offer.CipherSuites = nil, []string{"AES128-SHA"}
	if err := c.connect(offer); err != nil {
		t.Fatal(err)
	}
	c.dtls(w.socket())
	says("3 phones have needed it")
	evidence := standing(board, finding.LegacyInUse).Evidence
	if len(evidence) != 3 || !strings.HasPrefix(evidence[0].Text, "anna came with TLS 1.0, last on 20") || !strings.HasPrefix(evidence[2].Text, "carla came with DTLS 0.9") {
		t.Errorf("evidence is %v", evidence)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w.start(with)
	if found := w.g.LegacyInUse(); len(found) != 1 || !strings.Contains(found[0].Says, "3 phones have") {
		t.Errorf("after a restart: %v", found)
	}
	set := *declared()
	set.TunnelGroups["phones"].LegacyPhones = false
	w.inventory.Store(&set)
	w.g.legacy.raise(time.Now())
	if f := standing(board, finding.LegacyInUse); f != nil {
		t.Errorf("where it is not allowed: %v", f.Says)
	}
}

// TestLegacyForgotten: a phone that has not needed it for a month counts no more.
func TestLegacyForgotten(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s, set := memory.New(), declared()
		defer s.Close()
		g := &Gateway{config: Config{Inventory: func() *inventory.Set { return set }, Store: s}, log: logging.Or(nil)}
		g.legacy = newLegacy(g)
		now := time.Now()
		g.legacy.used(sessionRecord{TunnelGroup: "phones", Device: "SEP1"}, "TLS 1.0", now)
		g.legacy.used(sessionRecord{TunnelGroup: "phones", User: "anna"}, "TLS 1.0", now.Add(10*24*time.Hour))
		later := now.Add(legacyKept)
		if f := g.legacy.findings(later); len(f) != 1 || !strings.Contains(f[0].Says, "1 phone has") {
			t.Errorf("a month later: %v", f)
		}
		g.legacy.forget(later)
		left, _, err := legacyTable(s).List(context.Background())
		if err != nil || len(left) != 1 || left[0].Name != "anna" {
			t.Errorf("the store keeps %v, %v", left, err)
		}
	})
}
