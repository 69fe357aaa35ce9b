package main

import (
	"context"
	"crypto/tls"
	"io"
	"net/http"
	"net/netip"
	"slices"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/inventory/impact"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/rollover"
)

// startSystem, the command system of scripts, runs what the command line speaks to: the control socket over a real
// catalog, without any part that listens to phones. It takes the configuration file, and ends with the
// script.
func startSystem(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: system FILE")
	}
	c, err := config.Load(ts.MkAbs(args[0]))
	ts.Check(err)
	kept := memory.New()
	objects, err := catalog.Open(context.Background(), catalog.Config{
		Store: kept, Sealer: trust.NewSealer([trust.KeySize]byte{}), HashPassword: login.HashPassword, VerifyPassword: login.VerifyPassword,
	})
	ts.Check(err)
	declared, err := file.Read(c.Inventory)
	ts.Check(err)
	_, err = objects.Apply(context.Background(), declared.Objects, catalog.Options{})
	ts.Check(err)
	rollovers := oneHomePhone(ts, kept, objects)
	board := finding.NewBoard()
	board.Raise(finding.AddressPoolExhausted.With("10.99.0.0/24").Because("gateway", 0, "no address for bob"))
	server, err := control.New(control.Config{
		Findings: board, Rollovers: rollovers, Enrolments: oneCertificate(ts, kept, objects), Trust: aHouse(ts, kept, objects),
		Impact: func(before, after *inventory.Set) []impact.Touched {
			return impact.Of(before, after, impact.Facts{
				Sessions: []impact.Session{{Device: "SEP020000001001", User: "alice", TunnelGroup: "phones"}},
				File:     provision.Renderer{CallManagers: []string{"10.1.0.5"}}.Device,
			})
		},
		Socket: c.Socket, Catalog: objects, Status: func() control.Status { return control.Status{Version: version()} }, Sessions: &twoSessions{ids: []uint64{1, 2}},
		Registrations: func() []control.Registration {
			return []control.Registration{{Phone: "SEP020000001001", Line: "1001", Contact: "10.99.0.2:5060", Began: time.Unix(60, 0)}}
		},
		Stamps: func(set *inventory.Set) map[string]string {
			stamp := "{1}"
			if line := set.Lines["1001"]; line != nil && line.DisplayName == "Renamed" {
				stamp = "{2}"
			}
			return map[string]string{"SEP020000001001": stamp}
		},
		Teller: &oneListener{},
		Live: func(_ context.Context, phone string) (control.Live, error) {
			if phone != "SEP020000001001" {
				return control.Live{}, control.Refuse(http.StatusBadGateway, phone+": the phone's web pages do not answer")
			}
			return control.Live{
				Address: "10.99.0.2", Model: "CP-8861", AlternateTFTP: "Yes", TFTPServers: []string{"10.1.0.5"},
				CallManagers: []control.LiveManager{{Host: "10.1.0.5", State: "Active"}}, Status: []string{"9:54:34p TFTP timeout : a.xml"},
				Pages: []control.LivePage{{Page: "Network setup", Path: "/NetworkConfigurationX", Body: "<NetworkConfiguration/>"}},
			}, nil
		},
		Strangers: func() []control.Stranger {
			return []control.Stranger{{
				Name: "SEP0000000000FF", Address: "10.1.0.9", Asked: []string{"SEP0000000000FF.cnf.xml"}, Count: 1, First: time.Unix(50, 0), Last: time.Unix(50, 0),
				Add: "longcord phones add SEP0000000000FF --model MODEL --line NUMBER",
			}}
		},
		Deliveries: func() map[string][]control.Delivery {
			return map[string][]control.Delivery{"SEP020000001001": {{
				File: "SEP020000001001.cnf.xml", VersionStamp: "{1}", Peer: "10.99.0.2:49152", Transport: "http", Bytes: 4000, Complete: time.Unix(50, 0),
			}}}
		},
	})
	ts.Check(err)
	ts.Check(server.Open())
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx) }()
	ts.Defer(func() {
		cancel()
		ts.Check(<-done)
		ts.Check(kept.Close())
	})
}

// house is a provisioner that has opened nothing, and TVS. SEP020000001001 has fetched its list, all others older ones.
type house struct {
	*provisioner.Provisioner
	tvs string
}

func (h house) TVSOf(string) ([]string, error) { return []string{h.tvs}, nil }

func (h house) Lag(counts func(provisioner.Delivery) bool) (provisioner.Lag, error) {
	lag, err := h.Provisioner.Lag(counts)
	all := slices.DeleteFunc(append(lag.Behind, lag.Without...), func(name string) bool { return name == "SEP020000001001" })
	return provisioner.Lag{Behind: all}, err
}

func aHouse(ts *testscript.TestScript, kept store.Store, objects *catalog.Catalog) control.Trust {
	authority, err := trust.OpenAuthority(context.Background(), trust.AuthorityConfig{Store: kept, Sealer: trust.NewSealer([trust.KeySize]byte{})})
	ts.Check(err)
	files, err := provisioner.New(provisioner.Config{
		Settings: provisioner.DefaultSettings(netip.MustParseAddr("10.1.0.5")), Inventory: objects.Current, Authority: authority,
	})
	ts.Check(err)
	pair, err := authority.Pair(trust.TVS)
	ts.Check(err)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{pair}})
	ts.Check(err)
	served := make(chan struct{})
	go func() {
		defer close(served)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			_ = conn.(*tls.Conn).Handshake()
			_ = conn.Close()
		}
	}()
	ts.Defer(func() {
		ts.Check(listener.Close())
		<-served
	})
	return trustAdapter{
		authority, house{files, listener.Addr().String()}, func() func(provisioner.Delivery) bool { return func(provisioner.Delivery) bool { return true } },
	}
}

// oneHomePhone is what is known of phones: SEP020000001001 has fetched its file as it is now, and registered.
func oneHomePhone(ts *testscript.TestScript, kept store.Store, objects *catalog.Catalog) *rollover.Keeper {
	held := rollover.File{Stamp: "{1}", At: time.Unix(50, 0)}
	for _, c := range objects.Current().Certificates {
		leaf, err := c.Leaf()
		ts.Check(err)
		held.Hashes = append(held.Hashes, verify.HashOf(leaf.Raw).String())
	}
	k, err := rollover.Open(context.Background(), rollover.Config{
		Store: kept, Inventory: objects.Current,
		Apply: func(ctx context.Context, changed []inventory.Object) error {
			_, err := objects.Apply(ctx, changed, catalog.Options{Force: true})
			return err
		},
		Arrived: func() map[string][]rollover.File { return map[string][]rollover.File{"SEP020000001001": {held}} },
		Registered: func() []rollover.Registration {
			return []rollover.Registration{{Device: "SEP020000001001", Began: time.Unix(60, 0)}}
		},
	})
	ts.Check(err)
	objects.SetGuard(k.Guard)
	return k
}

// oneListener is a call manager at which one phone is registered, which does what it is told.
type oneListener struct{ told []control.Telling }

func (l *oneListener) Tell(phones []string, action control.PhoneAction) []control.Telling {
	l.told = nil
	for _, phone := range phones {
		t := control.Telling{Phone: phone, Action: action, State: "not-reached", Why: "it is not registered", Since: time.Unix(70, 0)}
		if phone == "SEP020000001001" {
			t.State, t.Why = "taken", "200 OK"
		}
		l.told = append(l.told, t)
	}
	return l.told
}

func (l *oneListener) Tellings() []control.Telling { return l.told }

// twoSessions is a gateway with two sessions.
type twoSessions struct{ ids []uint64 }

func (s *twoSessions) List() []control.Session {
	all := []control.Session{
		{ID: 1, User: "alice", Phone: "SEP020000001001", TunnelGroup: "phones", GroupPolicy: "phones", Login: "aaa", State: "connected", InnerAddress: "10.99.0.2", MTU: 1290, Filter: "fence",
			Peer: "192.0.2.7:50529", TLSVersion: "TLS 1.2", TLSCipher: "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256", TLSAlive: &control.Alive{Heard: time.Unix(9, 0), Sent: time.Unix(8, 0)},
			Transport: "dtls", DTLSPeer: "192.0.2.7:51529", DTLSVersion: "1.2", Cipher: "AES128-GCM-SHA256", DTLSAlive: &control.Alive{Heard: time.Unix(9, 0), Sent: time.Unix(8, 0), Asked: time.Unix(7, 0)},
			Since: time.Unix(2, 0), UserAgent: "Cisco SVC IPPhone Client v1.0 (1.0)", Began: time.Unix(0, 0), LastPacket: time.Unix(9, 0), BytesIn: 1000, BytesOut: 2000, PacketsIn: 5, PacketsOut: 10, Refused: 1},
		{ID: 2, User: "bob", TunnelGroup: "phones", State: "disconnected", Began: time.Unix(60, 0), Disconnected: time.Unix(90, 0)},
	}
	return slices.DeleteFunc(all, func(c control.Session) bool { return !slices.Contains(s.ids, c.ID) })
}

func (s *twoSessions) Logoff(_ context.Context, ids []uint64, _ control.Logoff) (int, error) {
	before := len(s.ids)
	s.ids = slices.DeleteFunc(s.ids, func(id uint64) bool { return slices.Contains(ids, id) })
	return before - len(s.ids), nil
}

func (s *twoSessions) Totals() control.Totals {
	return control.Totals{
		Sessions: control.Tally{Now: len(s.ids), All: 12, Most: 3}, Disconnected: 1, TLS: control.Tally{Now: 1, All: 20, Most: 2}, DTLS: control.Tally{Now: 1, All: 18, Most: 2}, Capacity: 253,
	}
}

func (s *twoSessions) AccessLists() []control.AccessList {
	entry := inventory.AccessEntry{Action: "permit", Protocol: "udp", Destination: "10.0.0.0/16", Ports: "16384-32767", Devices: []string{"SEP020000001001"}}
	return []control.AccessList{
		{Name: "fence", Entries: []control.AccessEntry{{AccessEntry: entry, Hits: 7}}, Denied: 2}, {Name: "other"},
	}
}

// Capture writes a word for session 1 and ends; nobody may look into session 2.
func (s *twoSessions) Capture(id uint64, _ string) (func(context.Context, io.Writer) error, error) {
	if id != 1 {
		return nil, control.Refuse(http.StatusForbidden, "looking into tunnels is switched off")
	}
	return func(_ context.Context, w io.Writer) error {
		_, err := io.WriteString(w, "packets")
		return err
	}, nil
}
