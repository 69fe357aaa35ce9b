package inventory_test

import (
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// servers adds a RADIUS server and a directory to an office, and a tunnel group that asks them.
func servers(t *testing.T) *inventory.Set {
	t.Helper()
	set := office(t)
	for _, o := range []inventory.Object{
		&inventory.AAAServer{Name: "radius-1", Protocol: inventory.RADIUS, Host: "10.20.0.5", Key: secret.New("k")},
		&inventory.AAAServer{Name: "radius-2", Protocol: inventory.RADIUS, Host: "2001:db8::5", Key: secret.New("k")},
		&inventory.AAAServer{
			Name: "directory", Protocol: inventory.LDAP, Host: "ldap.example.net", LDAPBaseDN: "dc=example,dc=net",
			LDAPAttributeMap: []inventory.LDAPMapping{{Attribute: "memberOf", Value: "cn=staff,dc=example,dc=net", GroupPolicy: "policy"}},
		},
		&inventory.TunnelGroup{
			Name: "staff", AddressPool: "pool", DefaultGroupPolicy: "policy", SecondaryAuthentication: inventory.SecondForm,
			AuthenticationServerGroup: []string{"radius-1", "radius-2", inventory.LocalUsers}, AccountingServerGroup: []string{"radius-2"},
		},
		&inventory.User{Name: "bert", TOTPSecret: secret.New("gezd gnbv gy3t qojq gezd gnbv gy")},
	} {
		must(t, set.Add(o))
	}
	return set
}

func TestServersOfUsers(t *testing.T) {
	t.Parallel()
	set := servers(t)
	for _, p := range set.Validate() {
		t.Errorf("unexpected: %v (%s)", p, p.Hint)
	}
	if got := set.TunnelGroups["phones"].Servers(); len(got) != 1 || got[0] != inventory.LocalUsers {
		t.Errorf("a group that names no server has %v", got)
	}
	if key, err := set.Users["bert"].TOTPKey(); string(key) != "1234567890123456" || err != nil {
		t.Errorf("key of one-time codes is %q, %v", key, err)
	}
	for name, port := range map[string]int{"directory": 389, "radius-1": 389} {
		if got := set.AAAServers[name].LDAPPort(); got != port {
			t.Errorf("%s: port %d", name, got)
		}
	}
	if got := (&inventory.AAAServer{LDAPOverSSL: true}).LDAPPort(); got != 636 {
		t.Errorf("over TLS: port %d", got)
	}
}

func TestServersOfUsersRefused(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		spoil func(*inventory.Set)
		want  string
		hint  string
	}{
		{"protocol", func(s *inventory.Set) { s.AAAServers["radius-1"].Protocol = "Radius" },
			`AAAServer "radius-1": protocol: "Radius" is not a value`, `did you mean "radius"?`},
		{"host with a port", func(s *inventory.Set) { s.AAAServers["radius-1"].Host = "10.20.0.5:1812" },
			`AAAServer "radius-1": host: "10.20.0.5:1812" is no host`, "port has a field of its own"},
		{"no host", func(s *inventory.Set) { s.AAAServers["radius-1"].Host = "" }, `AAAServer "radius-1": host: is missing`, ""},
		{"slow", func(s *inventory.Set) { s.AAAServers["radius-1"].Timeout = 61 }, `AAAServer "radius-1": timeout: is 61`, ""},
		{"named LOCAL", func(s *inventory.Set) { s.AAAServers["radius-1"].Name = inventory.LocalUsers },
			`AAAServer "LOCAL": name: LOCAL stands for`, ""},
		{"no base", func(s *inventory.Set) { s.AAAServers["directory"].LDAPBaseDN = "" }, `AAAServer "directory": ldapBaseDN: is missing`, ""},
		{"scope", func(s *inventory.Set) { s.AAAServers["directory"].LDAPScope = "sub" }, `AAAServer "directory": ldapScope: "sub" is not`, "subtree"},
		{"authority", func(s *inventory.Set) { s.AAAServers["directory"].CertificateAuthority = "ours" },
			`AAAServer "directory": certificateAuthority: names the CertificateAuthority "ours"`, "declare"},
		{"filter", func(s *inventory.Set) { s.AAAServers["directory"].LDAPFilter = "a=b" }, `AAAServer "directory": ldapFilter: "a=b" is no filter`, "parentheses"},
		{"both kinds of TLS", func(s *inventory.Set) {
			s.AAAServers["directory"].LDAPOverSSL, s.AAAServers["directory"].StartTLS = true, pointer(true)
		}, `AAAServer "directory": startTLS: stands beside ldapOverSSL`, ""},
		{"naming attribute", func(s *inventory.Set) { s.AAAServers["directory"].LDAPNamingAttribute = "uid=*" },
			`AAAServer "directory": ldapNamingAttribute: "uid=*" is no attribute`, ""},
		{"mapped to nothing", func(s *inventory.Set) { s.AAAServers["directory"].LDAPAttributeMap[0].GroupPolicy = "polic" },
			`AAAServer "directory": ldapAttributeMap: names the GroupPolicy "polic"`, `did you mean "policy"?`},
		{"unknown server", func(s *inventory.Set) { s.TunnelGroups["staff"].AuthenticationServerGroup[0] = "radius-3" },
			`TunnelGroup "staff": authenticationServerGroup: names the AAAServer "radius-3"`, "did you mean"},
		{"LOCAL first", func(s *inventory.Set) {
			s.TunnelGroups["staff"].AuthenticationServerGroup = []string{inventory.LocalUsers, "radius-1"}
		}, `TunnelGroup "staff": authenticationServerGroup: names a server after LOCAL`, "last"},
		{"accounts in a directory", func(s *inventory.Set) { s.TunnelGroups["staff"].AccountingServerGroup[0] = "directory" },
			`TunnelGroup "staff": accountingServerGroup: "directory" is no RADIUS server`, ""},
		{"second factor", func(s *inventory.Set) { s.TunnelGroups["staff"].SecondaryAuthentication = "totp" },
			`TunnelGroup "staff": secondaryAuthentication: "totp" is not a value`, "field, form"},
		{"second factor on phones", func(s *inventory.Set) { s.TunnelGroups["phones"].SecondaryAuthentication = inventory.SecondField },
			`TunnelGroup "phones": secondaryAuthentication: phones ask for a name and a password and nothing else`, "certificates"},
		{"second factor without a first", func(s *inventory.Set) { s.TunnelGroups["staff"].Authentication = inventory.AuthenticateCertificate },
			`TunnelGroup "staff": secondaryAuthentication: asks for a code beside a password`, "aaa certificate"},
		{"secret that is none", func(s *inventory.Set) { s.Users["bert"].TOTPSecret = secret.New("0189") },
			`User "bert": totpSecret: is not base32`, "--totp"},
		{"short secret", func(s *inventory.Set) { s.Users["bert"].TOTPSecret = secret.New("GEZDGNBV") },
			`User "bert": totpSecret: is a key of 5 bytes`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			set := servers(t)
			test.spoil(set)
			for _, p := range set.Validate() {
				if strings.HasPrefix(p.Error(), test.want) && strings.Contains(p.Hint, test.hint) {
					return
				}
			}
			t.Errorf("got %v\nwant a problem beginning with %s and a hint with %q", set.Validate(), test.want, test.hint)
		})
	}
}
