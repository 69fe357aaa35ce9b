package call

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// scenarios are calls worth reading as a whole. What each must look like, line by line and with its times,
// stands in testdata; UPDATE=1 writes it anew.
var scenarios = map[string]func(x *exchange){
	"answered, caller hangs up": func(x *exchange) {
		x.phones["1002"].incoming = answer
		x.phones["1001"].call("1002", "offer")
		x.pass(time.Minute)
		x.phones["1001"].hangUp()
	},
	"answered, called hangs up": func(x *exchange) {
		x.phones["1002"].incoming = answer
		x.phones["1001"].call("1002", "offer")
		x.pass(time.Minute)
		x.phones["1002"].hangUp()
	},
	"cancelled while ringing": func(x *exchange) {
		x.phones["1002"].incoming = ring
		x.phones["1001"].call("1002", "offer")
		x.pass(5 * time.Second)
		x.phones["1001"].hangUp()
	},
	"busy": func(x *exchange) {
		x.phones["1002"].incoming = func(p *phone) { p.do(p.leg.Refuse(486)) }
		x.phones["1001"].call("1002", "offer")
	},
	"no answer": func(x *exchange) {
		x.phones["1002"].incoming = ring
		x.phones["1001"].call("1002", "offer")
		x.pass(time.Hour)
	},
	"unknown number": func(x *exchange) { x.phones["1001"].call("1999", "offer") },
	"no common codec": func(x *exchange) {
		x.phones["1002"].incoming = func(p *phone) { p.do(p.leg.Refuse(488)) }
		x.phones["1001"].call("1002", "offer")
	},
}

// pass lets time pass, with every timer of the manager's that falls into it.
func (x *exchange) pass(d time.Duration) {
	until := x.now.Add(d)
	for wake := x.sw.Wake(); !wake.IsZero() && !wake.After(until); wake = x.sw.Wake() {
		x.now = wake
		x.manager(x.sw.Advance(wake))
		x.run()
	}
	x.now = until
}

func TestTranscripts(t *testing.T) {
	t.Parallel()
	for name, play := range scenarios {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			x := newExchange(t)
			x.timed = true
			play(x)
			got := strings.Join(x.story, "\n") + "\n"
			file := filepath.Join("testdata", strings.NewReplacer(", ", "-", " ", "-").Replace(name)+".txt")
			if os.Getenv("UPDATE") != "" {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if got != string(want) {
				t.Errorf("what happened:\n%swant, by %s:\n%s", got, file, want)
			}
		})
	}
}
