//go:build interop

package tshark_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/wire/pcap"
)

// TestCaptures reads recorded captures by ourselves and with tshark: where each packet goes, and what was said.
func TestCaptures(t *testing.T) {
	t.Parallel()
	program := office.Peer(t, "tshark")
	files, err := filepath.Glob("../../doctor/testdata/net/*.pcap*")
	if err != nil || len(files) == 0 {
		t.Fatalf("no captures: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			t.Parallel()
			c := capture{tshark: program, file: file}
			want := c.fields(t, "(tcp or udp) and not icmp", "frame.number", "ip.src", "ip.dst", "tcp.srcport", "tcp.dstport", "udp.srcport", "udp.dstport")
			for i := range want {
				want[i] = strings.Join(strings.Fields(want[i]), " ")
			}
			if got := frames(t, file); !slices.Equal(got, want) {
				t.Errorf("we read\n%s\ntshark reads\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
			facts := told(t, file)
			agree := func(what string, kind fact.Kind, filter string) {
				if seen := len(c.fields(t, filter, "frame.number")) > 0; seen != facts[kind] {
					t.Errorf("%s: tshark says %v, we say %v", what, seen, facts[kind])
				}
			}
			agree("certificates", fact.GatewayCertificate, "tls.handshake.certificate")
			agree("registrations refused", fact.RegistrarRefused, "sip.Status-Code >= 403 and sip.CSeq.method == REGISTER")
			agree("files missing", fact.FileMissing, "tftp.error.code == 1")
			agree("file servers of DHCP", fact.DHCPFiles, "dhcp.option.type == 150")
		})
	}
}

// frames returns the packets of TCP and UDP as tshark is asked to print them.
func frames(t *testing.T, file string) []string {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	r, err := pcap.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		if f, ok := p.Parse(); ok && (f.Protocol == pcap.TCP || f.Protocol == pcap.UDP) {
			all = append(all, fmt.Sprintf("%d %s %s %d %d", p.Number, f.Src.Addr(), f.Dst.Addr(), f.Src.Port(), f.Dst.Port()))
		}
	}
}

// told returns which kinds of facts a capture tells.
func told(t *testing.T, file string) map[fact.Kind]bool {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	c := fact.NewCollector("test", "files")
	if err := read.Input(t.Context(), c, file, bytes.NewReader(b), read.Options{}); err != nil {
		t.Fatal(err)
	}
	kinds := map[fact.Kind]bool{}
	for _, f := range c.File().Facts {
		kinds[f.Kind] = true
	}
	return kinds
}
