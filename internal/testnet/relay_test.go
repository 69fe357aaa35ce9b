package testnet_test

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testnet"
)

// TestRelay sends numbered datagrams through every kind of weather.
func TestRelay(t *testing.T) {
	t.Parallel()
	allowed(t)
	a, b := newHost(t, "a", nil), newHost(t, "b", nil)
	relay, err := testnet.ConnectBy(a, "eth0", netip.MustParsePrefix("10.0.0.1/24"), b, "eth0", netip.MustParsePrefix("10.0.0.2/24"))
	must(t, err)
	t.Cleanup(func() { must(t, relay.Close()) })
	var from, to *net.UDPConn
	must(t, b.Do(func() (err error) {
		to, err = net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(10, 0, 0, 2)})
		return err
	}))
	defer to.Close()
	must(t, a.Do(func() (err error) {
		from, err = net.DialUDP("udp4", nil, to.LocalAddr().(*net.UDPAddr))
		return err
	}))
	defer from.Close()

	all := make([]uint32, 500)
	for i := range all {
		all[i] = uint32(i)
	}
	if got, _ := sendNumbers(t, from, to, len(all)); !slices.Equal(got, all) {
		t.Errorf("in fine weather %d of %d datagrams arrive, in order: %t", len(got), len(all), slices.IsSorted(got))
	}
	relay.Set(testnet.Weather{Delay: 50 * time.Millisecond})
	if got, took := sendNumbers(t, from, to, len(all)); !slices.Equal(got, all) || took < 50*time.Millisecond {
		t.Errorf("with delay %d of %d datagrams arrive, in order: %t, the first after %v", len(got), len(all), slices.IsSorted(got), took)
	}
	relay.Set(testnet.Weather{Jitter: 20 * time.Millisecond})
	got, _ := sendNumbers(t, from, to, len(all))
	inOrder := slices.IsSorted(got)
	if slices.Sort(got); inOrder || !slices.Equal(got, all) {
		t.Errorf("with jitter %d of %d datagrams arrive, in order: %t", len(got), len(all), inOrder)
	}
	relay.Set(testnet.Weather{Loss: 0.2})
	if got, _ := sendNumbers(t, from, to, len(all)); len(got) < 300 || len(got) > 480 || !slices.IsSorted(got) {
		t.Errorf("with a loss of 20 %% %d of %d datagrams arrive, in order: %t", len(got), len(all), slices.IsSorted(got))
	}
	relay.Set(testnet.Weather{Twice: 0.2})
	if got, _ := sendNumbers(t, from, to, len(all)); len(got) < 520 || len(got) > 700 || !slices.Equal(slices.Compact(got), all) {
		t.Errorf("with 20 %% twice %d datagrams arrive for %d", len(got), len(all))
	}
}

// sendNumbers sends n datagrams and returns those that arrive before a last one that is repeated until it
// comes, and when the first one came.
func sendNumbers(t *testing.T, from, to *net.UDPConn, n int) (got []uint32, first time.Duration) {
	t.Helper()
	began := time.Now()
	last := 1<<31 | uint32(began.UnixNano()) // other than that of the stream before
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		for i := range n {
			_, _ = from.Write(binary.BigEndian.AppendUint32(nil, uint32(i))) // seen by what arrives
			time.Sleep(100 * time.Microsecond)                               // a stream, not a burst that overflows a socket
		}
		pause := time.NewTicker(100 * time.Millisecond) // above every jitter
		defer pause.Stop()
		for {
			select {
			case <-pause.C:
				_, _ = from.Write(binary.BigEndian.AppendUint32(nil, last))
			case <-ended:
				return
			}
		}
	}()
	buf := make([]byte, 100)
	must(t, to.SetReadDeadline(time.Now().Add(time.Minute)))
	for {
		if _, err := to.Read(buf); err != nil {
			t.Fatal(err)
		}
		number := binary.BigEndian.Uint32(buf)
		switch {
		case number == last:
			return got, first
		case number < 1<<31:
			if got = append(got, number); len(got) == 1 {
				first = time.Since(began)
			}
		}
	}
}
