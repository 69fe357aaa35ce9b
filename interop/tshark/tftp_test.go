//go:build interop

package tshark_test

import (
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

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

// Whoever falls silent is sent no packet more than three times, and who has never answered no more than was asked for:
// a request may bear anybody's address. tshark counts.
func TestTFTPToSilence(t *testing.T) {
	t.Parallel()
	c := capture{tshark: office.Peer(t, "tshark"), file: filepath.Join(t.TempDir(), "silence.pcapng")}
	o := office.New(t, "--phone", "SEP001122334455=CP-8861:1001")
	serve := o.Serve()
	var recorded testnet.Capture
	if err := recorded.Tap("office-lan", o.Inside, "eth0"); err != nil {
		t.Fatal(err)
	}
	const asks = "\x00\x01SEP001122334455.cnf.xml\x00octet\x00"
	type sent struct{ opcode, block string }
	peers := map[uint16][]sent{}
	for _, silence := range []struct {
		request string
		answers int // before it falls silent
		want    []sent
	}{
		{asks, 0, []sent{{"3", "1"}}},
		{asks + "blksize\x001024\x00", 0, []sent{{"6", ""}, {"6", ""}, {"6", ""}}},
		{asks, 1, []sent{{"3", "1"}, {"3", "2"}, {"3", "2"}, {"3", "2"}}},
	} {
		mark := serve.Mark()
		port := askAndFallSilent(t, o.Inside, silence.request, silence.answers)
		serve.WaitAfter(mark, "file not delivered")
		peers[port] = silence.want
	}
	c.save(t, &recorded)
	judgeSoundness(t, c)
	for port, want := range peers {
		var got []sent
		for _, line := range c.fields(t, fmt.Sprintf("tftp and udp.dstport == %d", port), "tftp.opcode", "tftp.block") {
			opcode, block, _ := strings.Cut(line, " ")
			got = append(got, sent{opcode, block})
		}
		if !slices.Equal(got, want) {
			t.Errorf("it is sent packets of kind and block %v, want %v", got, want)
		}
	}
}

// askAndFallSilent asks the file server from a port, which it returns, and acknowledges so many blocks. The port stays
// open, so that nothing but silence tells the server.
func askAndFallSilent(t *testing.T, from *testnet.Host, request string, answers int) (port uint16) {
	t.Helper()
	err := from.Do(func() error {
		conn, err := net.ListenUDP("udp4", nil)
		if err != nil {
			return err
		}
		t.Cleanup(func() { _ = conn.Close() })
		port = conn.LocalAddr().(*net.UDPAddr).AddrPort().Port()
		if err := conn.SetDeadline(time.Now().Add(office.Patience)); err != nil {
			return err
		}
		if _, err := conn.WriteTo([]byte(request), &net.UDPAddr{IP: net.ParseIP(office.Inside), Port: 69}); err != nil {
			return err
		}
		for block := range answers {
			_, server, err := conn.ReadFrom(make([]byte, 1500))
			if err == nil {
				_, err = conn.WriteTo([]byte{0, 4, 0, byte(block + 1)}, server)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return port
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
