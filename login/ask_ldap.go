package login

import (
	"cmp"
	"context"
	"crypto/x509"
	"fmt"
	"strconv"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login/ldap"
)

// directory asks an LDAP server.
type directory struct {
	server  *ldap.Server
	mapping []inventory.LDAPMapping
	err     error // why it cannot be asked
}

func newDirectory(declared *inventory.AAAServer, authority *inventory.CertificateAuthority) directory {
	d := directory{mapping: declared.LDAPAttributeMap, server: &ldap.Server{
		Host: declared.Host, Port: strconv.Itoa(declared.LDAPPort()), Timeout: seconds(cmp.Or(declared.Timeout, defaultTimeout)),
		BaseDN: declared.LDAPBaseDN, OneLevel: declared.LDAPScope == "onelevel", Filter: declared.LDAPFilter,
		NamingAttribute: cmp.Or(declared.LDAPNamingAttribute, "uid"), LoginDN: declared.LDAPLoginDN, LoginPassword: declared.LDAPLoginPassword,
	}}
	switch {
	case declared.LDAPOverSSL:
		d.server.TLS = ldap.Over
	case declared.StartTLS != nil && !*declared.StartTLS:
		d.server.TLS = ldap.Plain
	}
	for _, m := range d.mapping {
		d.server.Attributes = append(d.server.Attributes, m.Attribute)
	}
	if authority != nil {
		d.server.Roots, d.err = rootsOf(authority)
	}
	return d
}

func rootsOf(authority *inventory.CertificateAuthority) (*x509.CertPool, error) {
	issuers, err := authority.Issuers()
	if err != nil {
		return nil, fmt.Errorf("certificate authority %q: %w", authority.Name, err)
	}
	pool := x509.NewCertPool()
	for _, issuer := range issuers {
		pool.AddCert(issuer)
	}
	return pool, nil
}

func (d directory) ask(ctx context.Context, r Request, _ []byte) (opinion, error) {
	if d.err != nil {
		return opinion{}, d.err
	}
	answer, err := d.server.Authenticate(ctx, r.User, r.Password)
	if err != nil {
		return opinion{}, err
	}
	if answer.Refused != "" {
		return opinion{reason: fmt.Sprintf("directory %s refuses: %s", d.server.Host, answer.Refused)}, nil
	}
	o := opinion{verdict: accepted, result: Result{User: answer.User}}
	if policy := d.policyOf(answer.Attributes); policy != "" {
		o.policies = []policyName{{policy, true}}
	}
	return o, nil
}

// policyOf returns the group policy of the first mapping that fits what a user's entry holds.
func (d directory) policyOf(attributes map[string][]string) string {
	for _, m := range d.mapping {
		for _, value := range attributes[m.Attribute] {
			if ldap.Matches(value, m.Value) {
				return m.GroupPolicy
			}
		}
	}
	return ""
}
