package inventory

import (
	"cmp"
	"encoding/base32"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"strings"

	"github.com/longcord/longcord/internal/secret"
)

// AAAServer is a server that knows users: RADIUS or LDAP. Most fields belong to one of the two.
type AAAServer struct {
	Name     string `json:"name"`
	Protocol string `json:"protocol"`          // radius or ldap
	Host     string `json:"host"`              // address or name
	Timeout  int    `json:"timeout,omitempty"` // seconds that one login may wait for it, 1 to 60; 0 means 10

	// RADIUS.
	AuthenticationPort           int           `json:"authenticationPort,omitempty"` // 0 means 1812
	AccountingPort               int           `json:"accountingPort,omitempty"`     // 0 means 1813
	Key                          secret.String `json:"key,omitzero"`
	RetryInterval                int           `json:"retryInterval,omitempty"`                // seconds between tries within the timeout; 0 means 3
	MessageAuthenticatorRequired *bool         `json:"messageAuthenticatorRequired,omitempty"` // default true: replies without one are refused
	MSCHAPv2Capable              bool          `json:"mschapv2Capable,omitempty"`              // passwords go as MS-CHAPv2, not as PAP
	InterimAccountingUpdate      int           `json:"interimAccountingUpdate,omitempty"`      // minutes between reports on a session; 0 means 10

	// LDAP.
	ServerPort           int           `json:"serverPort,omitempty"`           // 0 means 389, with ldapOverSSL 636
	LDAPOverSSL          bool          `json:"ldapOverSSL,omitempty"`          // TLS from the first byte
	StartTLS             *bool         `json:"startTLS,omitempty"`             // default true, unless ldapOverSSL
	CertificateAuthority string        `json:"certificateAuthority,omitempty"` // that its certificate leads to; empty: those of the system
	LDAPBaseDN           string        `json:"ldapBaseDN,omitempty"`
	LDAPScope            string        `json:"ldapScope,omitempty"`           // subtree (default) or onelevel
	LDAPNamingAttribute  string        `json:"ldapNamingAttribute,omitempty"` // that holds the user name: uid (default), sAMAccountName
	LDAPFilter           string        `json:"ldapFilter,omitempty"`          // that a user must fit besides, such as (memberOf=…)
	LDAPLoginDN          string        `json:"ldapLoginDN,omitempty"`         // who searches; empty: anonymous
	LDAPLoginPassword    secret.String `json:"ldapLoginPassword,omitzero"`
	LDAPAttributeMap     []LDAPMapping `json:"ldapAttributeMap,omitempty"` // the first that fits decides
}

// LDAPMapping gives users whose attribute holds value a group policy.
type LDAPMapping struct {
	Attribute   string `json:"attribute"` // such as memberOf
	Value       string `json:"value"`
	GroupPolicy string `json:"groupPolicy"`
}

// Kind returns AAAServer.
func (*AAAServer) Kind() Kind { return KindAAAServer }

// ObjectName returns the name.
func (o *AAAServer) ObjectName() string { return o.Name }

// Secrets returns the RADIUS key and the password that searches.
func (o *AAAServer) Secrets() []*secret.String {
	return []*secret.String{&o.Key, &o.LDAPLoginPassword}
}

// The protocols of an AAAServer.
const (
	RADIUS = "radius"
	LDAP   = "ldap"
)

// LocalUsers stands in a TunnelGroup's authenticationServerGroup for the users of this inventory.
const LocalUsers = "LOCAL"

// Values of TunnelGroup.SecondaryAuthentication.
const (
	SecondField = "field" // the code stands in a second field of the login form
	SecondForm  = "form"  // the code is asked for when the password was right
)

// Servers returns the servers that a login to the group is checked against, in order; LOCAL stands for the
// inventory's own users. Behind servers it counts only when none of them can be asked.
func (o *TunnelGroup) Servers() []string {
	if len(o.AuthenticationServerGroup) == 0 {
		return []string{LocalUsers}
	}
	return o.AuthenticationServerGroup
}

var attributeName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]*$`)

func (v *validation) aaaServer(o *AAAServer) {
	if o.Name == LocalUsers {
		v.refuse("name", "", "LOCAL stands for the users of this inventory")
	}
	oneOf(v, "protocol", o.Protocol, RADIUS, LDAP)
	v.required("host", o.Host)
	if _, err := netip.ParseAddr(o.Host); err != nil && strings.ContainsAny(o.Host, ":/ ") {
		v.refuse("host", "write a name or an address; the port has a field of its own", "%q is no host", o.Host)
	}
	between(v, "timeout", "seconds", o.Timeout, 0, 60)
	switch o.Protocol {
	case RADIUS:
		v.radiusServer(o)
	case LDAP:
		v.ldapServer(o)
	}
}

func (v *validation) radiusServer(o *AAAServer) {
	between(v, "authenticationPort", "", o.AuthenticationPort, 0, 65535)
	between(v, "accountingPort", "", o.AccountingPort, 0, 65535)
	between(v, "retryInterval", "seconds", o.RetryInterval, 0, 60)
	between(v, "interimAccountingUpdate", "minutes", o.InterimAccountingUpdate, 0, 24*60)
}

func (v *validation) ldapServer(o *AAAServer) {
	between(v, "serverPort", "", o.ServerPort, 0, 65535)
	refers(v, "certificateAuthority", o.CertificateAuthority, v.set.CertificateAuthorities, KindCertificateAuthority)
	v.required("ldapBaseDN", o.LDAPBaseDN)
	if o.LDAPScope != "" {
		oneOf(v, "ldapScope", o.LDAPScope, "subtree", "onelevel")
	}
	if o.LDAPOverSSL && o.StartTLS != nil && *o.StartTLS {
		v.refuse("startTLS", "keep one of the two", "stands beside ldapOverSSL")
	}
	if name := o.LDAPNamingAttribute; name != "" && !attributeName.MatchString(name) {
		v.refuse("ldapNamingAttribute", "write an attribute such as uid or sAMAccountName", "%q is no attribute", name)
	}
	if f := o.LDAPFilter; f != "" && (!strings.HasPrefix(f, "(") || !strings.HasSuffix(f, ")")) {
		v.refuse("ldapFilter", "write it in parentheses, such as (objectClass=person)", "%q is no filter", f)
	}
	for _, m := range o.LDAPAttributeMap {
		if !attributeName.MatchString(m.Attribute) {
			v.refuse("ldapAttributeMap", "write an attribute such as memberOf", "%q is no attribute", m.Attribute)
		}
		v.required("ldapAttributeMap", m.GroupPolicy)
		refers(v, "ldapAttributeMap", m.GroupPolicy, v.set.GroupPolicies, KindGroupPolicy)
	}
}

// userServers checks what a tunnel group says of the servers that know its users.
func (v *validation) userServers(o *TunnelGroup) {
	const field = "authenticationServerGroup"
	v.twice(field, o.AuthenticationServerGroup)
	for i, name := range o.AuthenticationServerGroup {
		switch {
		case name != LocalUsers:
			refers(v, field, name, v.set.AAAServers, KindAAAServer)
		case i < len(o.AuthenticationServerGroup)-1:
			v.refuse(field, "put LOCAL last: it counts when no server can be asked", "names a server after LOCAL, which would never be asked")
		}
	}
	v.twice("accountingServerGroup", o.AccountingServerGroup)
	for _, name := range o.AccountingServerGroup {
		refers(v, "accountingServerGroup", name, v.set.AAAServers, KindAAAServer)
		if server := v.set.AAAServers[name]; server != nil && server.Protocol != RADIUS {
			v.refuse("accountingServerGroup", "name servers with protocol radius", "%q is no RADIUS server, and only those take accounts", name)
		}
	}
	if o.SecondaryAuthentication == "" {
		return
	}
	oneOf(v, "secondaryAuthentication", o.SecondaryAuthentication, SecondField, SecondForm)
	if !o.TakesPassword() {
		v.refuse("secondaryAuthentication", "set authentication: aaa certificate", "asks for a code beside a password, and there is none with authentication: certificate")
	}
	if o.Phones {
		v.refuse("secondaryAuthentication", "leave it out; give phones certificates where a password is not enough",
			"phones ask for a name and a password and nothing else")
	}
}

// NoTOTP in a user's totpSecret takes the secret away: one that is left out stays as it was.
const NoTOTP = "none"

// minTOTP is the shortest key of one-time codes, in bytes; RFC 4226 section 4 wants 16.
const minTOTP = 16

// TOTPKey returns the key of the user's one-time codes; nil when the user has none.
func (o *User) TOTPKey() ([]byte, error) {
	text := strings.ToUpper(strings.ReplaceAll(strings.TrimRight(o.TOTPSecret.Reveal(), "="), " ", ""))
	if text == "" || text == strings.ToUpper(NoTOTP) {
		return nil, nil
	}
	key, err := base32.StdEncoding.WithPadding(base32.NoPadding).DecodeString(text)
	if err != nil {
		return nil, errors.New("is not base32")
	}
	if len(key) < minTOTP {
		return nil, fmt.Errorf("is a key of %d bytes; at least %d are needed", len(key), minTOTP)
	}
	return key, nil
}

func (v *validation) totp(o *User) {
	if _, err := o.TOTPKey(); err != nil {
		v.refuse("totpSecret", "have one made: longcord users passwd NAME --totp", "%v", err)
	}
}

// LDAPPort returns the port that an LDAP server is asked at.
func (o *AAAServer) LDAPPort() int {
	if o.LDAPOverSSL {
		return cmp.Or(o.ServerPort, 636)
	}
	return cmp.Or(o.ServerPort, 389)
}
