//go:build interop

package phone

import (
	"net/netip"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/interop/baresip"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

// Our phone and baresip call each other through our call manager, and each hears the other.
func TestCallWithBaresip(t *testing.T) {
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	for _, transport := range []sip.Transport{sip.TCP, sip.UDP} {
		t.Run(string(transport), func(t *testing.T) {
			taken := make(chan *phoneCall, 1)
			speakers := make(chan speaker, 2)
			speakers <- newSpeaker(t, tone.Home, time.Second)
			speakers <- newSpeaker(t, tone.Home, time.Second)
			used := make(chan speaker, 2)
			ann, told := w.phone(t, func(c *sipConfig) {
				c.transport, c.local = transport, loopback
				c.openMedia = func(netip.Addr) (mediaStream, error) {
					s := <-speakers
					used <- s
					return s, nil
				}
				c.incoming = func(call *phoneCall) { call.Answer(); taken <- call }
			})
			mustRegister(t, ann)
			name := map[sip.Transport]string{sip.TCP: "tcp", sip.UDP: "udp"}[transport]
			bob := baresip.Start(t, baresip.Account{
				Own: ownLoopback(), Server: w.address.String(), Transport: name, Number: "1002", Secret: "two", Auto: true,
			})
			bob.Registered()

			ours, err := ann.Call(t.Context(), "1002")
			if err != nil {
				t.Fatal(err)
			}
			first := <-used
			await(t, first.Played(), "the end of our file")
			ours.HangUp()
			bob.Wait("CALL_CLOSED")
			first.mustHave(t, tone.Desk)

			bob.Dial("1001")
			theirs := <-taken
			await(t, theirs.Up(), "our answer")
			second := <-used
			await(t, second.Played(), "the end of our file")
			bob.Command("hangup", "")
			await(t, theirs.Done(), "the other side's end of the call")
			second.mustHave(t, tone.Desk)
			for range 2 {
				told.wait(t, func(e Event) bool { return e.Event == "media" && e.Media.Received > 40 && e.Media.Lost == 0 })
			}
		})
	}
}
