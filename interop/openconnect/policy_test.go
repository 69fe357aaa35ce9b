//go:build interop

package openconnect_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// policies are a tunnel group for people and its policy, whose fields the tests fill in.
const policies = `
kind: AccessList
name: away
entries:
  - {action: permit, destination: 192.168.7.0/24}
  - {action: permit, destination: 192.168.9.0/24}
---
kind: GroupPolicy
name: DfltGrpPolicy
dnsServers: [10.20.0.53, 10.20.0.54, 10.20.0.55]
defaultDomain: example.net
banner: "Guten Tag,\nstranger"
---
kind: GroupPolicy
name: people
%s
---
kind: TunnelGroup
name: people
groupURLs: ["https://203.0.113.2/people"]
addressPool: phones
defaultGroupPolicy: people
`

const peopleURL = "https://203.0.113.2/people"

// say prints what openconnect hands to its script, after configuring the tunnel as the other script does.
const say = `#!/bin/sh
case $reason in
connect)
	ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
	ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
	ip route replace 10.20.0.0/24 dev "$TUNDEV"
	;;
esac
for name in CISCO_BANNER CISCO_DEF_DOMAIN INTERNAL_IP4_DNS INTERNAL_IP4_NBNS CISCO_SPLIT_DNS INTERNAL_IP4_MTU INTERNAL_IP4_NETMASK \
	CISCO_SPLIT_INC CISCO_SPLIT_INC_0_ADDR CISCO_SPLIT_INC_0_MASK CISCO_SPLIT_EXC CISCO_SPLIT_EXC_0_ADDR CISCO_SPLIT_EXC_1_ADDR; do
	eval value=\$$name
	echo "said $name=$(echo "$value" | tr '\n' '/')"
done
echo "script $reason $INTERNAL_IP4_ADDRESS"
`

// people makes an office with a policy of these fields, and apply changes it later.
func people(t *testing.T, fields string) (o *office.Office, apply func(fields string)) {
	t.Helper()
	o = newOffice(t)
	apply = func(fields string) {
		t.Helper()
		path := filepath.Join(t.TempDir(), "people.yaml")
		if err := os.WriteFile(path, fmt.Appendf(nil, policies, fields), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "apply", "-f", path); err != nil {
			t.Fatalf("apply: %v\n%s", err, out)
		}
	}
	apply(fields)
	return o, apply
}

// tunnelTo connects openconnect and returns what its script was told, by name.
func tunnelTo(t *testing.T, o *office.Office, url string, flags ...string) (client, map[string]string) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "script")
	if err := os.WriteFile(path, []byte(say), 0o755); err != nil {
		t.Fatal(err)
	}
	args := append([]string{"--user", "anna", "--passwd-on-stdin", "--servercert", pin(t, o), "--script", path, "--verbose"}, flags...)
	p := o.StartWith(o.Client, password+"\n", office.Peer(t, "openconnect"), append(args, url)...)
	line := p.Wait("script connect ")
	told := map[string]string{}
	for line := range strings.SplitSeq(p.Output(), "\n") {
		if name, value, ok := strings.Cut(strings.TrimPrefix(line, "said "), "="); ok && strings.HasPrefix(line, "said ") {
			told[name] = strings.TrimRight(value, "/")
		}
	}
	return client{p, strings.Fields(line)[2]}, told
}

func wants(t *testing.T, told map[string]string, want map[string]string) {
	t.Helper()
	for name, w := range want {
		if told[name] != w {
			t.Errorf("openconnect is told %s=%q want %q", name, told[name], w)
		}
	}
}

// TestPolicyFields: each field of a policy arrives, what the policy leaves out is DfltGrpPolicy's, and a
// change counts from the next CONNECT on. openconnect hands domains and networks on in reverse order.
func TestPolicyFields(t *testing.T) {
	t.Parallel()
	o, apply := people(t, `
winsServers: [10.20.0.60]
splitDNS: [example.net, example.org]
splitTunnelPolicy: tunnelspecified
splitTunnelNetworks: [10.20.0.0/24]
mtu: 1200
dpdClient: 17
keepAlive: 13
`)
	c, told := tunnelTo(t, o, peopleURL)
	wants(t, told, map[string]string{
		"CISCO_BANNER": "Guten Tag,/stranger", "CISCO_DEF_DOMAIN": "example.net", "INTERNAL_IP4_DNS": "10.20.0.53 10.20.0.54 10.20.0.55",
		"INTERNAL_IP4_NBNS": "10.20.0.60", "CISCO_SPLIT_DNS": "example.org,example.net", "INTERNAL_IP4_MTU": "1200", "INTERNAL_IP4_NETMASK": "255.255.255.192",
		"CISCO_SPLIT_INC": "1", "CISCO_SPLIT_INC_0_ADDR": "10.20.0.0", "CISCO_SPLIT_INC_0_MASK": "255.255.255.0", "CISCO_SPLIT_EXC": "",
	})
	c.Wait("CSTP connected. DPD 17, Keepalive 13")
	c.Wait("DTLS initialised. DPD 17, Keepalive 13")
	c.Wait("Established DTLS connection")
	c.Signal(syscall.SIGINT)
	c.Ended()
	waitSessions(t, o, 0)
	apply(`
banner: none
defaultDomain: example.org
dnsServers: [10.20.0.56]
splitTunnelPolicy: excludespecified
splitTunnelNetworkList: away
dtls: false
`)
	c, told = tunnelTo(t, o, peopleURL)
	wants(t, told, map[string]string{
		"CISCO_BANNER": "", "CISCO_DEF_DOMAIN": "example.org", "INTERNAL_IP4_DNS": "10.20.0.56", "INTERNAL_IP4_NBNS": "", "CISCO_SPLIT_DNS": "",
		"CISCO_SPLIT_INC": "", "CISCO_SPLIT_EXC": "2", "CISCO_SPLIT_EXC_0_ADDR": "192.168.9.0", "CISCO_SPLIT_EXC_1_ADDR": "192.168.7.0",
	})
	if out, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "3", "-i", "0.2", "-W", "10", office.Desk); err != nil {
		t.Errorf("ping: %v\n%s", err, out)
	}
	checkSession(t, o, c, "")
	if strings.Contains(c.Output(), "DTLS connection") {
		t.Error("openconnect speaks of DTLS where the policy has none")
	}
}

// TestPhonesAreToldNothingOfSplitting, whatever the policy says that DfltGrpPolicy fills.
func TestPhonesAreToldNothingOfSplitting(t *testing.T) {
	t.Parallel()
	o, _ := people(t, "mtu: 1200")
	_, told := tunnelTo(t, o, office.URL)
	wants(t, told, map[string]string{
		"CISCO_SPLIT_INC": "", "CISCO_SPLIT_EXC": "", "CISCO_SPLIT_DNS": "", "INTERNAL_IP4_DNS": "10.20.0.53 10.20.0.54 10.20.0.55",
	})
}

// TestTimeouts: a session ends when it carries nothing, or when its time is up; people's clients are told.
func TestTimeouts(t *testing.T) {
	t.Parallel()
	for name, fields := range map[string]string{"idle": "idleTimeout: 3", "session": "sessionTimeout: 3"} {
		t.Run(name, func(t *testing.T) {
			o, _ := people(t, fields)
			c, _ := tunnelTo(t, o, peopleURL)
			c.Ended()
			if said := c.Output(); !strings.Contains(said, "terminate") && !strings.Contains(said, "Session terminated by server") {
				t.Errorf("openconnect did not hear that it ends:\n%s", said)
			}
			waitSessions(t, o, 0)
		})
	}
}

// TestDisconnectedTimeout: who does not come back in time finds his cookie no more.
func TestDisconnectedTimeout(t *testing.T) {
	t.Parallel()
	o, _ := people(t, "disconnectedTimeout: 3\ndpdGateway: 2") // UDP closes without a word
	c, _ := tunnelTo(t, o, peopleURL)
	c.Kill() // as a power cut, but for the FIN
	waitSessions(t, o, 0)
}

// TestBlock: a change of the inventory ends the tunnel of who is blocked, and the filter of a tunnel that stays.
func TestBlock(t *testing.T) {
	t.Parallel()
	o, apply := people(t, "mtu: 1200")
	c, _ := tunnelTo(t, o, peopleURL)
	ping := func() error {
		_, err := o.Run(o.Client, "", office.Peer(t, "ping"), "-c", "1", "-W", "2", office.Desk)
		return err
	}
	if err := ping(); err != nil {
		t.Fatal(err)
	}
	apply("filter: away")
	defer func() { // what it denied, it counted
		out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "show", "access-list", "away")
		if err != nil || !strings.Contains(out, "line 3 extended deny ip any any (hitcnt=") || strings.Contains(out, "any any (hitcnt=0)") {
			t.Errorf("show access-list: %v\n%s", err, out)
		}
	}()
	until(t, "the filter stops what it passed before", func() bool { return ping() != nil })
	apply("filter: none")
	until(t, "without it packets pass again", func() bool { return ping() == nil })
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "users", "block", "anna", "--yes"); err != nil {
		t.Fatalf("users block: %v\n%s", err, out)
	}
	c.Ended()
	waitSessions(t, o, 0)
	if out, err := o.Run(o.Client, password+"\n", office.Peer(t, "openconnect"), "--user", "anna", "--passwd-on-stdin", "--non-inter",
		"--servercert", pin(t, o), "--authenticate", peopleURL); err == nil {
		t.Errorf("a blocked user logs in:\n%s", out)
	}
	if out, err := o.Longcord("", "-c", o.Path("longcord.yaml"), "users", "unblock", "anna"); err != nil {
		t.Fatalf("users unblock: %v\n%s", err, out)
	}
	tunnelTo(t, o, peopleURL) // with the password of before
}
