//go:build interop

package tshark_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testnet"
	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// The phones of the lab fetch by HTTP. Here curl asks for a phone's file by TFTP, with options, and for
// one that is not there.
func TestTFTP(t *testing.T) {
	t.Parallel()
	c := capture{tshark: office.Peer(t, "tshark"), file: filepath.Join(t.TempDir(), "tftp.pcapng")}
	curl := office.Peer(t, "curl")
	o := office.New(t, "--phone", "SEP001122334455=CP-8861:1001")
	o.Serve()
	var recorded testnet.Capture
	if err := recorded.Tap("office-lan", o.Inside, "eth0"); err != nil {
		t.Fatal(err)
	}
	fetched, err := o.Run(o.Inside, "", curl, "-sS", "--tftp-blksize", "1024", "tftp://"+office.Inside+"/SEP001122334455.cnf.xml")
	if err != nil || !strings.Contains(fetched, "<device>") {
		t.Fatalf("curl: %v\n%s", err, fetched)
	}
	if out, err := o.Run(o.Inside, "", curl, "-sS", "tftp://"+office.Inside+"/nothing.tlv"); err == nil {
		t.Errorf("curl fetched %q, which is not there", out)
	}
	c.save(t, &recorded)
	judgeSoundness(t, c)

	const request, data, acknowledge, fault, options = "1", "3", "4", "5", "6"
	kinds := slices.Compact(c.fields(t, "tftp", "tftp.opcode"))
	want := []string{request, options, acknowledge, data}
	if len(kinds) < len(want) || !slices.Equal(kinds[:4], want) || kinds[len(kinds)-1] != fault {
		t.Errorf("TFTP packets are of kind %q, want them to begin %q and to end with an error", kinds, want)
	}
	if got := c.fields(t, "tftp.opcode == 6", "tftp.option.name", "tftp.option.value"); len(got) != 1 || !strings.Contains(got[0], "blksize") || !strings.Contains(got[0], "1024") {
		t.Errorf("options acknowledged are %q, want blksize 1024 among them", got)
	}
	if got := c.fields(t, "tftp.error.code", "tftp.error.code"); !slices.Equal(got, []string{"1"}) {
		t.Errorf("errors are %q, want one: file not found", got)
	}
}

// save writes what was recorded to the capture's file.
func (c capture) save(t *testing.T, recorded *testnet.Capture) {
	t.Helper()
	file, err := os.Create(c.file)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if err := recorded.Save(file, nil); err != nil {
		t.Fatal(err)
	}
}
