package door

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tftp"
	"github.com/longcord/longcord/wire/vpnauth"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const phone = "SEP001122334455"

// The places that packets come from: this machine has all of 127.0.0.0/8.
var (
	loopback = netip.MustParseAddr("127.0.0.1")
	home     = netip.MustParseAddr("127.0.0.77")
	stranger = netip.MustParseAddr("127.0.0.88")
)

func phones() *inventory.Set {
	set := inventory.NewSet()
	certificate, key := testcert.PEM(testcert.RSA("vpn.example.net"))
	set.Certificates["now"] = &inventory.Certificate{Name: "now", Certificate: certificate, Key: secret.New(key)}
	set.VPNGateways["gw"] = &inventory.VPNGateway{Name: "gw", URL: "https://vpn.example.net:8443/phones", Certificates: []string{"now"}}
	set.VPNGroups["gw"] = &inventory.VPNGroup{Name: "gw", Gateways: []string{"gw"}}
	set.CommonPhoneProfiles["home"] = &inventory.CommonPhoneProfile{Name: "home", VPNGroup: "gw"}
	set.CommonPhoneProfiles["office"] = &inventory.CommonPhoneProfile{Name: "office"}
	set.Lines["4711"] = &inventory.Line{Name: "4711", Secret: secret.New("line-secret")}
	for name, device := range map[string]inventory.Device{
		phone:             {Model: "CP-8861", CommonPhoneProfile: "home", Lines: []string{"4711"}},
		"SEP001122334466": {Model: "CP-8861", CommonPhoneProfile: "home"},
		"SEP00AA00AA00AA": {Model: "CP-7841", CommonPhoneProfile: "home"},
		"SEP00BB00BB00BB": {Model: "CP-8861", CommonPhoneProfile: "office"},
		"SEP00CC00CC00CC": {Model: "CP-8861", CommonPhoneProfile: "home", Blocked: true},
	} {
		device.Name = name
		set.Devices[name] = &device
	}
	return set
}

// house is a keeper that serves.
type house struct {
	*Keeper
	t        *testing.T
	store    store.Store
	findings *finding.Board
	log      *servertest.Log
	end      func()
	session  time.Time // of the phone, once it has one

	inventory atomic.Pointer[inventory.Set]
}

func open(t *testing.T, s store.Store) *house {
	t.Helper()
	h := &house{t: t, store: s, findings: finding.NewBoard(), log: &servertest.Log{}}
	h.inventory.Store(phones())
	k, err := New(Config{
		Outside: netip.AddrPortFrom(loopback, 0), HTTP: netip.AddrPortFrom(loopback, 0), Inside: netip.MustParseAddr("10.1.0.5"),
		Renderer: provision.Renderer{CallManagers: []string{"10.1.0.5"}}, Inventory: h.inventory.Load,
		Store: s, Findings: h.findings,
		Connected: func(device string) (time.Time, bool) { return h.session, device == phone && !h.session.IsZero() },
		Resolve: func(context.Context, string) ([]netip.Addr, error) {
			return []netip.Addr{netip.MustParseAddr("192.0.2.10")}, nil
		},
		Log: slog.New(slog.NewTextHandler(h.log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	})
	if err != nil {
		t.Fatal(err)
	}
	h.Keeper = k
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error)
	go func() { ended <- k.Serve(ctx) }()
	h.end = sync.OnceFunc(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	t.Cleanup(func() {
		h.end()
		if t.Failed() {
			t.Logf("log:\n%s", h.log)
		}
	})
	eventually(t, "the keeper runs", func() bool {
		k.mu.Lock()
		defer k.mu.Unlock()
		return k.ctx != nil
	})
	return h
}

func fresh(t *testing.T) *house {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { s.Close() })
	return open(t, s)
}

// eventually waits for what happens in another goroutine.
func eventually(t *testing.T, what string, so func() bool) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); !so(); time.Sleep(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

func (h *house) invite(device string) Made {
	h.t.Helper()
	made, err := h.Invite(h.t.Context(), device, "root", time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return made
}

// visit shows a link as a browser does.
func (h *house) visit(method string, l Link, from netip.Addr) (vpnauth.Reply, bool) {
	h.t.Helper()
	r, err := http.NewRequest(method, "https://"+l.Host+"/.longcord/"+l.Token, nil)
	if err != nil {
		h.t.Fatal(err)
	}
	return h.Answer(h.t.Context(), from, r, nil)
}

func (h *house) openDoor(device string, from netip.Addr) Made {
	h.t.Helper()
	made := h.invite(device)
	if reply, ok := h.visit(http.MethodPost, made.Link, from); !ok || reply.Status != http.StatusSeeOther {
		h.t.Fatalf("the door does not open: %v, %v", reply, ok)
	}
	return made
}

func (h *house) addresses() (udp, tcp netip.AddrPort) {
	h.t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.server == nil {
		h.t.Fatal("nobody listens outside")
	}
	return h.server.addresses()
}

// get asks by HTTP from an address; no answer within the time is an error.
func (h *house) get(from netip.Addr, name string, within time.Duration) (status int, body []byte, err error) {
	_, tcp := h.addresses()
	dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(from, 0))}
	client := http.Client{Timeout: within, Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://%s/%s", tcp, name))
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	body, err = io.ReadAll(response.Body)
	return response.StatusCode, body, err
}

// ask sends a TFTP request from an address and returns the socket.
func (h *house) ask(from netip.Addr, request tftp.Packet) *net.UDPConn {
	h.t.Helper()
	udp, _ := h.addresses()
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(from, 0)), net.UDPAddrFromAddrPort(udp))
	if err != nil {
		h.t.Fatal(err)
	}
	h.t.Cleanup(func() { conn.Close() })
	h.send(conn, request)
	return conn
}

func (h *house) send(conn *net.UDPConn, packet tftp.Packet) {
	h.t.Helper()
	b, err := packet.AppendBinary(nil)
	if err == nil {
		_, err = conn.Write(b)
	}
	if err != nil {
		h.t.Fatal(err)
	}
}

func (h *house) next(conn *net.UDPConn, within time.Duration) (tftp.Packet, error) {
	h.t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(within)); err != nil {
		h.t.Fatal(err)
	}
	buffer := make([]byte, tftp.MaxPacket)
	n, err := conn.Read(buffer) // the socket is connected: only the port that was asked gets through
	if err != nil {
		return nil, err
	}
	return tftp.Parse(buffer[:n])
}

// fetch fetches a file by TFTP as a phone behind a NAT can: from the port that was asked.
func (h *house) fetch(from netip.Addr, name string) ([]byte, error) {
	receiver, actions := provision.NewReceiver(time.Now(), provision.ReceiverConfig{Name: name, MaxSize: 1 << 20})
	var conn *net.UDPConn
	for {
		for _, action := range actions {
			switch action := action.(type) {
			case provision.Send:
				if conn == nil {
					conn = h.ask(from, action.Packet)
				} else {
					h.send(conn, action.Packet)
				}
			case provision.Finished:
				return receiver.Content(), nil
			case provision.Failed:
				return nil, action.Err
			}
		}
		packet, err := h.next(conn, time.Until(receiver.Wake()))
		switch {
		case errors.Is(err, os.ErrDeadlineExceeded): // lost to a full buffer, on a busy machine
			actions = receiver.Advance(time.Now())
		case err != nil:
			return nil, err
		default:
			actions = receiver.Received(time.Now(), packet)
		}
	}
}

const moment = 300 * time.Millisecond // in which silence is listened to

func config(name string) *tftp.Request {
	return &tftp.Request{Name: provision.ConfigFile(name), Mode: tftp.Octet}
}

// The whole way by the door, and everybody who must hear nothing.
func TestDoor(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	made := h.invite(phone)
	if made.Server.String() != "192.0.2.10" || made.Link.Host != "vpn.example.net:8443" || len(made.Link.Hashes) != 1 {
		t.Errorf("invitation is %+v", made)
	}
	// Readers of links open nothing.
	for _, method := range []string{http.MethodGet, http.MethodHead, http.MethodGet} {
		reply, ok := h.visit(method, made.Link, stranger)
		if !ok || reply.Status != http.StatusOK || reply.Header.Get("Cache-Control") != "no-store" {
			t.Fatalf("%s of the link: %v, %v", method, reply, ok)
		}
		if text := string(reply.Body); method == http.MethodGet && !strings.Contains(text, phone) {
			t.Errorf("page is\n%s", text)
		}
	}
	if _, _, err := h.get(home, provision.ConfigFile(phone), moment); err == nil {
		t.Error("before the link is confirmed, HTTP is answered")
	}
	if packet, err := h.next(h.ask(home, config(phone)), moment); err == nil {
		t.Errorf("before the link is confirmed, TFTP is answered %s", packet)
	}
	if reply, ok := h.visit(http.MethodPost, made.Link, home); !ok || reply.Status != http.StatusSeeOther {
		t.Fatalf("confirmation: %v, %v", reply, ok)
	}
	if all := h.findings.Findings(); len(all) != 1 || all[0].Code != "door-open" || !strings.Contains(all[0].Says, home.String()) {
		t.Errorf("findings are %+v, want the open door", all)
	}
	reply, ok := h.visit(http.MethodGet, made.Link, home)
	if text := string(reply.Body); !ok || !strings.Contains(text, "The door is open") || !strings.Contains(text, "Admin settings &gt; Network setup") || !strings.Contains(text, "192.0.2.10") || !strings.Contains(text, "10.1.0.5") {
		t.Errorf("page of the open door, %v:\n%s", ok, text)
	}
	// The link is worth nothing any more, to anybody else.
	for _, method := range []string{http.MethodPost, http.MethodGet} {
		if reply, ok := h.visit(method, made.Link, stranger); ok {
			t.Errorf("%s of a used link from elsewhere: %v", method, reply)
		}
	}
	if _, _, err := h.get(stranger, provision.ConfigFile(phone), moment); err == nil {
		t.Error("another address is answered by HTTP")
	}
	if packet, err := h.next(h.ask(stranger, config(phone)), moment); err == nil {
		t.Errorf("another address is answered by TFTP: %s", packet)
	}
	if packet, err := h.next(h.ask(home, config("SEP001122334466")), moment); err == nil {
		t.Errorf("another phone at this address is answered %s", packet)
	}
	if status, _, err := h.get(home, provision.ConfigFile("SEP001122334466"), moment); err == nil {
		t.Errorf("another phone at this address is answered %d", status)
	}
	if packet, err := h.next(h.ask(home, &tftp.Request{Write: true, Name: provision.ConfigFile(phone), Mode: tftp.Octet}), moment); err == nil {
		t.Errorf("writing is answered %s", packet)
	}
	// The phone itself.
	packet, err := h.next(h.ask(home, &tftp.Request{Name: "CTL" + phone + ".tlv", Mode: tftp.Octet}), 10*time.Second)
	if refusal, ok := packet.(*tftp.Error); err != nil || !ok || refusal.Code != tftp.NotFound {
		t.Errorf("its trust list is answered %v, %v, want not found", packet, err)
	}
	if status, _, err := h.get(home, "ITL"+phone+".tlv", 10*time.Second); status != http.StatusNotFound {
		t.Errorf("its trust list is answered %d, %v, want 404", status, err)
	}
	file, err := h.fetch(home, provision.ConfigFile(phone))
	if err != nil {
		t.Fatal(err)
	}
	if d, err := cnf.Parse(file); err != nil || d.VPN == nil || bytes.Contains(file, []byte("line-secret")) || bytes.Contains(file, []byte("4711")) {
		t.Errorf("the file is %s, %v", file, err)
	}
	status, byHTTP, err := h.get(home, provision.ConfigFile(phone), 10*time.Second)
	if err != nil || status != http.StatusOK || !bytes.Equal(byHTTP, file) {
		t.Errorf("by HTTP: %d, %v, %d bytes, want the same file", status, err, len(byHTTP))
	}
	eventually(t, "the delivery stands in the list", func() bool {
		all, err := h.List(t.Context())
		return err == nil && len(all) == 1 && !all[0].Delivered.IsZero()
	})
	if reply, ok := h.visit(http.MethodGet, made.Link, home); !ok || !strings.Contains(string(reply.Body), "has arrived") {
		t.Errorf("the page does not say that the file has arrived: %s", reply.Body)
	}
	h.session = time.Now()
	if all, err := h.List(t.Context()); err != nil || all[0].Connected.IsZero() || all[0].From != home {
		t.Errorf("list is %+v, %v, want the phone in its tunnel", all, err)
	}
	// Shut by hand.
	if n, err := h.Revoke(t.Context(), phone); n != 1 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
	if len(h.findings.Findings()) != 0 {
		t.Error("the shut door stands as open")
	}
	eventually(t, "the ports are closed", func() bool {
		h.mu.Lock()
		defer h.mu.Unlock()
		return h.server == nil
	})
}

// A lost block is sent again, three times in all, and then no more.
func TestThreeSends(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	h.openDoor(phone, home)
	conn := h.ask(home, &tftp.Request{Name: provision.ConfigFile(phone), Mode: tftp.Octet, Options: tftp.Options{tftp.Number(tftp.OptTimeout, 1)}})
	sends := 0
	for {
		if _, err := h.next(conn, 3*time.Second); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Fatal(err)
			}
			break
		}
		sends++
	}
	if sends != 3 {
		t.Errorf("an answer that nobody acknowledges is sent %d times, want 3", sends)
	}
}

func TestInvitationsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	for device, want := range map[string]string{
		"SEP00DD00DD00DD": "there is no Device", "SEP00AA00AA00AA": "no VPN client", "SEP00BB00BB00BB": "no VPN", "SEP00CC00CC00CC": "blocked",
	} {
		var refused *Refusal
		if _, err := h.Invite(t.Context(), device, "root", time.Hour); !errors.As(err, &refused) || !strings.Contains(refused.Says, want) || refused.Hint == "" {
			t.Errorf("%s: %v, want a refusal with %q and a hint", device, err, want)
		}
	}
	for _, good := range []time.Duration{0, time.Second, 8 * 24 * time.Hour} {
		var refused *Refusal
		if _, err := h.Invite(t.Context(), phone, "root", good); !errors.As(err, &refused) {
			t.Errorf("an invitation for %s: %v, want a refusal", good, err)
		}
	}
}

// Two phones at one address come one after the other; the second link is not burnt.
func TestOneDoorForEachAddress(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	h.openDoor(phone, home)
	second := h.invite("SEP001122334466")
	reply, ok := h.visit(http.MethodPost, second.Link, home)
	if !ok || !strings.Contains(string(reply.Body), "still good") || strings.Contains(string(reply.Body), phone) {
		t.Errorf("a second door: %v, %v:\n%s", reply, ok, reply.Body)
	}
	if reply, ok := h.visit(http.MethodPost, second.Link, netip.MustParseAddr("2001:db8::1")); !ok || !strings.Contains(string(reply.Body), "IPv6") {
		t.Errorf("a browser by IPv6: %v, %v", reply, ok)
	}
	if _, err := h.Revoke(t.Context(), phone); err != nil {
		t.Fatal(err)
	}
	if reply, ok := h.visit(http.MethodPost, second.Link, home); !ok || reply.Status != http.StatusSeeOther {
		t.Errorf("after the first is shut: %v, %v", reply, ok)
	}
}

// Of many who press the button at the same moment one has the door.
func TestLinkIsUsedOnce(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	made := h.invite(phone)
	var wg sync.WaitGroup
	opened := make(chan netip.Addr, 20)
	for i := range 20 {
		wg.Go(func() {
			from := netip.AddrFrom4([4]byte{127, 0, 1, byte(i)})
			r, _ := http.NewRequest(http.MethodPost, "https://x/.longcord/"+made.Link.Token, nil) // it is well formed
			if reply, ok := h.Answer(t.Context(), from, r, nil); ok && reply.Status == http.StatusSeeOther {
				opened <- from
			}
		})
	}
	wg.Wait()
	if len(opened) != 1 {
		t.Fatalf("the door was opened %d times, want once", len(opened))
	}
	from := <-opened
	h.mu.Lock()
	defer h.mu.Unlock()
	if all := h.doors.Addresses(); len(all) != 1 || all[0] != from {
		t.Errorf("doors are open for %v, want %s", all, from)
	}
}

// watched is a store that tells of each record that is read.
type watched struct {
	store.Store
	read chan struct{}
}

func (w watched) Get(ctx context.Context, key string) (store.Record, error) {
	record, err := w.Store.Get(ctx, key)
	select {
	case w.read <- struct{}{}:
	default:
	}
	return record, err
}

// Two who have read the link before either has used it, or one who presses twice, shut no door.
func TestLinkIsUsedTwiceAtOnce(t *testing.T) {
	t.Parallel()
	s := memory.New()
	t.Cleanup(func() { s.Close() })
	read := make(chan struct{}, 2)
	h := open(t, watched{s, read})
	made := h.invite(phone)
	for len(read) > 0 {
		<-read
	}
	var wg sync.WaitGroup
	opened := make(chan int, 2)
	h.mu.Lock()
	for range 2 {
		wg.Go(func() {
			reply, _ := h.visit(http.MethodPost, made.Link, home)
			opened <- reply.Status
		})
	}
	<-read
	<-read
	h.mu.Unlock()
	wg.Wait()
	if first, second := <-opened, <-opened; first != http.StatusSeeOther || second != http.StatusSeeOther {
		t.Errorf("the button was pressed twice, and answered %d and %d", first, second)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	if all := h.doors.Addresses(); len(all) != 1 || all[0] != home {
		t.Errorf("doors are open for %v, want %s", all, home)
	}
}

// A phone that is blocked after it was invited gets nothing: not by its link, and not at its open door.
func TestBlockedAfterInvitation(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	other := h.invite("SEP001122334466")
	h.openDoor(phone, home)
	set := phones()
	set.Devices[phone].Blocked, set.Devices["SEP001122334466"].Blocked = true, true
	h.inventory.Store(set)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if reply, ok := h.visit(method, other.Link, stranger); ok {
			t.Errorf("%s of a blocked phone's link is answered %d", method, reply.Status)
		}
	}
	from := netip.AddrPortFrom(home, 50000)
	if answer, _ := (*desk)(h.Keeper).asked(time.Now(), from, provision.TFTP, provision.ConfigFile(phone)); answer != provision.Silence {
		t.Errorf("at the door of a blocked phone the answer is %d", answer)
	}
	h.inventory.Store(phones())
	if answer, _ := (*desk)(h.Keeper).asked(time.Now(), from, provision.TFTP, provision.ConfigFile(phone)); answer != provision.SendFile {
		t.Errorf("unblocked it is answered %d", answer)
	}
}

// A restart shuts no door, and forgets no link.
func TestDoorsSurviveARestart(t *testing.T) {
	t.Parallel()
	s := memory.New()
	defer s.Close()
	h := open(t, s)
	h.openDoor(phone, home)
	unused := h.invite("SEP001122334466")
	h.end()
	again := open(t, s)
	eventually(t, "the door is open again", func() bool {
		again.mu.Lock()
		defer again.mu.Unlock()
		return again.server != nil
	})
	if _, err := again.fetch(home, provision.ConfigFile(phone)); err != nil {
		t.Errorf("after a restart: %v", err)
	}
	if reply, ok := again.visit(http.MethodGet, unused.Link, stranger); !ok || reply.Status != http.StatusOK {
		t.Errorf("after a restart the other link is answered %v, %v", reply, ok)
	}
}

// The store holds nothing that opens a door.
func TestStoreHoldsNoLink(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	made := h.invite(phone)
	records, _, err := h.store.List(t.Context(), "")
	if err != nil || len(records) != 1 {
		t.Fatalf("%d records, %v", len(records), err)
	}
	if text := records[0].Key + string(records[0].Value); strings.Contains(text, made.Link.Token) {
		t.Errorf("the store holds the token: %s", text)
	}
	if strings.Contains(h.log.String(), made.Link.Token) {
		t.Error("the log holds the token")
	}
}

func TestExpiredLink(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	made := h.invite(phone)
	entry, err := h.table.Get(t.Context(), hashOf(made.Link.Token))
	if err != nil {
		t.Fatal(err)
	}
	entry.Value.Expires = time.Now()
	if _, err := h.table.Put(t.Context(), entry.Name, entry.Value, entry.Revision); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if reply, ok := h.visit(method, made.Link, home); ok {
			t.Errorf("%s of an expired link: %v", method, reply)
		}
	}
	next, err := h.tidy(t.Context(), time.Now().Add(keptFor+time.Second))
	if all, _ := h.List(t.Context()); err != nil || len(all) != 0 || !next.IsZero() {
		t.Errorf("a day later %d invitations are listed, %v, next look at %s", len(all), err, next)
	}
}

// Noise at an open door gets no answer and stops nothing.
func TestNoise(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	h.openDoor(phone, home)
	udp, tcp := h.addresses()
	conn, err := net.DialUDP("udp4", net.UDPAddrFromAddrPort(netip.AddrPortFrom(home, 0)), net.UDPAddrFromAddrPort(udp))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	for i := range 200 { // fewer than a socket holds
		if _, err := conn.Write(bytes.Repeat([]byte{0, byte(i)}, i)); err != nil {
			t.Fatal(err)
		}
	}
	if packet, err := h.next(conn, moment); err == nil {
		t.Errorf("noise is answered %s", packet)
	}
	for _, noise := range []string{"\x16\x03\x01\r\n\r\n", "GET /" + phone + ".cnf.xml\r\n\r\n", "POST /" + phone + ".cnf.xml HTTP/1.1\r\nHost: x\r\n\r\n", strings.Repeat("x", 2*maxHead)} {
		dialer := &net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(home, 0))}
		conn, err := dialer.Dial("tcp4", tcp.String())
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(conn, noise)
		if answer, _ := io.ReadAll(conn); len(answer) > 0 {
			t.Errorf("%.30q is answered %.40q", noise, answer)
		}
		conn.Close()
	}
	if _, err := h.fetch(home, provision.ConfigFile(phone)); err != nil {
		t.Errorf("after noise: %v", err)
	}
}
