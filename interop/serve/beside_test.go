//go:build interop

package serve_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// What strangers send to the gateway, from the address of a good client too, costs that client's call not
// one packet: fifty a second each way for ten seconds, through the tunnel of openconnect.
func TestRubbishBesideACall(t *testing.T) {
	ping := office.Peer(t, "ping")
	o := office.New(t)
	o.Serve()
	o.AddUser(user, password)
	client := o.OpenConnect(o.Client, user, password)
	client.Wait("Established DTLS connection")

	stranger := newAttacker(t, o.Client, "203.0.113.8/24")
	neighbour := attacker{o.Client, stranger.from}
	neighbour.from = neighbour.from.Next() // the client's own address
	stop := make(chan struct{})
	var attackers sync.WaitGroup
	for _, a := range []attacker{stranger, neighbour} {
		attackers.Go(func() { a.pour(stop, office.Outside+":443", dtlsSeeds) })
		attackers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					if conn, err := a.dial("tcp4", office.Outside+":443"); err == nil {
						talkRubbish(conn, tlsSeeds)
					}
				}
			}
		})
	}
	out, err := o.Run(o.Client, "", ping, "-c", "500", "-i", "0.02", "-s", "172", "-W", "10", "-q", office.Desk)
	close(stop)
	attackers.Wait()
	if err != nil || !strings.Contains(out, "500 received, 0% packet loss") {
		t.Errorf("ping through the tunnel: %v\n%s", err, out)
	}
	if said := client.Output(); strings.Contains(said, "DPD") && strings.Contains(said, "ead peer") || strings.Contains(said, "econnect") {
		t.Errorf("openconnect has lost its connection:\n%s", said)
	}
}
