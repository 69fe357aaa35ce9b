package inventory

// kinds lists every kind with its constructor, in the order of Kinds.
var kinds = []struct {
	kind Kind
	make func() Object
}{
	{KindCertificate, func() Object { return new(Certificate) }},
	{KindCertificateAuthority, func() Object { return new(CertificateAuthority) }},
	{KindAddressPool, func() Object { return new(AddressPool) }},
	{KindAccessList, func() Object { return new(AccessList) }},
	{KindGroupPolicy, func() Object { return new(GroupPolicy) }},
	{KindAAAServer, func() Object { return new(AAAServer) }},
	{KindTunnelGroup, func() Object { return new(TunnelGroup) }},
	{KindVPNGateway, func() Object { return new(VPNGateway) }},
	{KindVPNGroup, func() Object { return new(VPNGroup) }},
	{KindVPNFeatureConfiguration, func() Object { return new(VPNFeatureConfiguration) }},
	{KindVPNProfile, func() Object { return new(VPNProfile) }},
	{KindPhoneModel, func() Object { return new(PhoneModel) }},
	{KindDeviceDefaults, func() Object { return new(DeviceDefaults) }},
	{KindSIPDialRules, func() Object { return new(SIPDialRules) }},
	{KindSoftkeyTemplate, func() Object { return new(SoftkeyTemplate) }},
	{KindFeatureControlPolicy, func() Object { return new(FeatureControlPolicy) }},
	{KindPhoneService, func() Object { return new(PhoneService) }},
	{KindRingTone, func() Object { return new(RingTone) }},
	{KindPhoneTemplate, func() Object { return new(PhoneTemplate) }},
	{KindCommonPhoneProfile, func() Object { return new(CommonPhoneProfile) }},
	{KindSite, func() Object { return new(Site) }},
	{KindDevice, func() Object { return new(Device) }},
	{KindLine, func() Object { return new(Line) }},
	{KindUser, func() Object { return new(User) }},
}

// Kinds returns every kind, in the order of files: what is referred to comes before what refers to it.
func Kinds() []Kind {
	all := make([]Kind, len(kinds))
	for i, k := range kinds {
		all[i] = k.kind
	}
	return all
}

// New returns an empty object of a kind, or false when there is no such kind.
func New(kind Kind) (Object, bool) {
	for _, k := range kinds {
		if k.kind == kind {
			return k.make(), true
		}
	}
	return nil, false
}
