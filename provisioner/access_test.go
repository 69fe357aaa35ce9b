package provisioner

import (
	"errors"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/tftp"
)

// TestFetcherByItsMAC: who fetches a phone's file on a network of ours is the phone or not, by the MAC address.
func TestFetcherByItsMAC(t *testing.T) {
	t.Parallel()
	for mac, want := range map[string]provision.Fetcher{
		strings.TrimPrefix(phone, "SEP"): provision.ThePhone, "020000000001": provision.SomebodyElse, "": provision.Anybody,
	} {
		s := startWith(t, office(), func(c *Config) {
			c.Neighbour = func(netip.Addr) (string, error) { return mac, nil }
		})
		if status, _ := s.get("/" + phone + ".cnf.xml"); status != http.StatusOK {
			t.Fatalf("answered %d", status)
		}
		if _, err := s.fetch(phone + ".cnf.xml"); err != nil {
			t.Fatal(err)
		}
		for _, d := range s.Deliveries()[phone] {
			if d.By != want {
				t.Errorf("MAC address %q: %s is by %q, want %q", mac, d.Transport, d.By, want)
			}
		}
	}
	s := startWith(t, office(), func(*Config) {})
	if status, _ := s.get("/" + phone + ".cnf.xml"); status != http.StatusOK {
		t.Fatalf("answered %d", status)
	}
	if d := s.Deliveries()[phone]; len(d) != 1 || d[0].By != provision.SomebodyElse {
		t.Errorf("this machine has fetched a phone's file, and that is %+v", d)
	}
}

// TestAccessOnTheWire has a phone in a tunnel ask for its own file and for another's, by both transports.
func TestAccessOnTheWire(t *testing.T) {
	t.Parallel()
	const other = "SEP00000000000B"
	set := office()
	set.Devices[other] = &inventory.Device{Name: other, Lines: []string{"1001"}}
	board := finding.NewBoard()
	var tunnel atomic.Bool
	s := startWith(t, set, func(c *Config) {
		c.Findings = board
		c.Holder = func(a netip.Addr) (provision.Holder, bool) {
			return provision.Holder{User: "anna", Device: phone}, tunnel.Load() && a.String() == "127.0.0.1"
		}
	})
	for _, name := range []string{"/" + phone + ".cnf.xml", "/" + other + ".cnf.xml"} {
		if status, _ := s.get(name); status != http.StatusOK {
			t.Errorf("in the office %s is answered %d", name, status)
		}
	}
	if d := s.Deliveries()[phone]; len(d) != 1 || d[0].By == provision.ThePhone {
		t.Errorf("anybody in the office is taken for the phone: %+v", d)
	}
	tunnel.Store(true)
	if status, _ := s.get("/" + phone + ".cnf.xml"); status != http.StatusOK {
		t.Errorf("a phone's own file through its tunnel is answered %d", status)
	}
	if _, err := s.fetch(phone + ".cnf.xml"); err != nil {
		t.Errorf("a phone's own file through its tunnel: %v", err)
	}
	if d := s.Deliveries()[phone]; len(d) == 0 || d[0].By != provision.ThePhone {
		t.Errorf("through its tunnel a phone is not taken for itself: %+v", d)
	}
	status, body := s.get("/" + other + ".cnf.xml")
	if status != http.StatusForbidden || strings.Contains(string(body), "<") {
		t.Errorf("another's file through a tunnel is answered %d %q, want 403", status, body)
	}
	if status, body := s.get("/SEP000000000000.cnf.xml"); status != http.StatusForbidden {
		t.Errorf("a file that is not there is told from one that is: %d %q", status, body)
	}
	var peer *provision.PeerError
	if _, err := s.fetch("CTL" + other + ".tlv"); !errors.As(err, &peer) || peer.Code != tftp.AccessViolation {
		t.Errorf("another's trust list by TFTP: %v, want ERROR 2", err)
	}
	if got := s.Snapshot(); got.Denied != 3 || got.Missing != 0 {
		t.Errorf("counted are %+v, want three denials", got)
	}
	if log := s.log.String(); strings.Count(log, "file denied") != 1 || !strings.Contains(log, "rule=session") || !strings.Contains(log, "finding=files-refused") {
		t.Errorf("the log does not name the rule, once:\n%s", log)
	}
	all := standing(board, finding.FilesRefused)
	if len(all) != 1 || all[0].Subject != "127.0.0.1" || !strings.Contains(all[0].Says, "the tunnel is that of "+phone) {
		t.Errorf("found is %+v", all)
	} else if hint := strings.Join(all[0].Fix, "\n"); !strings.Contains(hint, "`longcord users set anna --device "+other+"`") {
		t.Errorf("the hint is\n%s", hint)
	}
}

// TestUnknownPhones: phones that are in no inventory are told of, unless they ask out of somebody's tunnel.
func TestUnknownPhones(t *testing.T) {
	t.Parallel()
	var tunnel atomic.Bool
	met := make(chan string, 10)
	s := startWith(t, office(), func(c *Config) {
		c.Unknown = func(device string, peer netip.AddrPort, file string) {
			met <- device + " " + file + " " + peer.Addr().String()
		}
		c.Holder = func(netip.Addr) (provision.Holder, bool) { return provision.Holder{Device: phone}, tunnel.Load() }
	})
	s.get("/" + phone + ".cnf.xml")
	s.get("/Ringlist.xml")
	if status, _ := s.get("/ctlsep00000000000b.tlv"); status != http.StatusNotFound {
		t.Errorf("a stranger's trust list is answered %d", status)
	}
	if got, want := <-met, "SEP00000000000B ctlsep00000000000b.tlv 127.0.0.1"; got != want {
		t.Errorf("told of %q, want %q", got, want)
	}
	tunnel.Store(true)
	s.get("/SEP00000000000B.cnf.xml")
	if len(met) != 0 {
		t.Errorf("told of %q, who asks out of a tunnel", <-met)
	}
}

func standing(board *finding.Board, d finding.Declaration) (found []finding.Standing) {
	for _, f := range board.Findings() {
		if f.Code == d.Code {
			found = append(found, f)
		}
	}
	return found
}

// TestDenialsAreBounded: strangers who ask from many addresses fill nothing.
func TestDenialsAreBounded(t *testing.T) {
	t.Parallel()
	s, now := recently{seen: map[netip.Addr]time.Time{}}, time.Unix(0, 0)
	address := netip.MustParseAddr("10.0.0.0")
	told := 0
	for range 10000 {
		address = address.Next()
		if s.first(address, now) {
			told++
		}
		if s.first(address, now) {
			t.Fatal("the second of an address is told")
		}
	}
	if told != recentPeers || len(s.seen) != recentPeers {
		t.Errorf("told of %d, kept %d, want %d", told, len(s.seen), recentPeers)
	}
	if !s.first(address, now.Add(recentTime)) || len(s.seen) != 1 {
		t.Errorf("a minute later an address is not told, or %d are kept", len(s.seen))
	}
}

// TestFindingsFollow: what is wrong with the files stands on the board while it is so.
func TestFindingsFollow(t *testing.T) {
	t.Parallel()
	dir := folderWith(t, map[string]string{"SCCP45.9.loads": "\x00apps45.sbn\x00cnu45.sbn"})
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	synctest.Test(t, func(t *testing.T) {
		board := finding.NewBoard()
		var set atomic.Pointer[inventory.Set]
		set.Store(office())
		p, err := New(Config{
			Settings:  Settings{TFTP: netip.MustParseAddrPort("127.0.0.1:69"), HTTP: netip.MustParseAddrPort("127.0.0.1:6970"), Access: here},
			Inventory: set.Load, Findings: board,
		})
		if err != nil {
			t.Fatal(err)
		}
		p.library.folder = folder{root}
		go p.watch(t.Context())
		says := func(want ...string) {
			t.Helper()
			time.Sleep(lookForInventory)
			synctest.Wait()
			all := board.Findings()
			if len(all) != len(want) {
				t.Errorf("found are %+v, want %q", all, want)
				return
			}
			for i, f := range all {
				if !strings.Contains(f.Says, want[i]) {
					t.Errorf("found is %q, want %q", f.Says, want[i])
				}
			}
		}
		says()
		next := office()
		next.Lines["1001"].Secret = secret.New("x")
		next.Devices[phone].Load = "SCCP45.9"
		next.Devices["SEPB"] = &inventory.Device{Name: "SEPB", Load: "sip88xx.12"}
		set.Store(next)
		plain := "127.0.0.0/8 gets the files of 1 phones"
		says(plain, "the load SCCP45.9, and the folder of files lacks apps45.sbn, cnu45.sbn", "lacks sip88xx.12.loads")
		if err := os.WriteFile(filepath.Join(dir, "APPS45.sbn"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
		says(plain, "lacks apps45.sbn, cnu45.sbn", "lacks sip88xx.12.loads")
		time.Sleep(lookAtFolder)
		says(plain, "lacks cnu45.sbn", "lacks sip88xx.12.loads")
		last := office()
		last.Lines["1001"].Secret = secret.New("x")
		last.Devices[phone].Blocked = true // nobody gets its file
		set.Store(last)
		says()
	})
}
