package phone

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cnf"
)

const dialRules = `<dialTemplate><TEMPLATE match="9..." timeout="0" rewrite="%2"/></dialTemplate>`

// withRules is a phone's file that names dial rules and soft keys.
func withRules() *cnf.Device {
	return &cnf.Device{SIPProfile: &cnf.SIPProfile{DialTemplate: "DRx.xml", SoftKeyFile: "SKx.xml"}}
}

func TestCompanionsAreFetchedAndUsed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	server, fetcher := serveFiles(t, map[string]string{"DRx.xml": dialRules, "SKx.xml": "<softKeyCfg/>"}, false, true)
	cfg := provisionConfig{fetcher: fetcher, servers: []string{"127.0.0.1"}, device: deviceName, dir: dir, trust: loadBelief(beliefConfig{dir: dir})}
	read, missed := fetchCompanions(t.Context(), cfg, withRules())
	if len(missed) > 0 || strings.Join(read, "; ") != `DRx.xml: dial template stamp "", 1 patterns; SKx.xml: soft keys stamp "", 0 keys in 0 states` {
		t.Errorf("read %q, missed %v", read, missed)
	}
	if got := server.requests(); got != "tftp DRx.xml, tftp SKx.xml" {
		t.Errorf("asked %s", got)
	}
	p, err := New(Config{Name: deviceName, Servers: []string{"127.0.0.1"}, StateDir: dir, OpenTUN: func(tun.Settings) (tun.Device, error) { return nil, errors.New("none") }})
	if err != nil {
		t.Fatal(err)
	}
	if got := p.dialled(withRules(), "9001"); got != "001" {
		t.Errorf("9001 dials %q, want 001 by the rules that were fetched", got)
	}
	if got := p.dialled(&cnf.Device{SIPProfile: &cnf.SIPProfile{}}, "9001"); got != "9001" {
		t.Errorf("without rules 9001 dials %q", got)
	}
}

// TestCompanionsKeepWhatTheyHave: a file that is missing or rubbish takes nobody's place, least of all that of a
// trust list whose name it bears.
func TestCompanionsKeepWhatTheyHave(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := filepath.Join(dir, provision.SharedITL)
	if err := os.WriteFile(list, []byte("list"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := saveFile(filepath.Join(dir, companionFolder), "DRx.xml", []byte(dialRules)); err != nil {
		t.Fatal(err)
	}
	_, fetcher := serveFiles(t, map[string]string{"DRx.xml": "<rubbish", provision.SharedITL: dialRules}, true, false)
	doc := withRules()
	doc.FeaturePolicyFile = provision.SharedITL
	cfg := provisionConfig{fetcher: fetcher, servers: []string{"127.0.0.1"}, device: deviceName, dir: dir, trust: loadBelief(beliefConfig{dir: t.TempDir()})}
	_, missed := fetchCompanions(t.Context(), cfg, doc)
	if len(missed) != 2 {
		t.Errorf("missed %v, want the rubbish and the one that is not there", missed)
	}
	if kept, err := os.ReadFile(filepath.Join(dir, companionFolder, "DRx.xml")); err != nil || string(kept) != dialRules {
		t.Errorf("kept are %q, %v, want the rules from before", kept, err)
	}
	if kept, err := os.ReadFile(list); err != nil || string(kept) != "list" {
		t.Errorf("the trust list is %q, %v now", kept, err)
	}
}
