package inventory

import "github.com/longcord/longcord/internal/secret"

// Kind, ObjectName and Secrets for every kind.

func (*VPNGateway) Kind() Kind                { return KindVPNGateway }
func (o *VPNGateway) ObjectName() string      { return o.Name }
func (*VPNGateway) Secrets() []*secret.String { return nil }
func (*VPNGroup) Kind() Kind                  { return KindVPNGroup }
func (o *VPNGroup) ObjectName() string        { return o.Name }
func (*VPNGroup) Secrets() []*secret.String   { return nil }
func (*VPNProfile) Kind() Kind                { return KindVPNProfile }
func (o *VPNProfile) ObjectName() string      { return o.Name }
func (*VPNProfile) Secrets() []*secret.String { return nil }
func (*VPNFeatureConfiguration) Kind() Kind   { return KindVPNFeatureConfiguration }
func (o *VPNFeatureConfiguration) ObjectName() string {
	return o.Name
}
func (*VPNFeatureConfiguration) Secrets() []*secret.String { return nil }
func (*CommonPhoneProfile) Kind() Kind                     { return KindCommonPhoneProfile }
func (o *CommonPhoneProfile) ObjectName() string           { return o.Name }
func (*CommonPhoneProfile) Secrets() []*secret.String      { return nil }
func (*Device) Kind() Kind                                 { return KindDevice }
func (o *Device) ObjectName() string                       { return o.Name }
func (*Device) Secrets() []*secret.String                  { return nil }
func (*Line) Kind() Kind                                   { return KindLine }
func (o *Line) ObjectName() string                         { return o.Name }
func (o *Line) Secrets() []*secret.String                  { return []*secret.String{&o.Secret} }
func (*TunnelGroup) Kind() Kind                            { return KindTunnelGroup }
func (o *TunnelGroup) ObjectName() string                  { return o.Name }
func (*TunnelGroup) Secrets() []*secret.String             { return nil }
func (*GroupPolicy) Kind() Kind                            { return KindGroupPolicy }
func (o *GroupPolicy) ObjectName() string                  { return o.Name }
func (*GroupPolicy) Secrets() []*secret.String             { return nil }
func (*AddressPool) Kind() Kind                            { return KindAddressPool }
func (o *AddressPool) ObjectName() string                  { return o.Name }
func (*AddressPool) Secrets() []*secret.String             { return nil }
func (*AccessList) Kind() Kind                             { return KindAccessList }
func (o *AccessList) ObjectName() string                   { return o.Name }
func (*AccessList) Secrets() []*secret.String              { return nil }
func (*User) Kind() Kind                                   { return KindUser }
func (o *User) ObjectName() string                         { return o.Name }
func (o *User) Secrets() []*secret.String {
	return []*secret.String{&o.Password, &o.PasswordHash, &o.TOTPSecret}
}
func (*Certificate) Kind() Kind                         { return KindCertificate }
func (o *Certificate) ObjectName() string               { return o.Name }
func (o *Certificate) Secrets() []*secret.String        { return []*secret.String{&o.Key} }
func (*CertificateAuthority) Kind() Kind                { return KindCertificateAuthority }
func (o *CertificateAuthority) ObjectName() string      { return o.Name }
func (*CertificateAuthority) Secrets() []*secret.String { return nil }
func (*PhoneModel) Kind() Kind                          { return KindPhoneModel }
func (o *PhoneModel) ObjectName() string                { return o.Name }
func (*PhoneModel) Secrets() []*secret.String           { return nil }
func (*PhoneTemplate) Kind() Kind                       { return KindPhoneTemplate }
func (o *PhoneTemplate) ObjectName() string             { return o.Name }
func (o *PhoneTemplate) Secrets() []*secret.String      { return []*secret.String{&o.Content} }
func (*Site) Kind() Kind                                { return KindSite }
func (o *Site) ObjectName() string                      { return o.Name }
func (*Site) Secrets() []*secret.String                 { return nil }
