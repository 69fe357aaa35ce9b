//go:build interop

package baresip_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"sync/atomic"
	"testing"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/interop/baresip"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store/memory"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// own returns a loopback address that nobody else uses.
var taken atomic.Uint32

func own() netip.Addr {
	return netip.AddrFrom4([4]byte{127, 201, byte(os.Getpid()), byte(taken.Add(1))})
}

// manager runs a call manager with lines 1001 to 1003, whose secrets are "one", "two" and "three".
func manager(t *testing.T) (*callmanager.Manager, string) {
	t.Helper()
	set := inventory.NewSet()
	for number, word := range map[string]string{"1001": "one", "1002": "two", "1003": "three"} {
		set.Lines[number] = &inventory.Line{Name: number, DisplayName: "Line " + number, Secret: secret.New(word)}
	}
	set.Devices["SEP001122334455"] = &inventory.Device{Name: "SEP001122334455", Lines: []string{"1001"}}
	var log bytes.Buffer
	at := own()
	m, err := callmanager.New(callmanager.Config{
		Settings:  callmanager.Settings{Listen: at},
		Inventory: func() *inventory.Set { return set }, Store: memory.New(),
		Log: slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: logging.LevelTrace})),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("call manager's log:\n%s", &log)
		}
	})
	servertest.Start(t, m.Serve)
	return m, at.String()
}

func phone(t *testing.T, server, transport, number, secret string, change func(*baresip.Account)) *baresip.Phone {
	t.Helper()
	a := baresip.Account{Own: own(), Server: server, Transport: transport, Number: number, Secret: secret}
	if change != nil {
		change(&a)
	}
	return baresip.Start(t, a)
}

func auto(a *baresip.Account) { a.Auto = true }

func TestTwoPhones(t *testing.T) {
	for _, c := range []struct {
		from, to     string
		callerLeaves bool
	}{{"udp", "udp", true}, {"udp", "tcp", false}, {"tcp", "udp", true}, {"tcp", "tcp", false}} {
		t.Run(fmt.Sprintf("%s calls %s", c.from, c.to), func(t *testing.T) {
			m, server := manager(t)
			ann := phone(t, server, c.from, "1001", "one", nil)
			bob := phone(t, server, c.to, "1002", "two", auto)
			ann.Registered()
			bob.Registered()
			if got := m.Registrations(); len(got) != 2 {
				t.Errorf("registered: %v, want two lines", got)
			}
			ann.Dial("1002")
			ann.Wait("CALL_ESTABLISHED")
			bob.Wait("CALL_ESTABLISHED")
			// Voice has come to both when each has seen the other's RTCP.
			ann.Wait("CALL_RTCP")
			bob.Wait("CALL_RTCP")
			leaver, left := ann, bob
			if !c.callerLeaves {
				leaver, left = bob, ann
			}
			leaver.Command("hangup", "")
			left.Wait("CALL_CLOSED")
			leaver.Wait("CALL_CLOSED")
		})
	}
}

func TestHoldAndResume(t *testing.T) {
	_, server := manager(t)
	ann := phone(t, server, "udp", "1001", "one", nil)
	bob := phone(t, server, "tcp", "1002", "two", auto)
	ann.Registered()
	bob.Registered()
	ann.Dial("1002")
	ann.Wait("CALL_ESTABLISHED")
	bob.Wait("CALL_ESTABLISHED")
	ann.Command("hold", "")
	wantOffer(t, bob)
	ann.Command("resume", "")
	wantOffer(t, bob)
	ann.Command("hangup", "")
	bob.Wait("CALL_CLOSED")
}

// wantOffer waits until the phone is asked to change the media of its call.
func wantOffer(t *testing.T, p *baresip.Phone) {
	t.Helper()
	for p.Wait("CALL_REMOTE_SDP").Param != "offer" {
	}
}

func TestRefusals(t *testing.T) {
	_, server := manager(t)
	ann := phone(t, server, "udp", "1001", "one", nil)
	bob := phone(t, server, "udp", "1002", "two", func(a *baresip.Account) { a.Auto, a.Codecs = true, "pcma" })
	ann.Registered()
	bob.Registered()

	ann.Dial("1999")
	wantClosed(t, ann, "404")
	ann.Dial("1003")
	wantClosed(t, ann, "480")

	carl := phone(t, server, "tcp", "1003", "three", nil)
	carl.Registered()
	ann.Dial("1002")
	ann.Wait("CALL_ESTABLISHED")
	carl.Dial("1002")
	wantClosed(t, carl, "486")
	ann.Command("hangup", "")
	bob.Wait("CALL_CLOSED")

	// The caller gives up while the other phone rings.
	ann.Dial("1003")
	carl.Wait("CALL_INCOMING")
	ann.Wait("CALL_RINGING")
	ann.Command("hangup", "")
	carl.Wait("CALL_CLOSED")
}

func wantClosed(t *testing.T, p *baresip.Phone, status string) {
	t.Helper()
	if e := p.Wait("CALL_CLOSED"); !bytes.Contains([]byte(e.Param), []byte(status)) {
		t.Errorf("call closed with %q, want %s", e.Param, status)
	}
}

func TestNoCommonCodec(t *testing.T) {
	_, server := manager(t)
	ann := phone(t, server, "udp", "1001", "one", func(a *baresip.Account) { a.Codecs = "pcmu" })
	bob := phone(t, server, "udp", "1002", "two", func(a *baresip.Account) { a.Auto, a.Codecs = true, "pcma" })
	ann.Registered()
	bob.Registered()
	ann.Dial("1002")
	wantClosed(t, ann, "488")
}

func TestWrongSecret(t *testing.T) {
	m, server := manager(t)
	ann := phone(t, server, "udp", "1001", "two", nil)
	ann.Says("403 Forbidden")
	if got := m.Registrations(); len(got) != 0 {
		t.Errorf("registered: %v", got)
	}
}
