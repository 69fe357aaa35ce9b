package door

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tftp"
)

// gateway stands for the real one: it gives a keeper what comes in, over TLS with this certificate.
func gateway(t *testing.T, h *house, certificate tls.Certificate) (host string) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body) // an empty one
		peer := netip.MustParseAddrPort(r.RemoteAddr)
		reply, ok := h.Answer(r.Context(), peer.Addr(), r, body)
		if !ok {
			http.NotFound(w, r)
			return
		}
		for _, field := range reply.Header {
			w.Header().Set(field.Name, field.Value)
		}
		w.WriteHeader(reply.Status)
		_, _ = w.Write(reply.Body) // the client judges
	}))
	server.TLS = &tls.Config{Certificates: []tls.Certificate{certificate}}
	server.StartTLS()
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "https://")
}

func TestCarry(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	made := h.invite(phone)
	ours := h.config.Inventory().Certificates["now"]
	pair, err := tls.X509KeyPair([]byte(ours.Certificate), []byte(ours.Key.Reveal()))
	if err != nil {
		t.Fatal(err)
	}
	made.Link.Host = gateway(t, h, pair)
	carrier := NewCarrier(made.Link, nil)
	carried, err := carrier.Fetch(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if carried.Device != phone || carried.Model != "CP-8861" || carried.Inside.String() != "10.1.0.5" || carried.Keys.AlternateTFTP == "" || bytes.Contains(carried.File, []byte("line-secret")) {
		t.Errorf("carried %+v", carried)
	}
	for _, again := range []*Carrier{NewCarrier(made.Link, nil), carrier} {
		if _, err := again.Fetch(t.Context()); !errors.Is(err, ErrSpent) {
			t.Errorf("the second time: %v, want ErrSpent", err)
		}
	}
	if _, ok := h.visit(http.MethodPost, made.Link, home); ok {
		t.Error("a carried link opens a door, too")
	}
	if connected, err := carrier.Connected(t.Context()); err != nil || connected {
		t.Errorf("before the phone is there: %v, %v", connected, err)
	}
	if _, err := NewCarrier(made.Link, nil).Connected(t.Context()); !errors.Is(err, ErrSpent) {
		t.Errorf("who has no ticket is told %v, want ErrSpent", err)
	}
	h.session = time.Now()
	if connected, err := carrier.Connected(t.Context()); err != nil || !connected {
		t.Errorf("when the phone is there: %v, %v", connected, err)
	}
}

// Who answers with another certificate gets nothing, not even the token.
func TestCarrierKnowsItsGateway(t *testing.T) {
	t.Parallel()
	h := fresh(t)
	made := h.invite(phone)
	made.Link.Host = gateway(t, h, testcert.RSA("other.example.net"))
	if _, err := NewCarrier(made.Link, nil).Fetch(t.Context()); !errors.Is(err, ErrStranger) {
		t.Errorf("at a stranger's: %v, want ErrStranger", err)
	}
	if all, err := h.List(t.Context()); err != nil || !all[0].Used.IsZero() {
		t.Errorf("the link is used up: %+v, %v", all, err)
	}
}

// Beside the phone: its own file for it, by both ways, and silence for the rest of the home.
func TestStall(t *testing.T) {
	t.Parallel()
	set := phones()
	file, err := provision.Renderer{CallManagers: []string{"10.1.0.5"}}.Starter(set, phone)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.AddrPortFrom(loopback, 0)
	stall, err := NewCarrier(Link{Host: "vpn.example.net"}, nil).Spread(t.Context(), at, at)
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := stall.Close(); err != nil {
			t.Error(err)
		}
	}()
	h := &house{t: t, Keeper: &Keeper{server: stall.server}}
	if packet, err := h.next(h.ask(home, config(phone)), moment); err == nil {
		t.Errorf("before the file is there, the phone is answered %s", packet)
	}
	stall.Offer(Carried{Device: phone, File: file.Content})
	if packet, err := h.next(h.ask(stranger, config("SEP001122334466")), moment); err == nil {
		t.Errorf("another phone is answered %s", packet)
	}
	got, err := h.fetch(home, provision.ConfigFile(phone))
	if err != nil || !bytes.Equal(got, file.Content) {
		t.Fatalf("the phone gets %d bytes, %v", len(got), err)
	}
	if d := <-stall.Delivered(); d.Phone.Addr() != home || d.Transport != provision.TFTP {
		t.Errorf("delivered to %+v", d)
	}
	if status, got, err := h.get(home, provision.ConfigFile(phone), 10*time.Second); status != http.StatusOK || err != nil || !bytes.Equal(got, file.Content) {
		t.Errorf("by HTTP: %d, %v", status, err)
	}
	if d := <-stall.Delivered(); d.Transport != provision.HTTP {
		t.Errorf("delivered by %+v", d)
	}
	if packet, err := h.next(h.ask(home, &tftp.Request{Name: "ITLFile.tlv", Mode: tftp.Octet}), 10*time.Second); err != nil {
		t.Errorf("its shared trust list is answered %v, %v", packet, err)
	}
}

func TestWhatTheOfficeMayNotSend(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{
		"nothing": "", "no XML": "x", "no VPN": "<device><deviceProtocol>SIP</deviceProtocol><devicePool><callManagerGroup><members><member priority=\"0\"><callManager><processNodeName>a</processNodeName></callManager></member></members></callManagerGroup></devicePool></device>",
	} {
		if err := (Carried{Device: phone, File: []byte(file)}).check(); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	if _, err := cnf.Parse([]byte("<device/>")); err != nil {
		t.Fatal(err) // else the case above proves nothing
	}
}
