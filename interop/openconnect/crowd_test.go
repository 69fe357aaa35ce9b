//go:build interop

package openconnect_test

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// apart configures a tunnel beside others on one host: what is sent by its device goes by it.
const apart = `#!/bin/sh
case $reason in
connect)
	ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
	ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	ip route add 10.20.0.0/24 dev "$TUNDEV" src "$INTERNAL_IP4_ADDRESS" metric "$((100 + ${TUNDEV#tun}))"
	;;
esac
echo "script $reason $INTERNAL_IP4_ADDRESS $TUNDEV"
`

// guest is an openconnect among others.
type guest struct {
	*office.Program
	o               *office.Office
	address, device string
}

// enters logs somebody in and waits for the tunnel; whoever is refused ends instead.
func enters(t *testing.T, o *office.Office, pin, url, user, password string, flags ...string) guest {
	t.Helper()
	g := guest{Program: knocks(t, o, pin, url, user, password, flags...), o: o}
	said := strings.Fields(g.Wait("script connect "))
	g.address, g.device = said[2], said[3]
	return g
}

func knocks(t *testing.T, o *office.Office, pin, url, user, password string, flags ...string) *office.Program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(apart), 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--user", user, "--passwd-on-stdin", "--non-inter", "--servercert", pin, "--script", path, "--verbose"}, flags...)
	return o.StartWith(o.Client, password+"\n", office.Peer(t, "openconnect"), append(args, url)...)
}

// reaches reports whether a ping comes back that is sent by the guest's tunnel. openconnect drops what comes by DTLS
// while it measures.
func (g guest) reaches(host string) (string, bool) {
	out, err := g.o.Run(g.o.Client, "", "ping", "-c", "1", "-i", "0.3", "-w", "20", "-I", g.device, host) // asks until one is answered
	return out, err == nil
}

func (g guest) leaves() {
	g.Signal(syscall.SIGINT)
	g.Ended()
}

// TestTwentyBehindOneAddress: twenty tunnels of one user come from one public address, each by DTLS, and none puts
// another out. The router deals the ports of all of them anew, and all go on without a handshake or a login.
func TestTwentyBehindOneAddress(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	change(t, o, "inventory.yaml", "kind: GroupPolicy\nname: phones\n", "kind: GroupPolicy\nname: phones\nsimultaneousLogins: 20\n")
	serve := o.Serve()
	o.AddUser("anna", password)
	router := home(t, o)
	pin := pinOf(t, o, office.URL)
	const crowd = 20
	var guests []guest
	for range crowd {
		guests = append(guests, enters(t, o, pin, office.URL, "anna", password))
	}
	all := func(when string) {
		t.Helper()
		for _, g := range guests {
			if out, ok := g.reaches(office.Desk); !ok {
				t.Errorf("%s, %s at %s reaches nobody:\n%s", when, g.address, g.device, out)
			}
		}
	}
	for _, g := range guests {
		g.Wait("Established DTLS connection")
		g.Wait("after detection")
	}
	all("at first")
	remap(t, o, router, 30000)
	all("with other ports")
	until(t, "the gateway has seen all of them move", func() bool { return strings.Count(serve.Output(), "client has moved") >= crowd })
	for _, s := range sessions(t, o) {
		if s.Transport != "dtls" {
			t.Errorf("%s is on %s", s.InnerAddress, s.Transport)
		}
	}
	for _, g := range guests {
		if n := strings.Count(g.Output(), "Established DTLS connection"); n != 1 || strings.Contains(g.Output(), "script reconnect") {
			t.Errorf("%s made %d handshakes, or came anew:\n%s", g.address, n, g.Output())
		}
	}
}

// TestPhoneReplacesItself: a phone that lost its power logs in anew beside its dead session, gets its own address and
// is there once; another phone stays. Nobody else gets the address that the inventory keeps for it.
func TestPhoneReplacesItself(t *testing.T) {
	t.Parallel()
	const phone, other, code, fixed = "SEP020000001001", "SEP020000001002", "rosebud7", "10.20.0.150"
	o := office.New(t)
	o.Serve()
	apply(t, o, "kind: Device\nname: "+phone+"\nmodel: CP-8861\nvpnAddress: "+fixed+"\n")
	for _, name := range []string{phone, other} {
		o.AddUser(name, code)
	}
	pin := pinOf(t, o, office.URL)
	beside := enters(t, o, pin, office.URL, other, code)
	first := enters(t, o, pin, office.URL, phone, code)
	if first.address != fixed || beside.address == fixed {
		t.Errorf("the phone has %s and another one %s, want %s for the phone", first.address, beside.address, fixed)
	}
	first.Kill()
	again := enters(t, o, pin, office.URL, phone, code)
	if again.address != fixed {
		t.Errorf("after its power cut it has %s, want %s", again.address, fixed)
	}
	for who, g := range map[string]guest{"the phone": again, "the other": beside} {
		if out, ok := g.reaches(office.Desk); !ok {
			t.Errorf("%s reaches nobody:\n%s", who, out)
		}
	}
	if all := sessions(t, o); len(all) != 2 {
		t.Errorf("there are %d sessions, want one of each phone: %+v", len(all), all)
	}
	was := beside.address
	beside.leaves()
	waitSessions(t, o, 1)
	if back := enters(t, o, pin, office.URL, other, code); back.address != was {
		t.Errorf("who left and came back has %s, and had %s", back.address, was)
	}
}

// TestTooManyLogins: at the limit who comes next is told to come later, not that the password is wrong, and is let in
// for somebody who is gone.
func TestTooManyLogins(t *testing.T) {
	t.Parallel()
	o, _ := people(t, "simultaneousLogins: 2\ndpdGateway: 2") // UDP closes without a word
	pin := pinOf(t, o, peopleURL)
	first := enters(t, o, pin, peopleURL, "anna", password)
	enters(t, o, pin, peopleURL, "anna", password)
	third := knocks(t, o, pin, peopleURL, "anna", password)
	if code := third.Ended(); code == 0 || !strings.Contains(third.Output(), "503") {
		t.Errorf("the third login ends with %d, and is told\n%s", code, third.Output())
	}
	out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings")
	if err != nil || !strings.Contains(out, "session-limit") {
		t.Errorf("show findings: %v\n%s", err, out)
	}
	first.Kill()
	until(t, "the dead one gives way", func() bool {
		p := knocks(t, o, pin, peopleURL, "anna", password, "--authenticate")
		return p.Ended() == 0
	})
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "findings"); err != nil || strings.Contains(out, "session-limit") {
		t.Errorf("show findings, when one was let in: %v\n%s", err, out)
	}
}

// TestFilterOfUsers: what an access list permits one user it does not permit another, and ports count.
func TestFilterOfUsers(t *testing.T) {
	t.Parallel()
	o, apply := people(t, "mtu: 1200")
	apply(`filter: some
---
kind: AccessList
name: some
entries:
  - {action: permit, protocol: icmp, destination: 10.20.0.9/32, icmpType: echo, users: [anna]}
  - {action: permit, protocol: tcp, destination: 10.20.0.1/32, ports: "6970"}
`)
	o.AddUser("boris", password)
	pin := pinOf(t, o, peopleURL)
	anna, boris := enters(t, o, pin, peopleURL, "anna", password), enters(t, o, pin, peopleURL, "boris", password)
	if out, ok := anna.reaches(office.Desk); !ok {
		t.Errorf("anna does not reach what she may:\n%s", out)
	}
	if out, err := o.Run(o.Client, "", "ping", "-c", "1", "-W", "1", "-I", boris.device, office.Desk); err == nil {
		t.Errorf("boris reaches what only anna may:\n%s", out)
	}
	for _, c := range []struct {
		port string
		open bool
	}{{"6970", true}, {"5060", false}} {
		out, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sS", "--interface", boris.device, "--connect-timeout", "3", "telnet://"+office.Inside+":"+c.port, "--max-time", "3")
		if open := !strings.Contains(out, "Connection timed out") && !strings.Contains(out, "connect to"); open != c.open {
			t.Errorf("port %s is open to boris: %t, want %t: %v\n%s", c.port, open, c.open, err, out)
		}
	}
}

// TestDetach: who hangs up without a goodbye comes back with the cookie alone, as a phone's client does; who says
// goodbye does not. A phone's cookie, by curl, does for openconnect what its own does.
func TestDetach(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	said, err := o.Run(o.Client, "", office.Peer(t, "curl"), "-sSk", "-i", "-A", "Cisco SVC IPPhone Client v1.0", "--max-time", "60",
		"--data-urlencode", "username=anna", "--data-urlencode", "password="+password, office.URL)
	_, cookie, found := strings.Cut(said, "Set-Cookie: webvpn=")
	if cookie, _, _ = strings.Cut(cookie, ";"); err != nil || !found || cookie == "" {
		t.Fatalf("a phone's login: %v\n%s", err, said)
	}
	cookie = "webvpn=" + cookie // openconnect takes what stands before the padding for a name
	asPhone := []string{"--cookie", cookie, "--useragent", "Cisco SVC IPPhone Client v1.0", "--no-xmlpost", "--disable-ipv6", "--no-deflate", "--passtos"}
	pin := pinOf(t, o, office.URL)
	address := ""
	for _, flags := range [][]string{asPhone, {"--cookie", cookie, "--compression=all"}, {"--cookie", cookie, "--no-dtls"}} {
		g := enters(t, o, pin, office.URL, "anna", password, flags...)
		if address != "" && g.address != address {
			t.Errorf("with the same cookie it has %s, and had %s", g.address, address)
		}
		address = g.address
		if out, ok := g.reaches(office.Desk); !ok {
			t.Errorf("with %q it reaches nobody:\n%s", flags, out)
		}
		mark := g.Mark()
		g.Signal(syscall.SIGUSR2) // a pause, and back
		g.WaitAfter(mark, "script reconnect "+address)
		if out, ok := g.reaches(office.Desk); !ok {
			t.Errorf("with %q, when it has come back, it reaches nobody:\n%s", flags, out)
		}
		g.Signal(syscall.SIGHUP)
		g.Ended()
		waitSessions(t, o, 1)
	}
	enters(t, o, pin, office.URL, "anna", password, "--cookie", cookie).leaves()
	waitSessions(t, o, 0)
	gone := knocks(t, o, pin, office.URL, "anna", password, "--cookie", cookie)
	if code := gone.Ended(); code == 0 || !strings.Contains(gone.Output(), "401") {
		t.Errorf("after its goodbye it ends with %d and says\n%s", code, gone.Output())
	}
}

// TestOtherAddress: the client's own address becomes another one, as of somebody who takes his laptop along. It comes
// back by TLS and DTLS from there, as who it was.
func TestOtherAddress(t *testing.T) {
	t.Parallel()
	o := newOffice(t)
	c := connect(t, o, password, "--force-dpd", "2", "--reconnect-timeout", "120")
	c.Wait("Established DTLS connection")
	mark := c.Mark()
	const there = "203.0.113.77"
	for _, line := range [][]string{{"addr", "flush", "dev", "eth0"}, {"addr", "add", there + "/24", "dev", "eth0"}} {
		if out, err := o.Run(o.Client, "", office.Peer(t, "ip"), line...); err != nil {
			t.Fatalf("ip %q: %v\n%s", line, err, out)
		}
	}
	c.WaitAfter(mark, "script reconnect "+c.address)
	c.WaitAfter(mark, "Established DTLS connection")
	pings(t, o)
	checkSession(t, o, c, "DTLS1.2")
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "sessions", "list"); err != nil || !strings.Contains(out, there+":") {
		t.Errorf("the gateway does not know that it is at %s: %v\n%s", there, err, out)
	}
}
