package phone

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cnf"
)

const (
	newLoad = "sip88xx.14-2-1"
	kernel  = "kern88xx.14-2-1.sbn"
	system  = "rootfs88xx.14-2-1.sbn"
)

// upgrading is a phone that runs an old load, and the events of its life.
func upgrading(t *testing.T) (*Phone, *[]Event) {
	t.Helper()
	var events []Event
	p, err := New(Config{
		Name: aPhone, Servers: []string{"127.0.0.1"}, StateDir: t.TempDir(), Events: func(e Event) { events = append(events, e) },
		OpenTUN: func(tun.Settings) (tun.Device, error) { return nil, errors.New("no tunnel here") },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := keepLoad(p.config.StateDir, Load{Name: "sip88xx.12-1-1"}); err != nil {
		t.Fatal(err)
	}
	return p, &events
}

func sum(content string) string {
	s := sha256.Sum256([]byte(content))
	return hex.EncodeToString(s[:])
}

// A load comes by HTTP, or by TFTP where nobody answers there; the phone boots to run it, and does not ask twice.
func TestUpgrade(t *testing.T) {
	t.Parallel()
	image := strings.Repeat("image", maxFile/5+1) // larger than any other file may be
	files := map[string]string{newLoad + ".loads": kernel + "\n" + system, kernel: "kernel", system: image}
	for transport, viaHTTP := range map[provision.Transport]bool{provision.HTTP: true, provision.TFTP: false} {
		p, events := upgrading(t)
		server, f := serveFiles(t, files, viaHTTP, !viaHTTP)
		cfg := provisionConfig{fetcher: f, servers: []string{"127.0.0.1"}}
		if !p.upgrade(t.Context(), cfg, &cnf.Device{Load: newLoad}) {
			t.Fatalf("by %v the phone does not boot: %+v", transport, *events)
		}
		want := []LoadPart{
			{newLoad + ".loads", len(kernel) + 1 + len(system), sum(kernel + "\n" + system), string(transport)},
			{kernel, 6, sum("kernel"), string(transport)}, {system, len(image), sum(image), string(transport)},
		}
		last := (*events)[len(*events)-1]
		if last.Event != "load" || !last.OK || last.Load.Name != newLoad || !slices.Equal(last.Load.Parts, want) {
			t.Errorf("by %v it says %+v, want %+v", transport, last.Load, want)
		}
		if got := p.keptLoad(); got != newLoad {
			t.Errorf("by %v it runs %q", transport, got)
		}
		asked := server.requests()
		if p.upgrade(t.Context(), cfg, &cnf.Device{Load: newLoad}) || server.requests() != asked {
			t.Errorf("the load that it runs is fetched again: %s", server.requests())
		}
	}
}

// A load of which something is missing is not taken: the phone goes on with the one it has, and says why in the
// words of phones.
func TestUpgradeFails(t *testing.T) {
	t.Parallel()
	list := newLoad + ".loads"
	for name, c := range map[string]struct {
		files    map[string]string
		silent   bool
		file     cnf.Device
		says     string
		complete int // files before the one that was missed
	}{
		"no list":          {map[string]string{}, false, cnf.Device{}, "File Not Found : " + list, 0},
		"a missing image":  {map[string]string{list: kernel + "\n" + system, kernel: "kernel"}, false, cnf.Device{}, "File Not Found : " + system, 2},
		"an empty list":    {map[string]string{list: "nothing"}, false, cnf.Device{}, "Checksum Error : " + list, 1},
		"nobody is there":  {nil, true, cnf.Device{}, "TFTP timeout : " + list, 0},
		"a server of none": {map[string]string{list: kernel, kernel: "kernel"}, false, cnf.Device{Vendor: cnf.Settings{{Key: "loadServer", Value: "::1"}}}, "TFTP timeout : " + list, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, events := upgrading(t)
			_, f := serveFiles(t, c.files, !c.silent, false)
			c.file.Load = newLoad
			if p.upgrade(t.Context(), provisionConfig{fetcher: f, servers: []string{"127.0.0.1"}}, &c.file) {
				t.Fatal("the phone boots")
			}
			if got := p.keptLoad(); got != "sip88xx.12-1-1" {
				t.Errorf("it runs %q now", got)
			}
			last := (*events)[len(*events)-1]
			if last.Event != "load" || last.OK || len(last.Load.Parts) != c.complete {
				t.Errorf("it says %+v %+v, want %d files", last, last.Load, c.complete)
			}
			status := p.panel.show().status
			if got := status[len(status)-1]; !strings.HasSuffix(got, " "+c.says) {
				t.Errorf("its status message is %q, want %q", got, c.says)
			}
		})
	}
}
