package control_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newCatalog is a catalog in memory with objects. Its hashes can be read.
func newCatalog(t *testing.T, objects []inventory.Object) *catalog.Catalog {
	t.Helper()
	kept := memory.New()
	t.Cleanup(func() { kept.Close() })
	c, err := catalog.Open(t.Context(), catalog.Config{
		Store: kept, Sealer: trust.NewSealer([trust.KeySize]byte{}),
		HashPassword:   func(p secret.String) (string, error) { return "hash of " + p.Reveal(), nil },
		VerifyPassword: func(stored, p secret.String) bool { return stored.Reveal() == "hash of "+p.Reveal() },
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Apply(t.Context(), objects, catalog.Options{}); err != nil {
		t.Fatal(err)
	}
	return c
}

// switchboard is a gateway with sessions.
type switchboard struct {
	mu       sync.Mutex
	sessions []control.Session
	release  chan struct{} // a capture has written
}

func (s *switchboard) List() []control.Session {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.sessions)
}

func (s *switchboard) Logoff(_ context.Context, ids []uint64, how control.Logoff) (int, error) {
	if how == control.MustLogIn {
		return 0, errors.New("the way is lost")
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	before := len(s.sessions)
	s.sessions = slices.DeleteFunc(s.sessions, func(c control.Session) bool { return slices.Contains(ids, c.ID) })
	return before - len(s.sessions), nil
}

func (s *switchboard) AccessLists() []control.AccessList {
	return []control.AccessList{{Name: "fence", Entries: []control.AccessEntry{{AccessEntry: inventory.AccessEntry{Action: "permit", Destination: "any"}, Hits: 7}}, Denied: 2}}
}

func (s *switchboard) Totals() control.Totals {
	return control.Totals{Sessions: control.Tally{Now: 2, All: 9, Most: 4}, Capacity: 253}
}

// Capture lets nobody look into session 8, and writes two pieces of another.
func (s *switchboard) Capture(id uint64, by string) (func(context.Context, io.Writer) error, error) {
	if id == 8 {
		return nil, control.Refuse(http.StatusForbidden, "not this one")
	}
	return func(ctx context.Context, w io.Writer) error {
		_, err := fmt.Fprintf(w, "for %s;", by)
		s.release <- struct{}{}
		<-ctx.Done()
		return err
	}, nil
}

const office = `kind: CommonPhoneProfile
name: office
---
kind: Site
name: office
---
kind: Device
name: SEP001122334455
model: CP-7841
commonPhoneProfile: office
lines: ["1001"]
---
kind: Line
name: "1001"
displayName: Alice
secret: line-secret
---
kind: Line
name: "1002"
`

func parse(t *testing.T, text string) []inventory.Object {
	t.Helper()
	f, err := file.Parse("test", []byte(text), file.NoFiles)
	if err != nil {
		t.Fatal(err)
	}
	return f.Objects
}

type system struct {
	client  *control.Client
	catalog *catalog.Catalog
	socket  string

	exported *atomic.Int32 // how often all was, with secrets
}

// start runs a server with a small office until the test ends.
func start(t *testing.T) system {
	t.Helper()
	objects := newCatalog(t, parse(t, office))
	began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	socket := filepath.Join(t.TempDir(), "s")
	board := finding.NewBoard()
	exported := &atomic.Int32{}
	board.Raise(finding.LoginRefused.With("bob").Because("gateway", 0, "login from 192.0.2.1"))
	server, err := control.New(control.Config{
		Socket: socket, Catalog: objects, Findings: board,
		Exported: func(context.Context) error { exported.Add(1); return errors.New("the disk is full") }, // which keeps nobody from his export
		Status: func() control.Status {
			return control.Status{Version: "1.2", Began: began, Ready: true, Listening: []string{"gateway tcp 192.0.2.10:443"}}
		},
		Sessions: &switchboard{release: make(chan struct{}, 9), sessions: []control.Session{{ID: 7, User: "alice", Phone: "SEP001122334455", Transport: "dtls", Began: began}, {ID: 8, User: "bob", Began: began}}},
		Registrations: func() []control.Registration {
			return []control.Registration{{Phone: "SEP001122334455", Line: "1001", Contact: "10.99.0.2:5060", Expires: began, Began: began, CallID: "a@b"}}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := server.Open(); err != nil {
		t.Fatal(err)
	}
	stop := servertest.Start(t, server.Serve)
	t.Cleanup(func() {
		stop()
		if _, err := os.Stat(socket); !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("the socket is still there: %v", err)
		}
	})
	return system{control.NewClient(socket), objects, socket, exported}
}

func TestStatusPhonesAndSessions(t *testing.T) {
	t.Parallel()
	s, ctx := start(t), t.Context()
	status, err := s.client.Status(ctx)
	if err != nil || status.Version != "1.2" || !status.Ready || len(status.Listening) != 1 {
		t.Errorf("status %+v, %v", status, err)
	}
	if lists, err := s.client.AccessLists(ctx); err != nil || len(lists) != 1 || lists[0].Denied != 2 || lists[0].Entries[0].Hits != 7 || lists[0].Entries[0].Destination != "any" {
		t.Errorf("access lists %+v, %v", lists, err)
	}
	if totals, err := s.client.SessionTotals(ctx); err != nil || totals.Sessions.All != 9 || totals.Capacity != 253 {
		t.Errorf("totals %+v, %v", totals, err)
	}
	found, err := s.client.Findings(ctx)
	if err != nil || len(found) != 1 || found[0].Code != "login-refused" || found[0].Step != stage.Verify || found[0].Count != 1 || len(found[0].Evidence) != 1 {
		t.Errorf("findings %+v, %v", found, err)
	}
	phone, err := s.client.Phone(ctx, "SEP001122334455")
	if err != nil || len(phone.Registrations) != 1 || phone.Registrations[0].Began.IsZero() || phone.Registrations[0].CallID != "a@b" || phone.Session == nil || phone.Session.ID != 7 || phone.VPN {
		t.Errorf("phone %+v, %v", phone, err)
	}
	if _, err := s.client.Phone(ctx, "SEP000000000000"); !isRefusal(err, http.StatusNotFound, `there is no Device "SEP000000000000"`) {
		t.Errorf("a phone that does not exist: %v", err)
	}
	if ended, err := s.client.Logoff(ctx, []uint64{7, 99}, control.MayReturn); ended != 1 || err != nil {
		t.Errorf("logged off %d, %v, want one", ended, err)
	}
	if left, err := s.client.Sessions(ctx); len(left) != 1 || left[0].ID != 8 || err != nil {
		t.Errorf("left are %+v, %v", left, err)
	}
	if _, err := s.client.Logoff(ctx, []uint64{}, control.MustLogIn); !isRefusal(err, http.StatusUnprocessableEntity, "") {
		t.Errorf("logging off nobody: %v", err)
	}
}

// TestCaptureStreams reads what is written before the capture ends.
func TestCaptureStreams(t *testing.T) {
	t.Parallel()
	s := start(t)
	if _, err := s.client.Capture(t.Context(), 8); !isRefusal(err, http.StatusForbidden, "not this one") {
		t.Errorf("what is not allowed: %v", err)
	}
	me, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	stream, err := s.client.Capture(ctx, 7)
	if err != nil {
		t.Fatal(err)
	}
	defer stream.Close()
	buf := make([]byte, len("for "+me.Username+";"))
	if _, err := io.ReadFull(stream, buf); err != nil || string(buf) != "for "+me.Username+";" {
		t.Errorf("read %q, %v", buf, err)
	}
	cancel()
	if _, err := stream.Read(buf); err == nil {
		t.Error("after its end it goes on")
	}
}

func isRefusal(err error, status int, detail string) bool {
	var refusal *control.Refusal
	return errors.As(err, &refusal) && refusal.Status == status && strings.Contains(refusal.Detail, detail)
}

func TestApplyIsAllOrNothing(t *testing.T) {
	t.Parallel()
	s, ctx := start(t), t.Context()
	objects := parse(t, "kind: Line\nname: \"1003\"\n---\nkind: Device\nname: SEP001122334466\nmodel: CP-7841\nlines: [\"1003\", \"1004\"]\n")
	_, err := s.client.Apply(ctx, objects, catalog.Options{}, control.ExpectAny)
	var refusal *control.Refusal
	if !errors.As(err, &refusal) || len(refusal.Problems) != 1 {
		t.Fatalf("got %v, want one problem", err)
	}
	p := refusal.Problems[0]
	if p.Kind != inventory.KindDevice || p.Name != "SEP001122334466" || p.Field != "lines" || p.Line == 0 || !strings.Contains(p.Says, `"1004"`) || !strings.Contains(p.Hint, "did you mean") {
		t.Errorf("problem %+v", p)
	}
	if _, exists := s.catalog.Current().Lines["1003"]; exists {
		t.Error("half of a refused file was applied")
	}
	changes, err := s.client.Apply(ctx, objects[:1], catalog.Options{DryRun: true}, control.ExpectAny)
	if err != nil || len(changes.Created) != 1 {
		t.Errorf("dry run: %v, %v", changes, err)
	}
	if _, exists := s.catalog.Current().Lines["1003"]; exists {
		t.Error("a dry run changed the inventory")
	}
	if _, err := s.client.Apply(ctx, objects[:1], catalog.Options{}, control.ExpectAny); err != nil {
		t.Error(err)
	}
	if _, exists := s.catalog.Current().Lines["1003"]; !exists {
		t.Error("what was applied is not there")
	}
}

func TestApplyTakesUsers(t *testing.T) {
	t.Parallel()
	s, ctx := start(t), t.Context()
	user := func(password string) []inventory.Object {
		return []inventory.Object{&inventory.User{Name: "carol", Password: secret.New(password), Devices: []string{"SEP001122334455"}}}
	}
	if _, err := s.client.Apply(ctx, user("two words"), catalog.Options{}, control.ExpectAny); !isRefusal(err, http.StatusUnprocessableEntity, "holds a space") {
		t.Errorf("a space in a phone user's password: %v", err)
	}
	if _, err := s.client.Apply(ctx, user("hush"), catalog.Options{}, control.ExpectNew); err != nil {
		t.Fatal(err)
	}
	if u := s.catalog.Current().Users["carol"]; !u.Password.IsZero() || u.PasswordHash.Reveal() != "hash of hush" {
		t.Errorf("kept %q and %q", u.Password.Reveal(), u.PasswordHash.Reveal())
	}
	if _, err := s.client.Apply(ctx, user("hush"), catalog.Options{}, control.ExpectNew); !isRefusal(err, http.StatusConflict, `User "carol" exists already`) {
		t.Errorf("a second carol: %v", err)
	}
	other := []inventory.Object{&inventory.User{Name: "dave"}}
	if _, err := s.client.Apply(ctx, other, catalog.Options{}, control.ExpectExisting); !isRefusal(err, http.StatusNotFound, `there is no User "dave"`) {
		t.Errorf("a change of nobody: %v", err)
	}
}

func TestExportTakesTheSameWayBack(t *testing.T) {
	t.Parallel()
	s, ctx := start(t), t.Context()
	for _, secrets := range []bool{true, false} {
		text, err := s.client.Export(ctx, "", "", secrets)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Contains(string(text), "line-secret"); got != secrets {
			t.Errorf("export with secrets %v shows the secret: %v", secrets, got)
		}
		if _, err := s.client.Apply(ctx, parse(t, string(text)), catalog.Options{DryRun: true, Prune: true}, control.ExpectExisting); err != nil {
			t.Errorf("export is not taken back: %v", err)
		}
	}
	if _, err := s.client.Export(ctx, inventory.KindLine, "1001", true); err != nil {
		t.Error(err)
	}
	if got := s.exported.Load(); got != 1 {
		t.Errorf("%d exports were told of; one had everything", got)
	}
	objects, err := s.client.Objects(ctx, inventory.KindLine, "1001")
	if err != nil || len(objects) != 1 || objects[0]["kind"] != "Line" || objects[0]["secret"] != secret.Redacted {
		t.Errorf("objects %v, %v", objects, err)
	}
	if _, err := s.client.Objects(ctx, "Phone", ""); !isRefusal(err, http.StatusNotFound, `"Phone" is not a kind`) {
		t.Errorf("a kind that does not exist: %v", err)
	}
}

func TestDelete(t *testing.T) {
	t.Parallel()
	s, ctx := start(t), t.Context()
	line := []catalog.Ref{{Kind: inventory.KindLine, Name: "1001"}}
	if _, err := s.client.Delete(ctx, line, false); !isRefusal(err, http.StatusUnprocessableEntity, `names the Line "1001", which does not exist`) {
		t.Errorf("a line that a device has: %v", err)
	}
	set, err := s.client.Set(ctx)
	if err != nil {
		t.Fatal(err)
	}
	changes, err := s.client.Delete(ctx, control.Removal(set, "SEP001122334455"), false)
	if err != nil || len(changes.Deleted) != 2 {
		t.Errorf("removed %v, %v, want the device and its line", changes, err)
	}
	if left := s.catalog.Current(); len(left.Devices) != 0 || len(left.Lines) != 1 {
		t.Errorf("left are %d devices and %d lines", len(left.Devices), len(left.Lines))
	}
	if _, err := s.client.Delete(ctx, line, false); !isRefusal(err, http.StatusNotFound, `there is no Line "1001"`) {
		t.Errorf("a line that is gone: %v", err)
	}
}

func TestNewPhoneTakesTheOnlyProfileThatFits(t *testing.T) {
	t.Parallel()
	s, ctx := start(t), t.Context()
	set, err := s.client.Set(ctx)
	if err != nil {
		t.Fatal(err)
	}
	objects, err := control.NewPhone{Device: "SEP001122334466", Model: "CP-7970G", Protocol: inventory.SCCP, Line: "1003", DisplayName: "Bob"}.Objects(set)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.client.Apply(ctx, objects, catalog.Options{}, control.ExpectNew); err != nil {
		t.Fatal(err)
	}
	got := s.catalog.Current()
	if d := got.Devices["SEP001122334466"]; d.CommonPhoneProfile != "office" || d.Protocol != inventory.SCCP || d.Site != "office" || len(got.Lines["1003"].Secret.Reveal()) < 20 {
		t.Errorf("added %+v", d)
	}
	if _, err := (control.NewPhone{Device: "SEP001122334477", Model: "CP-8861", Line: "1004"}).Objects(set); err == nil {
		t.Error("a phone with a VPN client got a profile where none has a VPN group")
	}
}

// TestBadRequestsLeaveTheSystemAlone sends what no client of ours would.
func TestBadRequestsLeaveTheSystemAlone(t *testing.T) {
	t.Parallel()
	s := start(t)
	client := http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", s.socket)
		}, DisableKeepAlives: true,
	}}
	for _, test := range []struct {
		method, path, body string
		want               int
	}{
		{"POST", "/inventory", "kind: [", 422},
		{"POST", "/inventory", "kind: Phone\nname: x\n", 422},
		{"POST", "/inventory", "kind: Certificate\nname: x\ncertificateFile: /etc/passwd\n", 422},
		{"POST", "/inventory", "kind: Line\nname: \"1\"\n---\nkind: Line\nname: \"1\"\n", 422},
		{"POST", "/inventory?pruen=true", "kind: Line\nname: \"1\"\n", 422},
		{"POST", "/inventory?expect=maybe", "kind: Line\nname: \"1\"\n", 422},
		{"DELETE", "/inventory", "", 422},
		{"DELETE", "/inventory?object=Line", "", 422},
		{"POST", "/sessions/logoff", "{", 400},
		{"POST", "/sessions/logoff", `{"ids": ["x"]}`, 422},
		{"PATCH", "/inventory", "", 405},
		{"GET", "/nothing", "", 404},
	} {
		request, err := http.NewRequestWithContext(t.Context(), test.method, "http://longcord/api/v1"+test.path, strings.NewReader(test.body))
		if err != nil {
			t.Fatal(err)
		}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		if response.Body.Close(); response.StatusCode != test.want {
			t.Errorf("%s %s %q: %s, want %d", test.method, test.path, test.body, response.Status, test.want)
		}
	}
	if got := len(s.catalog.Current().Objects()); got != 5 {
		t.Errorf("%d objects afterwards, want the 5 from before", got)
	}
	response, err := client.Get("http://longcord/api/v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var document struct {
		OpenAPI string         `json:"openapi"`
		Paths   map[string]any `json:"paths"`
	}
	if err := json.NewDecoder(response.Body).Decode(&document); err != nil || document.OpenAPI != "3.1.0" || document.Paths["/inventory"] == nil {
		t.Errorf("OpenAPI document %q with %d paths, %v", document.OpenAPI, len(document.Paths), err)
	}
}

func TestSocket(t *testing.T) {
	t.Parallel()
	s := start(t)
	info, err := os.Stat(s.socket)
	if err != nil || info.Mode().Perm() != 0o660 {
		t.Errorf("socket has mode %v, %v, want 0660", info.Mode(), err)
	}
	again, err := control.New(control.Config{
		Socket: s.socket, Catalog: s.catalog, Status: func() control.Status { return control.Status{} },
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := again.Open(); err == nil || !strings.Contains(err.Error(), "another longcord answers there") {
		t.Errorf("a second server on the socket: %v", err)
	}
	if _, err := s.client.Status(t.Context()); err != nil {
		t.Errorf("after that the first one answers %v", err)
	}
}

func TestStaleSocketIsReplacedAndAFileIsNot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	stale := filepath.Join(dir, "stale")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: stale, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	listener.SetUnlinkOnClose(false)
	listener.Close()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("mine"), 0o600); err != nil {
		t.Fatal(err)
	}
	for path, ok := range map[string]bool{stale: true, plain: false} {
		server, err := control.New(control.Config{
			Socket: path, Catalog: newCatalog(t, nil),
			Status: func() control.Status { return control.Status{} },
		})
		if err != nil {
			t.Fatal(err)
		}
		err = server.Open()
		if (err == nil) != ok {
			t.Errorf("%s: %v", path, err)
		}
		if err == nil {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			if err := server.Serve(ctx); err != nil {
				t.Error(err)
			}
		}
	}
	if text, err := os.ReadFile(plain); string(text) != "mine" {
		t.Errorf("the file holds %q, %v", text, err)
	}
}

func TestClientSaysWhyNobodyAnswers(t *testing.T) {
	t.Parallel()
	_, err := control.NewClient(filepath.Join(t.TempDir(), "none")).Status(t.Context())
	if !errors.Is(err, control.ErrUnreachable) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("got %v", err)
	}
}

// TestBlockEndsSessions: what a block ends has ended when the block is made, so that one that is lifted at once leaves
// nothing behind.
func TestBlockEndsSessions(t *testing.T) {
	t.Parallel()
	s := start(t)
	block := func(blocked bool) {
		t.Helper()
		device := *s.catalog.Current().Devices["SEP001122334455"]
		device.Blocked = blocked
		if _, err := s.client.Apply(t.Context(), []inventory.Object{&device}, catalog.Options{}, control.ExpectExisting); err != nil {
			t.Fatal(err)
		}
	}
	block(true)
	block(false)
	sessions, err := s.client.Sessions(t.Context())
	if err != nil || len(sessions) != 1 || sessions[0].ID != 8 {
		t.Errorf("blocked and unblocked, and there are %+v, %v", sessions, err)
	}
}
