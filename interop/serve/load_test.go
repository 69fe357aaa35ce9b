//go:build interop

package serve_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

const (
	goodLoad   = "sip88xx.14-2-1-0001-124"
	brokenLoad = "sip88xx.14-3-1-0001-001"
	kernel     = "kern88xx.14-2-1-0001-124.sbn"
	rootfs     = "rootfs88xx.14-2-1-0001-124.sbn"
)

// firmware puts a load of a small and a large image into the folder that is served, and the list of another whose
// second image is missing. It returns what was put there.
func firmware(t *testing.T, o *office.Office) map[string][]byte {
	t.Helper()
	large := make([]byte, 8<<20)
	rand.NewChaCha8([32]byte{8}).Read(large)
	files := map[string][]byte{
		goodLoad + ".loads":   []byte(kernel + "\n" + rootfs + "\n"),
		brokenLoad + ".loads": []byte(kernel + "\nrootfs88xx.14-3-1-0001-001.sbn\n"),
		kernel:                large[:12345], rootfs: large,
	}
	for name, content := range files {
		must(t, os.WriteFile(o.Path("files/"+name), content, 0o644))
	}
	return files
}

// toldToRun says which load phones of a model run.
func toldToRun(t *testing.T, o *office.Office, load string) {
	t.Helper()
	change := filepath.Join(t.TempDir(), "change.yaml")
	must(t, os.WriteFile(change, []byte("kind: DeviceDefaults\nname: CP-8861\nload: "+load+"\n"), 0o600))
	if said, code := run(t, o, "", "apply", "-f", change, "-c", o.Path(configuration)); code != 0 {
		t.Fatalf("apply ends with %d and says:\n%s", code, said)
	}
}

type loadEvent struct {
	OK     bool   `json:"ok"`
	Detail string `json:"detail"`
	Load   struct {
		Name, Missed string
		Parts        []struct{ Name, SHA256, Transport string }
	} `json:"load"`
}

func awaitLoad(t *testing.T, p *office.Program, mark int) (e loadEvent) {
	t.Helper()
	must(t, json.Unmarshal([]byte(p.WaitAfter(mark, `"event":"load"`)), &e))
	return e
}

// A phone at home gets its firmware through its tunnel: told over SIP, it fetches all that its load names, whole,
// boots and comes back. A load of which something is missing changes nothing.
func TestLoadReachesPhoneAtHome(t *testing.T) {
	t.Parallel()
	curl := office.Peer(t, "curl")
	o := office.New(t)
	files := firmware(t, o)
	o.Serve()
	addOwner(t, o)
	h := newHousehold(t, o)
	out := o.StartWith(o.Client, password+"\n", program(), h.home("--user", user, "--password-stdin", "--web", ":80")...)
	out.Wait(`"step":"register","ok":true`)

	page := func(mark int, path string) string {
		t.Helper()
		var session struct {
			Session struct {
				Address string `json:"inner_address"`
			} `json:"session"`
		}
		must(t, json.Unmarshal([]byte(out.WaitAfter(mark, `"event":"session"`)), &session))
		text, err := o.Run(o.Gateway, "", curl, "-sS", "-f", "http://"+session.Session.Address+path)
		if err != nil {
			t.Fatalf("curl %s: %v\n%s", path, err, text)
		}
		return text
	}
	if got := page(0, "/DeviceInformationX"); strings.Contains(got, goodLoad) {
		t.Fatalf("it runs the load before it was told:\n%s", got)
	}

	mark := out.Mark()
	toldToRun(t, o, goodLoad)
	taken := awaitLoad(t, out, mark)
	if !taken.OK || taken.Load.Name != goodLoad || len(taken.Load.Parts) != 3 {
		t.Fatalf("the phone says %+v", taken)
	}
	for _, part := range taken.Load.Parts {
		sum := sha256.Sum256(files[part.Name])
		if part.SHA256 != hex.EncodeToString(sum[:]) || part.Transport != "http" {
			t.Errorf("it has of %s by %s something else than what is served", part.Name, part.Transport)
		}
	}
	out.WaitAfter(mark, `"step":"tunnel","ok":true`)
	out.WaitAfter(mark, `"step":"register","ok":true`)
	if got := page(mark, "/DeviceInformationX"); !strings.Contains(got, "<appLoadID>"+goodLoad+"</appLoadID>") {
		t.Errorf("after its boot the phone's page says\n%s", got)
	}

	booted := mark
	mark = out.Mark()
	toldToRun(t, o, brokenLoad)
	const missing = "rootfs88xx.14-3-1-0001-001.sbn"
	if refused := awaitLoad(t, out, mark); refused.OK || refused.Detail != "File Not Found" || refused.Load.Missed != missing {
		t.Errorf("of a load with a missing image the phone says %+v", refused)
	}
	out.WaitAfter(mark, `"event":"registered"`)
	if got := page(booted, "/DeviceInformationX"); !strings.Contains(got, "<appLoadID>"+goodLoad+"</appLoadID>") {
		t.Errorf("without its image it runs another load:\n%s", got)
	}
	if got := page(booted, "/DeviceLogX?0"); !strings.Contains(got, "File Not Found : "+missing) {
		t.Errorf("its status messages are\n%s", got)
	}
	if after := strings.Join(strings.Split(out.Output(), "\n")[mark:], "\n"); strings.Contains(after, `"step":"connect"`) {
		t.Errorf("a load that is not there cost the tunnel:\n%s", after)
	}
}

// Clients that we did not write fetch an image through the tunnel of the phone's user, and get all of it.
func TestLoadThroughOpenConnect(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	want := firmware(t, o)[rootfs]
	o.Serve()
	addOwner(t, o)
	openconnect(t, o, office.URL, user, password)
	for name, words := range map[string][]string{
		"curl by HTTP":            {"curl", "-sS", "-f", "-o", "GOT", "http://" + office.Inside + ":6970/" + rootfs},
		"curl by TFTP":            {"curl", "-sS", "--tftp-blksize", "1200", "-o", "GOT", "tftp://" + office.Inside + "/" + rootfs},
		"tftp-hpa":                {"tftp", "-m", "binary", office.Inside, "-c", "get", rootfs, "GOT"},
		"atftp":                   {"atftp", "--option", "blksize 1228", "--get", "--remote-file", rootfs, "--local-file", "GOT", office.Inside},
		"atftp by windows":        {"atftp", "--option", "windowsize 8", "--option", "blksize 1228", "--get", "--remote-file", rootfs, "--local-file", "GOT", office.Inside},
		"atftp by larger windows": {"atftp", "--option", "windowsize 32", "--option", "blksize 1228", "--get", "--remote-file", rootfs, "--local-file", "GOT", office.Inside},
	} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "got")
			for i := range words {
				words[i] = strings.Replace(words[i], "GOT", file, 1)
			}
			said, err := o.Run(o.Client, "", office.Peer(t, words[0]), words[1:]...)
			if err != nil {
				t.Fatalf("%v: %v\n%s", words, err, said)
			}
			got, err := os.ReadFile(file)
			must(t, err)
			if !bytes.Equal(got, want) {
				t.Errorf("%d bytes came, want %d, all of them as they were", len(got), len(want))
			}
		})
	}
	if said, code := run(t, o, "", "sessions", "list", "-c", o.Path(configuration)); code != 0 || !strings.Contains(said, home) {
		t.Errorf("the session is not the phone's:\n%s", said)
	}
}
