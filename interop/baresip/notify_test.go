//go:build interop

package baresip_test

import (
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/sip"
)

// baresip is no enterprise firmware: it is told by check-sync, over the connection it registered by, and says
// that it does not know it. Over UDP and TCP we hear so, and go on.
func TestCheckSync(t *testing.T) {
	for _, transport := range []string{"udp", "tcp"} {
		m, server := manager(t)
		p := phone(t, server, transport, "1001", "one", auto)
		p.Registered()
		m.Tell([]string{"SEP001122334455"}, func(string) register.Order { return register.Order{Action: sip.Restart} })
		deadline := time.Now().Add(20 * time.Second)
		for told := m.Tellings(); len(told) != 1 || !told[0].State.Settled(); told = m.Tellings() {
			if time.Now().After(deadline) {
				t.Fatalf("%s: tellings %+v", transport, told)
			}
		}
		told := m.Tellings()[0]
		t.Logf("%s: baresip says %s", transport, told.Why)
		if told.State != register.Declined || !strings.HasPrefix(told.Why, "4") {
			t.Errorf("%s: baresip is %s: %s", transport, told.State, told.Why)
		}
	}
}
