package walk_test

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/walk"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/tun/netstack"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/cstp"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	device   = "SEP001122334455"
	password = "correct-horse-battery"
	login    = "Set-Cookie: webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure\r\nSet-Cookie: webvpnlogin=1; secure\r\n"
)

var (
	phoneAddress = netip.MustParseAddr("10.20.0.7")
	office       = netip.MustParseAddr("10.20.0.1")
)

// hangsUp instead of a status ends the connection.
const hangsUp = -1

// gateway is a gateway that says what a test wants.
type gateway struct {
	t           *testing.T
	listener    net.Listener
	certificate tls.Certificate
	running     sync.WaitGroup

	opened string      // headers of the answer to GET; empty: none
	posted int         // status of the answer to POST; hangsUp: none
	answer cstp.Answer // to CONNECT; without an address: 503
	// documents: it has the dialogue of computers, and takes them as posted says
	documents bool

	mu       sync.Mutex
	requests []string
}

func start(t *testing.T, g *gateway) *gateway {
	t.Helper()
	g.t, g.certificate = t, testcert.RSA("127.0.0.1")
	var err error
	g.listener, err = tls.Listen("tcp4", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{g.certificate}})
	if err != nil {
		t.Fatal(err)
	}
	g.running.Go(func() {
		for {
			conn, err := g.listener.Accept()
			if err != nil {
				return
			}
			g.running.Go(func() {
				defer conn.Close()
				g.serve(conn)
			})
		}
	})
	t.Cleanup(func() {
		_ = g.listener.Close()
		g.running.Wait()
	})
	return g
}

func (g *gateway) serve(conn net.Conn) {
	in := bufio.NewReader(conn)
	for {
		request, err := http.ReadRequest(in)
		if err != nil {
			return
		}
		body, _ := io.ReadAll(request.Body)
		document := g.documents && strings.HasPrefix(string(body), "<")
		said := request.Method
		if document {
			said = "document"
			if strings.Contains(string(body), password) {
				said = "password"
			}
		}
		g.mu.Lock()
		g.requests = append(g.requests, said)
		g.mu.Unlock()
		switch {
		case document && said == "password" && g.posted == http.StatusOK:
			sendDocument(conn, `type="complete"`, `<session-token>a@b@c</session-token><auth id="success"/>`)
		case document && said == "password":
			sendDocument(conn, `type="auth-request"`, `<auth id="main"><error id="1">Login failed.</error>`+userForm+`</auth>`)
		case document:
			sendDocument(conn, `type="auth-request"`, `<auth id="main">`+userForm+`</auth>`)
		case request.Method == http.MethodConnect:
			g.tunnel(conn, in)
			return
		case request.Method == http.MethodGet && g.opened != "":
			fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n%s\r\n", g.opened)
		case request.Method == http.MethodPost && g.posted == hangsUp:
			return
		case request.Method == http.MethodPost && g.posted == http.StatusOK:
			fmt.Fprint(conn, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nSet-Cookie: webvpn=a@b@c; secure\r\n\r\n")
		case request.Method == http.MethodPost && g.posted != 0:
			fmt.Fprintf(conn, "HTTP/1.1 %d Refused\r\nContent-Length: 0\r\n%s\r\n", g.posted, login)
		default:
			fmt.Fprint(conn, "HTTP/1.1 302 Moved\r\nLocation: /+CSCOE+/logon.html\r\nContent-Length: 0\r\n\r\n")
		}
	}
}

const userForm = `<form><input type="text" name="username"/><input type="password" name="password"/></form>`

func sendDocument(conn net.Conn, kind, content string) {
	body := `<config-auth client="vpn" ` + kind + `>` + content + `</config-auth>`
	fmt.Fprintf(conn, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// tunnel carries packets to an office of one machine, which answers pings and has no port open.
func (g *gateway) tunnel(conn net.Conn, in *bufio.Reader) {
	if !g.answer.Address.IsValid() {
		refusal, err := cstp.NoAddress.AppendBinary(nil)
		if err == nil {
			_, err = conn.Write(refusal)
		}
		if err != nil {
			g.t.Error(err)
		}
		return
	}
	answer, err := g.answer.AppendBinary(nil)
	if err == nil {
		_, err = conn.Write(answer)
	}
	if err != nil {
		g.t.Error(err)
		return
	}
	machine, err := netstack.Open(tun.Settings{Address: netip.PrefixFrom(office, 32), MTU: g.answer.MTU})
	if err != nil {
		g.t.Error(err)
		return
	}
	var back sync.WaitGroup
	back.Go(func() {
		packet := make([]byte, 1500)
		for {
			n, err := machine.Read(packet)
			if err != nil {
				return
			}
			if _, err := conn.Write(cstp.AppendFrame(nil, cstp.Data, packet[:n])); err != nil {
				return
			}
		}
	})
	defer back.Wait()
	defer machine.Close()
	frames := cstp.NewReader(in, 2000)
	for {
		kind, payload, err := frames.Next()
		if err != nil {
			return
		}
		if kind == cstp.Data {
			_, _ = machine.Write(payload)
		}
	}
}

func (g *gateway) url() string { return "https://" + g.listener.Addr().String() + "/phones" }

func (g *gateway) hash() string { return verify.HashOf(g.certificate.Certificate[0]).String() }

// file is a phone's file for the gateway.
func (g *gateway) file(hash string) []byte {
	g.t.Helper()
	d := &cnf.Device{
		Protocol: cnf.SCCP, Transport: cnf.SCCPTransport, Pool: cnf.DevicePool{CallManagers: []cnf.CallManager{{Host: office.String()}}},
		VPN: &cnf.VPNGroup{URLs: []string{g.url()}, MTU: 1290, FailConnectTime: 30, CertificateHashes: []string{hash}, EnableHostIDCheck: true},
	}
	content, err := d.Bytes()
	if err != nil {
		g.t.Fatal(err)
	}
	return content
}

// walked walks and returns the facts by kind.
func walked(t *testing.T, change func(*walk.Options)) map[fact.Kind][]fact.Fact {
	t.Helper()
	model, ok := inventory.ModelByName("CP-8861")
	if !ok {
		t.Fatal("no CP-8861")
	}
	o := walk.Options{Device: device, Model: model, OpenTUN: netstack.Open, FileName: "SEP.cnf.xml", Say: func(string) {}}
	change(&o)
	c := fact.NewCollector("test", device)
	if err := walk.Run(t.Context(), o, c); err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(c.File())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(text), password) {
		t.Errorf("the password is among the facts: %s", text)
	}
	facts := map[fact.Kind][]fact.Fact{}
	for _, f := range c.File().Facts {
		facts[f.Kind] = append(facts[f.Kind], f)
	}
	return facts
}

func (g *gateway) withLogin(hash string) func(*walk.Options) {
	return func(o *walk.Options) {
		o.File, o.User, o.Password = g.file(hash), "alice", secret.New(password)
	}
}

// is says whether one fact of a kind has these values.
func is(t *testing.T, facts map[fact.Kind][]fact.Fact, kind fact.Kind, values ...string) {
	t.Helper()
next:
	for _, f := range facts[kind] {
		for i := 0; i < len(values); i += 2 {
			if f.Get(values[i]) != values[i+1] {
				continue next
			}
		}
		return
	}
	t.Errorf("no %s has %q: %+v", kind, values, facts[kind])
}

var connected = cstp.Answer{Address: phoneAddress, Netmask: netip.MustParseAddr("255.255.255.0"), MTU: 1290, BaseMTU: 1400,
	SplitInclude: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}

// TestThroughTunnel walks to the office, whose machine answers pings and has no call manager.
func TestThroughTunnel(t *testing.T) {
	t.Parallel()
	g := start(t, &gateway{opened: login, posted: http.StatusOK, answer: connected})
	facts := walked(t, g.withLogin(g.hash()))
	is(t, facts, fact.WalkPinned, "gateway", g.url(), "ok", "true", "index", "1", "depth", "0")
	is(t, facts, fact.WalkNamed, "host", "127.0.0.1", "ok", "true")
	is(t, facts, fact.WalkGroupURL, "outcome", "login")
	is(t, facts, fact.WalkLogin, "by", "password", "user", "alice", "outcome", "in")
	is(t, facts, fact.WalkTunnel, "ok", "true", "address", "10.20.0.7", "mtu", "1290", "include", "10.0.0.0/8", "dtls", "none")
	is(t, facts, fact.WalkDTLS, "outcome", "none")
	is(t, facts, fact.WalkPing, "what", "call manager", "from", "tunnel", "ok", "true")
	is(t, facts, fact.WalkReach, "what", "call manager", "address", "10.20.0.1:2000", "from", "tunnel", "ok", "false", "reason", "refused")
	is(t, facts, fact.WalkStep, "step", "tunnel", "ok", "false")
}

// TestBroken has one thing after the other broken, and where the walk ends.
func TestBroken(t *testing.T) {
	t.Parallel()
	other := verify.HashOf([]byte("another certificate")).String()
	for name, c := range map[string]struct {
		gateway *gateway
		hash    string // empty: the right one
		change  func(*walk.Options)
		step    string
		kind    fact.Kind
		values  []string
	}{
		"another certificate": {gateway: &gateway{opened: login}, hash: other, step: "verify", kind: fact.WalkPinned, values: []string{"ok", "false"}},
		"no such URL":         {gateway: &gateway{}, step: "verify", kind: fact.WalkGroupURL, values: []string{"outcome", "redirect", "computers", "false"}},
		"wrong password": {gateway: &gateway{opened: login, posted: http.StatusUnauthorized}, step: "verify",
			kind: fact.WalkLogin, values: []string{"outcome", "refused"}},
		"hung up at the password": {gateway: &gateway{opened: login, posted: hangsUp}, step: "verify",
			kind: fact.WalkLogin, values: []string{"outcome", "none", "reply", ""}},
		"a space in the password": {gateway: &gateway{opened: login, posted: http.StatusOK}, step: "verify",
			change: func(o *walk.Options) { o.Password = secret.New(password + " ") },
			kind:   fact.WalkCredential, values: []string{"what", "password", "problem", "a space at its beginning or end"}},
		"no address": {gateway: &gateway{opened: login, posted: http.StatusOK}, step: "tunnel",
			kind: fact.WalkTunnel, values: []string{"ok", "false", "status", "503"}},
		"no file of a phone": {gateway: &gateway{}, change: func(o *walk.Options) { o.File = []byte("<html/>") }, step: "provision",
			kind: fact.WalkFile, values: []string{"outcome", "invalid"}},
		"nobody there": {gateway: &gateway{}, change: func(o *walk.Options) { o.URLs = []string{"https://127.0.0.1:1/x"} }, step: "connect",
			kind: fact.GatewayNoAnswer, values: []string{"server", "127.0.0.1:1", "reason", "refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, c.gateway)
			if c.hash == "" {
				c.hash = g.hash()
			}
			facts := walked(t, func(o *walk.Options) {
				g.withLogin(c.hash)(o)
				if c.change != nil {
					c.change(o)
				}
			})
			is(t, facts, c.kind, c.values...)
			is(t, facts, fact.WalkStep, "step", c.step, "ok", "false")
			broken := 0
			for _, f := range facts[fact.WalkStep] {
				if f.Get("ok") == "false" {
					broken++
				}
			}
			if broken != 1 {
				t.Errorf("%d steps are broken: %+v", broken, facts[fact.WalkStep])
			}
		})
	}
}

// TestPolite has nobody logged in where that was not asked for, and a password said once.
func TestPolite(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change func(*walk.Options)
		posts  int
	}{
		"without a login": {func(o *walk.Options) { o.Password = secret.String{} }, 0},
		"occupied":        {func(o *walk.Options) { o.NoLogin = "the phone is in" }, 0},
		"refused":         {func(*walk.Options) {}, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, &gateway{opened: login, posted: http.StatusUnauthorized})
			walked(t, func(o *walk.Options) {
				g.withLogin(g.hash())(o)
				o.URLs = []string{g.url(), g.url()} // a second gateway is no second try
				c.change(o)
			})
			g.mu.Lock()
			defer g.mu.Unlock()
			posts := strings.Count(strings.Join(g.requests, " "), "POST")
			if posts != c.posts {
				t.Errorf("%d posts, want %d: %v", posts, c.posts, g.requests)
			}
		})
	}
}

// TestComputers has gateways that take computers and not the phone.
func TestComputers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		gateway *gateway
		change  func(*walk.Options)
		said    int // passwords
		values  []string
	}{
		"in":              {&gateway{documents: true, posted: http.StatusOK, answer: connected}, nil, 1, []string{"what", "ping", "address", office.String(), "ok", "true"}},
		"no address":      {&gateway{documents: true, posted: http.StatusOK}, nil, 1, []string{"what", "tunnel", "ok", "false"}},
		"refused":         {&gateway{documents: true, posted: http.StatusUnauthorized}, nil, 1, []string{"what", "login", "outcome", "refused"}},
		"without a login": {&gateway{documents: true}, func(o *walk.Options) { o.Password = secret.String{} }, 0, []string{"what", "offer"}},
		"occupied":        {&gateway{documents: true}, func(o *walk.Options) { o.NoLogin = "the phone is in" }, 0, []string{"what", "offer"}},
		"two gateways":    {&gateway{documents: true}, func(o *walk.Options) { o.URLs = append(o.URLs, o.URLs[0]) }, 1, []string{"what", "login", "outcome", "refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			g := start(t, c.gateway)
			facts := walked(t, func(o *walk.Options) {
				g.withLogin(g.hash())(o)
				if o.URLs = []string{g.url()}; c.change != nil {
					c.change(o)
				}
			})
			is(t, facts, fact.WalkComputer, c.values...)
			is(t, facts, fact.WalkStep, "step", "verify", "ok", "false")
			g.mu.Lock()
			defer g.mu.Unlock()
			if said := strings.Count(strings.Join(g.requests, " "), "password"); said != c.said {
				t.Errorf("the password was said %d times, want %d: %v", said, c.said, g.requests)
			}
		})
	}
}

// TestPlan holds what is announced to what is done.
func TestPlan(t *testing.T) {
	t.Parallel()
	model, _ := inventory.ModelByName("CP-7962G")
	base := walk.Options{Device: device, Model: model}
	for name, c := range map[string]struct {
		change   func(*walk.Options)
		has, not string
	}{
		"file server": {func(o *walk.Options) { o.Servers = []string{"10.1.1.5"} }, "the file server 10.1.1.5", "one login"},
		"no login":    {func(o *walk.Options) { o.URLs = []string{"https://vpn/p"} }, "nobody is logged in there", "one registration"},
		"login":       {func(o *walk.Options) { o.Password = secret.New(password) }, "one login as " + device, password},
		"certificate": {func(o *walk.Options) { o.Certificate = testcert.NewAuthority("CA", nil).Issue("CP-7962G-"+device, nil) },
			"one login as CP-7962G-" + device, "nobody is logged in"},
		"call":           {func(o *walk.Options) { o.Password, o.Call = secret.New(password), "1002" }, "one call to 1002", "nobody"},
		"inside":         {func(o *walk.Options) { o.At = walk.Inside }, "one registration", "gateways"},
		"taken, no call": {func(o *walk.Options) { o.NoLogin, o.Call = "it is registered", "1002" }, "it is registered", "one call"},
	} {
		o := base
		c.change(&o)
		plan := strings.Join(walk.Plan(o), "\n")
		if !strings.Contains(plan, c.has) || strings.Contains(plan, c.not) {
			t.Errorf("%s: the plan has no %q, or has %q:\n%s", name, c.has, c.not, plan)
		}
	}
}

// TestEnded stops a walk.
func TestEnded(t *testing.T) {
	t.Parallel()
	g := start(t, &gateway{opened: login})
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	model, _ := inventory.ModelByName("CP-8861")
	err := walk.Run(ctx, walk.Options{Device: device, Model: model, OpenTUN: netstack.Open, URLs: []string{g.url()}}, fact.NewCollector("test", device))
	if err == nil {
		t.Error("a walk whose time is over says nothing")
	}
}
