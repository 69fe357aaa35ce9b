//go:build interop

// Package slapd_test has OpenLDAP's slapd say who may log in. Each test starts a directory of its own on
// loopback.
package slapd_test

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/store/memory"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// configuration of a directory whose users only the reader may find. Its places are for the folder and for
// what else is asked for.
const configuration = `
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
modulepath /usr/lib/ldap
moduleload back_mdb
moduleload memberof
pidfile %[1]s/pid
TLSCertificateFile %[1]s/certificate.pem
TLSCertificateKeyFile %[1]s/key.pem
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="dc=example,dc=net" by dn.exact="cn=reader,dc=example,dc=net" read by anonymous auth by * none
database mdb
suffix "dc=example,dc=net"
rootdn "cn=admin,dc=example,dc=net"
rootpw admin
directory %[1]s/db
%[2]s
overlay memberof
`

const entries = `
dn: dc=example,dc=net
objectClass: domain
dc: example

dn: cn=reader,dc=example,dc=net
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: reader's password

dn: ou=people,dc=example,dc=net
objectClass: organizationalUnit
ou: people

dn: uid=anna,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: anna
cn: Anna
sn: A
departmentNumber: 42
userPassword: secret

dn: uid=bert,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: bert
cn: Bert
sn: B
userPassword: päss wörd & more

dn: cn=strange one,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: a*(b)\c
cn: strange one
sn: C
userPassword: secret

dn: cn=first,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: twin
cn: first
sn: D
userPassword: secret

dn: cn=second,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: twin
cn: second
sn: D
userPassword: secret

dn: uid=nopassword,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: nopassword
cn: nopassword
sn: E

dn: uid=carl,ou=people,dc=example,dc=net
objectClass: inetOrgPerson
uid: carl
cn: Carl
sn: F
userPassword: secret

dn: ou=elsewhere,dc=example,dc=net
objectClass: referral
objectClass: extensibleObject
ou: elsewhere
ref: ldap://127.0.0.1:1/ou=elsewhere,dc=example,dc=net

dn: cn=staff,dc=example,dc=net
objectClass: groupOfNames
cn: staff
member: uid=anna,ou=people,dc=example,dc=net
member: uid=bert,ou=people,dc=example,dc=net
`

// directory is a slapd.
type directory struct {
	t           *testing.T
	dir         string
	plain, over int // ports
	authority   *testcert.Authority
	*office.Program
}

// onlyByTLS is a directory that takes no password in clear.
const onlyByTLS = "security simple_bind=1"

func start(t *testing.T, more string) *directory {
	t.Helper()
	d := &directory{t: t, dir: t.TempDir(), plain: office.Port(), over: office.Port(), authority: testcert.NewAuthority("directory's", nil)}
	certificate, key := testcert.PEM(d.authority.Issue("directory", func(c *x509.Certificate) { c.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1)} }))
	d.write("slapd.conf", fmt.Sprintf(configuration, d.dir, more))
	d.write("certificate.pem", certificate)
	d.write("key.pem", key)
	d.write("entries.ldif", entries)
	if err := os.Mkdir(filepath.Join(d.dir, "db"), 0o700); err != nil {
		t.Fatal(err)
	}
	d.run()
	add := exec.Command(office.Peer(t, "ldapadd"), "-x", "-M", "-ZZ", "-H", fmt.Sprintf("ldap://127.0.0.1:%d", d.plain), "-D", "cn=admin,dc=example,dc=net", "-w", "admin",
		"-f", filepath.Join(d.dir, "entries.ldif"))
	add.Env = append(os.Environ(), "LDAPTLS_REQCERT=never")
	if out, err := add.CombinedOutput(); err != nil {
		t.Fatalf("ldapadd: %v\n%s", err, out)
	}
	return d
}

// run starts it, once more after a Kill.
func (d *directory) run() {
	d.t.Helper()
	d.Program = office.Launch(d.t, office.Peer(d.t, "slapd"), "-d", "stats", "-f", filepath.Join(d.dir, "slapd.conf"),
		"-h", fmt.Sprintf("ldap://127.0.0.1:%d ldaps://127.0.0.1:%d", d.plain, d.over))
	d.Wait("slapd starting")
}

func (d *directory) write(name, content string) {
	d.t.Helper()
	if err := os.WriteFile(filepath.Join(d.dir, name), []byte(content), 0o600); err != nil {
		d.t.Fatal(err)
	}
}

// declared is how the inventory has the directory.
func (d *directory) declared() *inventory.AAAServer {
	return &inventory.AAAServer{
		Name: "directory", Protocol: inventory.LDAP, Host: "127.0.0.1", ServerPort: d.plain, Timeout: 60, CertificateAuthority: "directory's",
		LDAPBaseDN: "dc=example,dc=net", LDAPLoginDN: "cn=reader,dc=example,dc=net", LDAPLoginPassword: secret.New("reader's password"),
		LDAPAttributeMap: []inventory.LDAPMapping{
			{Attribute: "departmentNumber", Value: "42", GroupPolicy: "department"},
			{Attribute: "memberOf", Value: "CN=staff, DC=example, DC=net", GroupPolicy: "staff"},
		},
	}
}

// gate is who asks directories.
type gate struct {
	*login.AAA
	t        *testing.T
	findings *finding.Board
}

func newGate(t *testing.T, authority *testcert.Authority, servers ...*inventory.AAAServer) *gate {
	t.Helper()
	set := inventory.NewSet()
	group := &inventory.TunnelGroup{Name: "staff"}
	set.TunnelGroups["staff"] = group
	set.CertificateAuthorities["directory's"] = &inventory.CertificateAuthority{Name: "directory's", Certificate: authority.PEM()}
	for _, name := range []string{"staff", "department"} {
		set.GroupPolicies[name] = &inventory.GroupPolicy{Name: name}
	}
	for _, s := range servers {
		set.AAAServers[s.Name] = s
		group.AuthenticationServerGroup = append(group.AuthenticationServerGroup, s.Name)
	}
	kept := memory.New()
	t.Cleanup(func() { kept.Close() })
	g := &gate{t: t, findings: finding.NewBoard()}
	var err error
	g.AAA, err = login.New(login.Config{Users: func() *inventory.Set { return set }, Store: kept, Findings: g.findings})
	if err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *gate) login(user, password string) (login.Result, error) {
	return g.Authenticate(context.Background(), login.Request{
		User: user, Password: secret.New(password), Source: netip.MustParseAddr("192.0.2.1"), TunnelGroup: "staff",
	})
}

func (g *gate) wantIn(user, password, as, policy string) {
	g.t.Helper()
	if got, err := g.login(user, password); err != nil || got.User != as || got.GroupPolicy != policy {
		g.t.Errorf("%s: got %+v, %v (%s), want in as %s with policy %q", user, got, err, login.Reason(err), as, policy)
	}
}

func (g *gate) wantRefused(user, password, why string) {
	g.t.Helper()
	if _, err := g.login(user, password); !errors.Is(err, login.ErrRefused) || !strings.Contains(login.Reason(err), why) {
		g.t.Errorf("%s: got %v (%s), want refused: %s", user, err, login.Reason(err), why)
	}
}

// wantDead wants a login to be put off, for a reason.
func (g *gate) wantDead(why string) {
	g.t.Helper()
	if _, err := g.login("anna", "secret"); !errors.Is(err, login.ErrUnavailable) {
		g.t.Errorf("got %v (%s), want that it is put off", err, login.Reason(err))
	}
	if all := g.findings.Findings(); len(all) != 1 || all[0].Code != "aaa-server-dead" || !strings.Contains(all[0].Says, why) {
		g.t.Errorf("findings: %+v, want one with %q", all, why)
	}
}

func TestLogins(t *testing.T) {
	t.Parallel()
	d := start(t, onlyByTLS)
	over := d.declared()
	over.LDAPOverSSL, over.ServerPort = true, d.over
	for name, declared := range map[string]*inventory.AAAServer{"StartTLS": d.declared(), "LDAPS": over} {
		t.Run(name, func(t *testing.T) {
			g := newGate(t, d.authority, declared)
			g.wantIn("anna", "secret", "anna", "department")
			g.wantIn("ANNA", "secret", "anna", "department")
			g.wantIn("bert", "päss wörd & more", "bert", "staff")
			g.wantIn("carl", "secret", "carl", "")
			g.wantIn(`a*(b)\c`, "secret", `a*(b)\c`, "")
			g.wantRefused("anna", "wrong", "Invalid Credentials")
			g.wantRefused("anna", "", "empty password")
			g.wantRefused("anna*", "secret", "unknown user")
			g.wantRefused("*", "secret", "unknown user")
			g.wantRefused("anna)(uid=bert", "secret", "unknown user")
			g.wantRefused("an\x00na", "secret", "not a name")
			g.wantRefused("nobody", "secret", "unknown user")
			g.wantRefused("twin", "secret", "more than one entry")
			g.wantRefused("nopassword", "secret", "refuses")
			if all := g.findings.Findings(); len(all) != 0 {
				t.Errorf("findings: %+v", all)
			}
		})
	}
}

func TestFilterAndScope(t *testing.T) {
	t.Parallel()
	d := start(t, onlyByTLS)
	declared := d.declared()
	declared.LDAPFilter = "(memberOf=cn=staff,dc=example,dc=net)"
	g := newGate(t, d.authority, declared)
	g.wantIn("anna", "secret", "anna", "department")
	g.wantRefused("carl", "secret", "unknown user")

	flat, named := d.declared(), d.declared()
	flat.LDAPScope = "onelevel"
	newGate(t, d.authority, flat).wantRefused("anna", "secret", "unknown user")
	named.LDAPBaseDN, named.LDAPNamingAttribute = "ou=people,dc=example,dc=net", "cn"
	newGate(t, d.authority, named).wantIn("strange one", "secret", "strange one", "")

	broken := d.declared()
	broken.LDAPFilter = "(memberOf"
	newGate(t, d.authority, broken).wantDead("ilter")
}

// TestMisled: what is wrong with the directory or the way to it is nobody's wrong password.
func TestMisled(t *testing.T) {
	t.Parallel()
	d := start(t, onlyByTLS)
	for name, test := range map[string]struct {
		change func(*inventory.AAAServer)
		why    string
	}{
		"reader's password":       {func(s *inventory.AAAServer) { s.LDAPLoginPassword = secret.New("wrong") }, "log in as cn=reader"},
		"no reader's password":    {func(s *inventory.AAAServer) { s.LDAPLoginPassword = secret.String{} }, "no ldapLoginPassword"},
		"base":                    {func(s *inventory.AAAServer) { s.LDAPBaseDN = "dc=example,dc=org" }, "search dc=example,dc=org"},
		"authority":               {func(s *inventory.AAAServer) { s.CertificateAuthority = "" }, "certificate"},
		"name":                    {func(s *inventory.AAAServer) { s.Host = "localhost" }, "certificate"},
		"port":                    {func(s *inventory.AAAServer) { s.ServerPort = 1 }, "connect"},
		"TLS where there is none": {func(s *inventory.AAAServer) { s.LDAPOverSSL, s.Timeout = true, 2 }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			declared := d.declared()
			test.change(declared)
			newGate(t, d.authority, declared).wantDead(test.why)
		})
	}
}

// TestPlain: without TLS only where that is said.
func TestPlain(t *testing.T) {
	t.Parallel()
	d, plain := start(t, ""), false
	declared := d.declared()
	declared.StartTLS, declared.CertificateAuthority = &plain, ""
	newGate(t, d.authority, declared).wantIn("anna", "secret", "anna", "department")

	strict := start(t, onlyByTLS)
	declared = strict.declared()
	declared.StartTLS = &plain
	newGate(t, strict.authority, declared).wantDead("Confidentiality Required")
}

// TestDeadDirectory: the next one is asked, and one that comes back is found.
func TestDeadDirectory(t *testing.T) {
	t.Parallel()
	first, second := start(t, onlyByTLS), start(t, onlyByTLS)
	one, other := first.declared(), second.declared()
	one.Timeout, other.Name = 5, "other"
	first.Kill()
	g := newGate(t, second.authority, one, other)
	g.wantIn("anna", "secret", "anna", "department")
	g.wantIn("anna", "secret", "anna", "department")
	if all := g.findings.Findings(); len(all) != 1 || all[0].Subject != "directory" {
		t.Errorf("findings: %+v", all)
	}
	second.Kill()
	if _, err := g.login("anna", "secret"); !errors.Is(err, login.ErrUnavailable) {
		t.Errorf("both dead: got %v", err)
	}
	second.run()
	deadline := time.Now().Add(2 * office.Patience)
	for {
		_, err := g.login("anna", "secret")
		if err == nil {
			return
		}
		if !errors.Is(err, login.ErrUnavailable) || time.Now().After(deadline) {
			t.Fatalf("it is back, and a login says %v (%s)", err, login.Reason(err))
		}
		time.Sleep(100 * time.Millisecond)
	}
}
