//go:build interop

package openconnect_test

import (
	"syscall"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// TestClassOfService: what the office marks as voice is voice on the way to the client, as tshark reads it there; what
// it does not mark is not.
func TestClassOfService(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := connect(t, o, password)
	c.Wait("after detection")
	outside := o.Start(o.Client, office.Peer(t, "tshark"), "-i", "eth0", "-l", "-f", "udp src port 443", "-T", "fields", "-E", "separator==",
		"-e", "frame.len", "-e", "ip.dsfield.dscp")
	outside.Wait("Capture started")
	for _, mark := range []struct{ tos, dscp, size string }{{"0", "0", "1000"}, {"184", "46", "900"}} {
		ping := []string{"-c", "1", "-i", "0.3", "-w", "20", "-Q", mark.tos, "-s", mark.size, c.address}
		before := outside.Mark()
		if out, err := o.Run(o.Inside, "", office.Peer(t, "ping"), ping...); err != nil {
			t.Fatalf("ping to the client: %v\n%s", err, out)
		}
		outside.WaitAfter(before, "="+mark.dscp)
	}
	outside.Signal(syscall.SIGINT) // so that it ends its own child
	outside.Ended()
}
