package rollover

import (
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
	if h.Registered(time.Unix(10, 0), "") || h.Registered(time.Unix(5, 0), "") {
		t.Error("a registration that did not begin after the file proves nothing")
	}
	if !h.Registered(time.Unix(11, 0), "") || !h.Believes(chain("a")) || !h.Believes(chain("x", "b")) || h.Believes(chain("c")) {
		t.Errorf("registered since: %+v", h)
	}
	h.Delivered(file(20, "b", "c"))
	if h.Believes(chain("a")) || !h.Believes(chain("b")) || h.Believes(chain("c")) {
		t.Error("it may hold either of two files: only what both have counts")
	}
	if h.Registered(time.Unix(21, 0), "ab") {
		t.Error("it tells the stamp of its old file")
	}
	if !h.Registered(time.Unix(21, 0), "bc") || h.Believes(chain("a")) || !h.Believes(chain("c")) {
		t.Errorf("it tells the stamp of the new one: %+v", h)
	}
	h.Delivered(file(15, "z"))
	if len(h.Later) != 0 {
		t.Error("a delivery of before was taken in again")
	}
}

// TestHeldIsBounded has a phone fetch file after file without ever registering.
func TestHeldIsBounded(t *testing.T) {
	t.Parallel()
	var h Held
	h.Delivered(file(1, "a", "b"))
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
