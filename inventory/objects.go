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
func (o *CommonPhoneProfile) Secrets() []*secret.String {
	return []*secret.String{&o.SecureShellPassword, &o.UnlockPassword}
}
func (*Device) Kind() Kind                     { return KindDevice }
func (o *Device) ObjectName() string           { return o.Name }
func (*Device) Secrets() []*secret.String      { return nil }
func (*Line) Kind() Kind                       { return KindLine }
func (o *Line) ObjectName() string             { return o.Name }
func (o *Line) Secrets() []*secret.String      { return []*secret.String{&o.Secret} }
func (*TunnelGroup) Kind() Kind                { return KindTunnelGroup }
func (o *TunnelGroup) ObjectName() string      { return o.Name }
func (*TunnelGroup) Secrets() []*secret.String { return nil }
func (*GroupPolicy) Kind() Kind                { return KindGroupPolicy }
func (o *GroupPolicy) ObjectName() string      { return o.Name }
func (*GroupPolicy) Secrets() []*secret.String { return nil }
func (*AddressPool) Kind() Kind                { return KindAddressPool }
func (o *AddressPool) ObjectName() string      { return o.Name }
func (*AddressPool) Secrets() []*secret.String { return nil }
func (*AccessList) Kind() Kind                 { return KindAccessList }
func (o *AccessList) ObjectName() string       { return o.Name }
func (*AccessList) Secrets() []*secret.String  { return nil }
func (*User) Kind() Kind                       { return KindUser }
func (o *User) ObjectName() string             { return o.Name }
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
func (*DeviceDefaults) Kind() Kind                      { return KindDeviceDefaults }
func (o *DeviceDefaults) ObjectName() string            { return o.Name }
func (*DeviceDefaults) Secrets() []*secret.String       { return nil }
func (*SIPDialRules) Kind() Kind                        { return KindSIPDialRules }
func (o *SIPDialRules) ObjectName() string              { return o.Name }
func (*SIPDialRules) Secrets() []*secret.String         { return nil }
func (*SoftkeyTemplate) Kind() Kind                     { return KindSoftkeyTemplate }
func (o *SoftkeyTemplate) ObjectName() string           { return o.Name }
func (*SoftkeyTemplate) Secrets() []*secret.String      { return nil }
func (*FeatureControlPolicy) Kind() Kind                { return KindFeatureControlPolicy }
func (o *FeatureControlPolicy) ObjectName() string      { return o.Name }
func (*FeatureControlPolicy) Secrets() []*secret.String { return nil }
func (*PhoneService) Kind() Kind                        { return KindPhoneService }
func (o *PhoneService) ObjectName() string              { return o.Name }
func (*PhoneService) Secrets() []*secret.String         { return nil }
func (*RingTone) Kind() Kind                            { return KindRingTone }
func (o *RingTone) ObjectName() string                  { return o.Name }
func (*RingTone) Secrets() []*secret.String             { return nil }
func (*Site) Kind() Kind                                { return KindSite }
func (o *Site) ObjectName() string                      { return o.Name }
func (*Site) Secrets() []*secret.String                 { return nil }
