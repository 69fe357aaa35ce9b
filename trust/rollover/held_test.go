package rollover

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/verify"
)

// A certificate is its bytes here, and its hash that of them.
func chain(names ...string) [][]byte {
	var all [][]byte
	for _, name := range names {
		all = append(all, []byte(name))
	}
	return all
}

func file(at int, names ...string) File {
	f := File{At: time.Unix(int64(at), 0)}
	for _, name := range names {
		f.Hashes = append(f.Hashes, verify.HashOf([]byte(name)).String())
		f.Stamp += name
	}
	return f
}

func began(at int, stamp string) Registration {
	return Registration{Began: time.Unix(int64(at), 0), Stamp: stamp}
}

func TestHeld(t *testing.T) {
	t.Parallel()
	var h Held
	if !h.New() || h.Believes(chain("a")) {
		t.Error("a phone that nobody has heard of")
	}
	h.Delivered(file(10, "a", "b"))
	if h.New() || h.Believes(chain("a")) {
		t.Error("its first file has arrived, and whether it holds it is not known")
	}
	if h.Registered(began(10, "")) || h.Registered(began(5, "")) {
		t.Error("a registration that did not begin after the file proves nothing")
	}
	if !h.Registered(began(11, "")) || !h.Believes(chain("a")) || !h.Believes(chain("x", "b")) || h.Believes(chain("c")) {
		t.Errorf("registered since: %+v", h)
	}
	h.Delivered(file(20, "b", "c"))
	if h.Believes(chain("a")) || !h.Believes(chain("b")) || h.Believes(chain("c")) {
		t.Error("it may hold either of two files: only what both have counts")
	}
	if h.Registered(began(21, "ab")) {
		t.Error("it tells the stamp of its old file")
	}
	if !h.Registered(began(21, "bc")) || h.Believes(chain("a")) || !h.Believes(chain("c")) {
		t.Errorf("it tells the stamp of the new one: %+v", h)
	}
	h.Delivered(file(15, "z"))
	if len(h.Later) != 0 {
		t.Error("a delivery of before was taken in again")
	}
}

// TestHeldByWhoFetched has somebody look at the file of a phone, which then registers for another reason.
func TestHeldByWhoFetched(t *testing.T) {
	t.Parallel()
	desk, operator := netip.MustParseAddr("10.1.0.20"), netip.MustParseAddr("10.1.0.7")
	fetched := func(at int, by netip.Addr, names ...string) File {
		f := file(at, names...)
		f.To = by
		return f
	}
	at := func(when int) Registration {
		return Registration{Began: time.Unix(int64(when), 0), From: desk}
	}
	var h Held
	h.Delivered(fetched(10, desk, "a"))
	if !h.Registered(at(11)) || !h.Believes(chain("a")) {
		t.Errorf("it registers from where its file went: %+v", h)
	}
	h.Delivered(fetched(20, operator, "a", "b"))
	if h.Registered(at(21)) || h.Believes(chain("b")) {
		t.Errorf("a file that went to %s is taken for that of the phone at %s", operator, desk)
	}
	h.Delivered(fetched(30, desk, "a", "b"))
	h.Delivered(fetched(31, operator, "a", "b"))
	if !h.Registered(at(32)) || !h.Believes(chain("b")) {
		t.Errorf("the phone has fetched the same file, between the looks of somebody else: %+v", h)
	}
}

// TestTookWhatCounts: where nobody here sees the phone register, it has taken what was certainly fetched by it.
func TestTookWhatCounts(t *testing.T) {
	t.Parallel()
	var h Held
	other := file(10, "a")
	other.Other, other.To = true, netip.MustParseAddr("10.1.0.7")
	if h.Delivered(other); h.Took() || !h.New() {
		t.Errorf("somebody else has fetched its file, and the phone is heard of: %+v", h)
	}
	own := file(20, "a")
	own.Counts = true
	h.Delivered(own)
	routed := file(30, "a", "b")
	routed.To = netip.MustParseAddr("10.2.0.7")
	h.Delivered(routed)
	if !h.Took() || !h.Believes(chain("a")) || h.Believes(chain("b")) || len(h.Later) != 1 {
		t.Errorf("it holds its own file, and may hold the one that went behind a router: %+v", h)
	}
}

// TestHeldIsBounded has a phone fetch file after file without ever registering.
func TestHeldIsBounded(t *testing.T) {
	t.Parallel()
	var h Held
	taken := file(1, "a", "b")
	taken.Counts = true
	h.Delivered(taken)
	h.Took()
	for i := range 100 {
		names := []string{"a", string(rune('c' + i%20))}
		if i == 3 {
			names = names[1:]
		}
		h.Delivered(file(10+i, names...))
	}
	if len(h.Later) != maxLater {
		t.Errorf("%d files are remembered, want %d", len(h.Later), maxLater)
	}
	if h.Believes(chain("a")) {
		t.Error("one of the hundred was without a, and that was forgotten")
	}
	if !slices.ContainsFunc(h.Later, func(f File) bool { return len(f.Hashes) == 0 }) {
		t.Errorf("no merged file: %+v", h.Later)
	}
}
