package gateway

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/cstp"
)

// crowd is a gateway with so many clients on one IP address, each with a DTLS channel.
func crowd(t *testing.T, n int) (w *world, clients []*client, channels []*channel) {
	t.Helper()
	var names []string
	for i := range n {
		names = append(names, fmt.Sprintf("user%d", i))
	}
	w = open(t, withUsers(names...), func(w *world, _ *Config) {
		set := declared()
		set.AddressPools["pool"].Network = "10.99.0.0/24"
		w.inventory.Store(set)
	})
	for _, name := range names {
		c := w.tunnel(phoneURL, name)
		clients, channels = append(clients, c), append(channels, c.dtls(w.socket()))
	}
	return w, clients, channels
}

// counted waits until the counters of every session are right: packets are counted when their batch has left.
func (w *world) counted(right func(SessionInfo) bool) {
	w.t.Helper()
	w.until("the counters are right", func() bool {
		return !slices.ContainsFunc(w.g.Sessions(), func(s SessionInfo) bool { return !right(s) })
	})
}

// TestMoveLosesNothing changes a client's port in the middle of its speech. Nothing is lost in either
// direction.
func TestMoveLosesNothing(t *testing.T) {
	t.Parallel()
	w, clients, channels := crowd(t, 1)
	c, d := clients[0], channels[0]
	down := packet(files, c.answer.Address.String(), protoUDP, 4000, 172)
	for i := range 60 {
		if i%20 == 10 {
			d.sock = w.socket()
		}
		d.send(cstp.Data, toFiles(c.answer.Address.String()))
		w.toHost()
		w.fromHost(down)
		if got := d.message(cstp.Data); got != string(down) {
			t.Fatalf("packet %d comes as % x", i, got)
		}
	}
	w.counted(func(s SessionInfo) bool { return s.FromPackets == 60 && s.ToPackets == 60 && s.Refused == 0 })
	if !w.log.Has("client has moved") {
		t.Error("the log does not say that the client has moved")
	}
	c.conn.Close()
	d.close(t)
	w.until("no address is remembered", func() bool {
		w.g.moves.mu.Lock()
		defer w.g.moves.mu.Unlock()
		return len(w.g.moves.at) == 0 && w.g.handshakes.peers.count() == 0
	})
}

// close tells the gateway that the channel ends.
func (c *channel) close(t *testing.T) {
	t.Helper()
	datagram, err := c.conn.CloseNotify()
	if err == nil {
		_, err = c.sock.Write(datagram)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// TestCrowdChangesPorts: a router restarts, and each of its twenty clients gets the port of another.
func TestCrowdChangesPorts(t *testing.T) {
	t.Parallel()
	w, clients, channels := crowd(t, 20)
	for range 3 {
		first := channels[0].sock
		for i := range channels[1:] {
			channels[i].sock = channels[i+1].sock
		}
		channels[len(channels)-1].sock = first
		for i, d := range channels {
			address := clients[i].answer.Address.String()
			d.send(cstp.Data, toFiles(address))
			if got := w.toHost(); got != string(toFiles(address)) {
				t.Fatalf("client %d: the host gets % x", i, got)
			}
		}
		for i, d := range channels {
			down := packet(files, clients[i].answer.Address.String(), protoUDP, 4000, 172)
			w.fromHost(down)
			if got := d.message(cstp.Data); got != string(down) {
				t.Fatalf("client %d gets % x", i, got)
			}
		}
	}
	w.counted(func(s SessionInfo) bool { return s.FromPackets == 3 && s.ToPackets == 3 && s.Refused == 0 })
}

// TestOnlyNewRecordsMove: what was overheard and comes again, or was late on the way, moves nobody.
func TestOnlyNewRecordsMove(t *testing.T) {
	t.Parallel()
	w, clients, channels := crowd(t, 2) // the second for the sites of tests
	c, d := clients[0], channels[0]
	p := toFiles(c.answer.Address.String())
	overheard := d.sealed(cstp.Data, p)
	late := d.sealed(cstp.Data, p)
	first, second := d.sock, w.socket()
	write := func(sock *net.UDPConn, datagram []byte) {
		t.Helper()
		if _, err := sock.Write(datagram); err != nil {
			t.Fatal(err)
		}
	}
	write(first, overheard)
	w.toHost()
	write(second, d.sealed(cstp.Data, p)) // moves
	w.toHost()
	write(first, late) // is heard
	w.toHost()
	write(w.socket(), overheard) // is not
	write(w.socket(), late)
	write(w.socket(), make([]byte, 100))
	spoiled := d.sealed(cstp.Data, p)
	spoiled[len(spoiled)-1] ^= 1
	write(w.socket(), spoiled)
	d.sock = second
	d.send(cstp.DPDRequest, nil) // the gateway has seen all that when it answers
	d.message(cstp.DPDResponse)
	if info := w.g.Sessions()[0]; info.FromPackets != 3 {
		t.Errorf("%+v", info)
	}
	if got := c.session().dtls.Load().peer.Load().Port(); int(got) != second.LocalAddr().(*net.UDPAddr).Port {
		t.Errorf("the gateway sends to port %d", got)
	}
}

// TestStrangersAreLimited: who has no key can make the gateway try so often and no more, and each trial
// of a large record counts for several.
func TestStrangersAreLimited(t *testing.T) {
	t.Parallel()
	w, clients, channels := crowd(t, 3)
	var list [movesTried]candidate
	now := time.Now()
	from := channels[0].sock.LocalAddr().(*net.UDPAddr).AddrPort().Addr()
	record := channels[0].sealed(cstp.Data, toFiles(clients[0].answer.Address.String()))
	tried := 0
	for range 2000 {
		tried += w.g.moves.candidates(now, from, record, &list)
	}
	if tried < trialsPerAddress/2 || tried > trialsPerAddress {
		t.Errorf("%d trials at once, want about %d", tried, trialsPerAddress*3/4)
	}
	if n := w.g.moves.candidates(now.Add(100*time.Millisecond), from, record, &list); n != 3 {
		t.Errorf("a little later: %d trials want 3", n)
	}
	if n := w.g.moves.candidates(now, netip.MustParseAddr("192.0.2.1"), record, &list); n != 0 {
		t.Errorf("from an address without channels: %d trials", n)
	}
}

func TestNearestFirst(t *testing.T) {
	t.Parallel()
	var list [movesTried]candidate
	n := 0
	for i := range 3 * movesTried {
		n = insert(&list, n, candidate{ahead: uint64(i*37%(3*movesTried) + 1)})
	}
	for i, c := range list[:n] {
		if c.ahead != uint64(i+1) {
			t.Errorf("place %d has %d ahead", i, c.ahead)
		}
	}
	if n != movesTried {
		t.Errorf("the list holds %d", n)
	}
}

func TestBudget(t *testing.T) {
	t.Parallel()
	b, now := fullBudget(10), time.Now()
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 7}, {0, 3}, {0, 0}, {time.Second, 5}, {time.Hour, 7}, {0, 3}, {100 * time.Millisecond, 0}, {100 * time.Millisecond, 1}} {
		now = now.Add(step.after)
		if got := b.take(now, 7); got != step.want {
			t.Errorf("after %v more: %d want %d", step.after, got, step.want)
		}
	}
}
