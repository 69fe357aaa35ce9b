package detect

import (
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/cnf"
)

var noon = time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC)

func file(hashes ...string) *cnf.Device {
	return &cnf.Device{VPN: &cnf.VPNGroup{CertificateHashes: hashes}}
}

// world says which servers answer the nth ping and what files they have.
type world struct {
	answersPing map[int]int // server: which of its pings it answers, 1 the first
	files       map[int]*cnf.Device
}

// live runs a detection to its end and returns the verdict, when it fell, and how many pings were sent.
func live(t *testing.T, cfg Config, w world) (decided Decided, after time.Duration, sent int) {
	t.Helper()
	now, pinged := noon, map[int]int{}
	d, actions := New(now, cfg)
	for {
		for ; len(actions) > 0; actions = actions[1:] {
			switch a := actions[0].(type) {
			case Ping:
				sent++
				pinged[a.Server]++
				if pinged[a.Server] == w.answersPing[a.Server] {
					actions = append(actions, d.Answered(a.Server)...)
				}
			case Fetch:
				actions = append(actions, d.Fetched(a.Server, w.files[a.Server])...)
			case Decided:
				if !d.Wake().IsZero() || d.Advance(now.Add(time.Hour)) != nil || d.Answered(0) != nil {
					t.Error("the detection goes on after its verdict")
				}
				return a, now.Sub(noon), sent
			}
		}
		if d.Wake().IsZero() {
			t.Fatal("the detection waits for nothing and has no verdict")
		}
		now = d.Wake()
		actions = d.Advance(now)
	}
}

func TestDetection(t *testing.T) {
	t.Parallel()
	stored := file("a", "spare")
	for _, c := range []struct {
		name  string
		cfg   Config
		world world
		want  Decided
		after time.Duration
		pings int
	}{
		{"nobody answers", Config{Servers: 2, Stored: stored}, world{}, Decided{Outside, NoAnswer, -1}, 3 * time.Second, 6},
		{"no server", Config{}, world{}, Decided{Outside, NoAnswer, -1}, 0, 0},
		{
			"the office answers", Config{Servers: 1, Stored: stored},
			world{map[int]int{0: 1}, map[int]*cnf.Device{0: file("a", "spare")}}, Decided{Inside, Proven, 0}, 0, 1,
		},
		{
			"the office answers the last ping", Config{Servers: 1, Stored: stored},
			world{map[int]int{0: 3}, map[int]*cnf.Device{0: file("a")}}, Decided{Inside, Proven, 0}, 2 * time.Second, 3,
		},
		{
			"a certificate was replaced by its spare", Config{Servers: 1, Stored: stored},
			world{map[int]int{0: 1}, map[int]*cnf.Device{0: file("spare", "next")}}, Decided{Inside, Proven, 0}, 0, 1,
		},
		{
			"a stranger answers and has no file", Config{Servers: 1, Stored: stored},
			world{answersPing: map[int]int{0: 1}}, Decided{Outside, Foreign, 0}, 0, 1,
		},
		{
			"a stranger has a file of that name", Config{Servers: 1, Stored: stored},
			world{map[int]int{0: 1}, map[int]*cnf.Device{0: {}}}, Decided{Outside, Foreign, 0}, 0, 1,
		},
		{
			"a stranger has a file with other hashes", Config{Servers: 1, Stored: stored},
			world{map[int]int{0: 1}, map[int]*cnf.Device{0: file("z")}}, Decided{Outside, Foreign, 0}, 0, 1,
		},
		{
			"a stranger answers, ping-only", Config{Servers: 1, Stored: stored, Mode: PingOnly},
			world{answersPing: map[int]int{0: 2}}, Decided{Inside, Answered, 0}, time.Second, 2,
		},
		{
			"a stranger answers first, the office second", Config{Servers: 2, Stored: stored},
			world{map[int]int{0: 1, 1: 2}, map[int]*cnf.Device{1: stored}}, Decided{Inside, Proven, 1}, time.Second, 3,
		},
		{
			"a stranger answers, the second server is gone", Config{Servers: 2, Stored: stored},
			world{answersPing: map[int]int{0: 1}}, Decided{Outside, Foreign, 0}, 3 * time.Second, 4,
		},
		{
			"nothing is stored", Config{Servers: 1},
			world{map[int]int{0: 1}, map[int]*cnf.Device{0: file("z")}}, Decided{Inside, Proven, 0}, 0, 1,
		},
	} {
		got, after, sent := live(t, c.cfg, c.world)
		if got != c.want || after != c.after || sent != c.pings {
			t.Errorf("%s: %s because %s (server %d) after %s and %d pings, want %s because %s (server %d) after %s and %d",
				c.name, got.Verdict, got.Reason, got.Server, after, sent,
				c.want.Verdict, c.want.Reason, c.want.Server, c.after, c.pings)
		}
	}
}

// A file that takes its time keeps the verdict open, without keeping the owner awake.
func TestFileIsWaitedFor(t *testing.T) {
	t.Parallel()
	stored := file("a")
	d, _ := New(noon, Config{Servers: 2, Stored: stored})
	if got := d.Answered(0); !slices.Equal(got, []Action{Fetch{0}}) {
		t.Fatalf("an answer gives %v, want Fetch", got)
	}
	if got := d.Answered(0); got != nil {
		t.Errorf("a second answer gives %v, want nothing", got)
	}
	for !d.Wake().IsZero() {
		if d.Wake().After(noon.Add(time.Minute)) {
			t.Fatal("pings go on for ever")
		}
		d.Advance(d.Wake())
	}
	if got := d.Answered(1); got != nil {
		t.Errorf("an answer that came too late gives %v, want nothing", got)
	}
	if got := d.Fetched(0, stored); !slices.Equal(got, []Action{Decided{Inside, Proven, 0}}) {
		t.Errorf("the file gives %v, want inside", got)
	}
	if d.Fetched(7, stored) != nil || d.Answered(-1) != nil {
		t.Error("a server that does not exist changes something")
	}
}
