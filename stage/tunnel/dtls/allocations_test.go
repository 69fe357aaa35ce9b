// The race detector has crypto/sha1 allocate when it shows its state, so these tests run without.

//go:build !race

package dtls

import "testing"

// TestNoAllocations watches the packet path.
func TestNoAllocations(t *testing.T) {
	for _, mode := range modes {
		w := newWorld(t, mode.filled(), mode.filled())
		w.run()
		buf := make([]byte, 200+w.clientC.Overhead())
		allocs := testing.AllocsPerRun(100, func() {
			datagram, err := w.clientC.Seal(buf, 200)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := w.serverC.Open(datagram); err != nil {
				t.Fatal(err)
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for sealing and opening a record", mode.name(), allocs)
		}
	}
}
