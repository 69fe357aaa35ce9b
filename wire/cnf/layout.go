package cnf

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/beevik/etree"

	"github.com/longcord/longcord/internal/secret"
)

// Usual ports.
const (
	sccpPort       = 2000
	sipPort        = 5060
	securedSIPPort = 5061
	tvsPort        = 2445
	capfPort       = 3804
)

// layout is the file of one phone. The order is that of new files.
func (d *Device) layout(w *walk) {
	d.fullConfig(w)
	w.text("deviceProtocol", (*string)(&d.Protocol))
	d.IP.layout(w)
	d.Pool.layout(w.child("devicePool"))
	tvsServers(w, &d.TVS)
	if c := optional(w, "vpnGroup", &d.VPN); c != nil {
		d.VPN.layout(c)
	}
	if c := optional(w, "sipProfile", &d.SIPProfile); c != nil {
		d.SIPProfile.layout(c)
	}
	w.text("MissedCallLoggingOption", &d.Calls.MissedCallLogging)
	w.text("featurePolicyFile", &d.FeaturePolicyFile)
	d.Common.layout(w.child("commonProfile"))
	d.Enterprise.layout(w, "enterpriseConfig")
	d.CommonConfig.layout(w, "commonConfig")
	d.Vendor.layout(w, "vendorConfig")
	w.text("versionStamp", &d.VersionStamp)
	w.text("loadInformation", &d.Load)
	w.text("inactiveLoadInformation", &d.InactiveLoad)
	addOnModules(w, &d.AddOnModules)
	if c := optional(w, "phoneServices", &d.Services); c != nil {
		d.Services.layout(c)
	}
	d.locales(w)
	number(w, "deviceSecurityMode", &d.SecurityMode, 0)
	d.URLs.layout(w)
	number(w, "transportLayerProtocol", &d.Transport, 0)
	number(w, "TLSResumptionTimer", &d.TLSResumption, 0)
	d.Calls.layout(w)
	d.sccpMarks(w)
	number(w, "capfAuthMode", &d.CAPFAuthMode, 0)
	capfServers(w, &d.CAPF)
	w.text("certHash", &d.EncryptionKey)
	w.truth("encrConfig", &d.Encrypted)
	w.text("userId", &d.Calls.UserID)
	w.text("ownerId", &d.Calls.OwnerID)
	w.text("sshUserId", &d.SSHUser)
	w.secret("sshPassword", &d.SSHPassword)
}

// fullConfig says in new files whether this is the whole configuration or the stub of an encrypted one.
func (d *Device) fullConfig(w *walk) {
	full := !d.Partial
	carry(w, "fullConfig", &full, true, parseTruth, strconv.FormatBool)
	d.Partial = !full
}

func (ip *IPSettings) layout(w *walk) {
	number(w, "ipAddressMode", &ip.AddressMode, 0)
	w.truth("allowAutoConfig", &ip.AllowAutoConfig)
	w.truth("dadEnable", &ip.DADEnable)
	w.truth("redirectEnable", &ip.RedirectEnable)
	w.truth("echoMultiEnable", &ip.EchoMultiEnable)
	number(w, "ipPreferenceModeControl", &ip.SignallingFamily, 0)
	number(w, "ipMediaAddressFamilyPreference", &ip.MediaFamilyPrefer, 0)
}

func (p *DevicePool) layout(w *walk) {
	number(w, "revertPriority", &p.RevertPriority, 0)
	w.text("name", &p.Name)
	t := w.child("dateTimeSetting")
	t.text("dateTemplate", &p.DateTemplate)
	t.text("timeZone", &p.TimeZone)
	ntps := t.child("ntps")
	if w.writing && len(p.NTPServers) > 0 {
		ntps.element()
	}
	list(ntps, "ntp", ntps.elements("ntp"), &p.NTPServers, func(w *walk, _ int, server *NTPServer) {
		w.text("name", &server.Host)
		if mode := server.Mode; w.writing && mode == "" && w.child("ntpMode").el == nil {
			mode = "unicast"
			w.text("ntpMode", &mode)
			return
		}
		w.text("ntpMode", &server.Mode)
	})
	callManagers(w, &p.CallManagers)
	if c := optional(w, "srstInfo", &p.SRST); c != nil {
		p.SRST.layout(c)
	}
	number(w.sparse(), "connectionMonitorDuration", &p.ConnectionMonitor, 0)
}

// callManagers is the group of call managers as it stands in both files.
func callManagers(w *walk, field *[]CallManager) {
	members := w.child("callManagerGroup").child("members")
	prioritized(members, field, MaxCallManagers, func(w *walk, cm *CallManager) { cm.layout(w.child("callManager")) })
}

func tvsServers(w *walk, field *[]TVSServer) {
	tvs := w.child("TVS")
	if w.writing && w.all && len(*field) == 0 {
		return
	}
	prioritized(tvs.child("members"), field, MaxTVS, func(w *walk, s *TVSServer) {
		w.port("port", &s.Port, tvsPort)
		w.text("address", &s.Host)
	})
}

// prioritized carries members with a priority, the lowest first.
func prioritized[T any](members *walk, field *[]T, last int, each func(*walk, *T)) {
	if members.writing && len(*field) > 0 {
		members.element()
	}
	byPriority := members.elements("member")
	slices.SortStableFunc(byPriority, func(a, b *etree.Element) int {
		return cmp.Compare(attribute(a, "priority", last), attribute(b, "priority", last))
	})
	list(members, "member", byPriority, field, func(w *walk, i int, item *T) {
		if w.writing {
			w.el.CreateAttr("priority", strconv.Itoa(i))
		}
		each(w, item)
	})
}

// attribute is a number in an attribute; where there is none it is absent.
func attribute(el *etree.Element, name string, absent int) int {
	n, err := strconv.Atoi(el.SelectAttrValue(name, ""))
	if err != nil {
		return absent
	}
	return n
}

func (cm *CallManager) layout(w *walk) {
	ports := w.child("ports")
	ports.port("ethernetPhonePort", &cm.SCCPPort, sccpPort)
	ports.port("sipPort", &cm.SIPPort, sipPort)
	ports.port("securedSipPort", &cm.SecuredSIPPort, securedSIPPort)
	w.text("processNodeName", &cm.Host)
}

func (s *SRST) layout(w *walk) {
	w.text("name", &s.Name)
	w.text("srstOption", &s.Option)
	w.truth("userModifiable", &s.UserModifiable)
	for i := range s.Servers {
		n := strconv.Itoa(i + 1)
		w.text("ipAddr"+n, &s.Servers[i].Address)
		w.text("port"+n, &s.Servers[i].Port)
	}
	for i := range s.Servers {
		n := strconv.Itoa(i + 1)
		w.text("sipIpAddr"+n, &s.Servers[i].SIPAddress)
		w.text("sipPort"+n, &s.Servers[i].SIPPort)
	}
	w.truth("isSecure", &s.Secure)
}

func (g *VPNGroup) layout(w *walk) {
	usual := NewVPNGroup()
	number(w, "mtu", &g.MTU, usual.MTU)
	number(w, "failConnectTime", &g.FailConnectTime, usual.FailConnectTime)
	number(w, "authMethod", &g.AuthMethod, usual.AuthMethod)
	w.flag("pswdPersistent", &g.PasswordPersistent, usual.PasswordPersistent)
	w.flag("autoNetDetect", &g.AutoNetDetect, usual.AutoNetDetect)
	w.flag("enableHostIDCheck", &g.EnableHostIDCheck, usual.EnableHostIDCheck)
	w.child("addresses").numbered("url", &g.URLs, MaxURLs)
	credentials := w.child("credentials")
	number(credentials, "hashAlg", &g.HashAlgorithm, HashSHA1)
	credentials.numbered("certHash", &g.CertificateHashes, MaxHashes)
}

func (p *CommonProfile) layout(w *walk) {
	w.secret("phonePassword", &p.PhonePassword)
	w.truth("backgroundImageAccess", &p.BackgroundImageAccess)
	w.sparse().text("defaultBackground", &p.DefaultBackground)
	number(w, "callLogBlfEnabled", &p.CallLogBLF, 0)
}

// layout carries every plain element of the part called name; elements that hold others stay as they are.
func (s *Settings) layout(w *walk, name string) {
	c := w.child(name)
	var plain []*etree.Element
	if c.el != nil {
		for _, el := range c.el.ChildElements() {
			if len(el.ChildElements()) == 0 {
				plain = append(plain, el)
			}
		}
	}
	if !w.writing {
		*s = nil
		for _, el := range plain {
			*s = append(*s, Setting{el.FullTag(), (&walk{el: el}).content()})
		}
		return
	}
	kept := map[*etree.Element]bool{}
	for i := range *s {
		setting := &(*s)[i]
		at := slices.IndexFunc(plain, func(el *etree.Element) bool { return el.FullTag() == setting.Key && !kept[el] })
		if at < 0 {
			el := c.element().CreateElement(setting.Key)
			el.SetText(setting.Value)
			kept[el] = true
			continue
		}
		kept[plain[at]] = true
		if held := (&walk{el: plain[at]}).content(); held != setting.Value {
			plain[at].SetText(setting.Value)
		}
	}
	for _, el := range plain {
		if !kept[el] {
			c.el.RemoveChild(el)
		}
	}
}

func addOnModules(w *walk, field *[]AddOnModule) {
	if w.writing && w.all && len(*field) == 0 {
		return
	}
	modules := w.child("addOnModules")
	list(modules, "addOnModule", modules.elements("addOnModule"), field, func(w *walk, i int, m *AddOnModule) {
		if w.writing {
			w.el.CreateAttr("idx", strconv.Itoa(i+1))
		}
		w.text("deviceType", &m.Type)
		number(w, "deviceLine", &m.Lines, 0)
		w.text("loadInformation", &m.Load)
	})
}

func (p *PhoneServices) layout(w *walk) {
	if w.writing && (w.all || p.UseHTTPS != (w.el.SelectAttrValue("useHTTPS", "") == "true")) {
		w.el.CreateAttr("useHTTPS", strconv.FormatBool(p.UseHTTPS))
	}
	if !w.writing {
		p.UseHTTPS = w.el.SelectAttrValue("useHTTPS", "") == "true"
	}
	number(w, "provisioning", &p.Provisioning, 0)
	list(w, "phoneService", w.elements("phoneService"), &p.Services, func(w *walk, _ int, s *PhoneService) {
		w.number("type", &s.Type)
		w.number("category", &s.Category)
		w.text("name", &s.Name)
		w.text("url", &s.URL)
		w.text("vendor", &s.Vendor)
		w.text("version", &s.Version)
	})
}

// number carries a number in an attribute; absent stands for 0.
func (w *walk) number(name string, field *int) {
	held := attribute(w.el, name, 0)
	switch {
	case !w.writing:
		*field = held
	case held != *field || w.all:
		w.el.CreateAttr(name, strconv.Itoa(*field))
	}
}

func (d *Device) locales(w *walk) {
	if c := optional(w, "userLocale", &d.UserLocale); c != nil {
		c.text("name", &d.UserLocale.Name)
		c.sparse().text("uid", &d.UserLocale.ID)
		c.text("langCode", &d.UserLocale.Language)
		c.text("version", &d.UserLocale.Version)
		c.text("winCharSet", &d.UserLocale.Charset)
	}
	w.sparse().text("networkLocale", &d.Tones)
	if c := optional(w, "networkLocaleInfo", &d.NetworkLocale); c != nil {
		c.text("name", &d.NetworkLocale.Name)
		c.sparse().text("uid", &d.NetworkLocale.ID)
		c.text("version", &d.NetworkLocale.Version)
	}
}

func (u *URLs) layout(w *walk) {
	number(w, "idleTimeout", &u.IdleTimeout, 0)
	for _, url := range []struct {
		name  string
		field *string
	}{
		{"authenticationURL", &u.Authentication}, {"messagesURL", &u.Messages}, {"servicesURL", &u.Services},
		{"directoryURL", &u.Directory}, {"idleURL", &u.Idle}, {"informationURL", &u.Information}, {"proxyServerURL", &u.Proxy},
		{"secureAuthenticationURL", &u.SecureAuthentication}, {"secureMessagesURL", &u.SecureMessages},
		{"secureServicesURL", &u.SecureServices}, {"secureDirectoryURL", &u.SecureDirectory},
		{"secureInformationURL", &u.SecureInformation}, {"secureIdleURL", &u.SecureIdle},
	} {
		w.text(url.name, url.field)
	}
}

func (f *CallFeatures) layout(w *walk) {
	number(w, "phonePersonalization", &f.PhonePersonalization, 0)
	w.truth("autoCallPickupEnable", &f.AutoCallPickup)
	number(w, "blfAudibleAlertSettingOfIdleStation", &f.BLFAlertIdle, 0)
	number(w, "blfAudibleAlertSettingOfBusyStation", &f.BLFAlertBusy, 0)
	number(w, "dndCallAlert", &f.DNDCallAlert, 0)
	number(w, "dndReminderTimer", &f.DNDReminderTimer, 0)
	number(w, "advertiseG722Codec", &f.AdvertiseG722, 0)
	number(w, "rollover", &f.Rollover, 0)
	number(w, "joinAcrossLines", &f.JoinAcrossLines, 0)
	number(w, "singleButtonBarge", &f.SingleButtonBarge, 0)
}

// sccpMarks are elements of the top that only SCCP loads have.
func (d *Device) sccpMarks(w *walk) {
	if d.SCCPMarks == nil && w.writing {
		return
	}
	var marks SCCPMarks
	if d.SCCPMarks != nil {
		marks = *d.SCCPMarks
	}
	number(w, "dscpForSCCPPhoneConfig", &marks.PhoneConfig, 0)
	number(w, "dscpForSCCPPhoneServices", &marks.PhoneServices, 0)
	number(w, "dscpForCm2Dvce", &marks.CallManager, 0)
	if !w.writing && marks != (SCCPMarks{}) {
		d.SCCPMarks = &marks
	}
}

func capfServers(w *walk, field *[]CAPF) {
	if w.writing && w.all && len(*field) == 0 {
		return
	}
	c := w.child("capfList")
	var servers []*etree.Element
	if c.el != nil {
		for _, el := range c.el.ChildElements() {
			if el.Tag == "capf" || el.Tag == "capf6" {
				servers = append(servers, el)
			}
		}
	}
	list(c, "capf", servers, field, func(w *walk, _ int, s *CAPF) {
		if w.writing {
			w.el.Tag = "capf"
			if s.IPv6 {
				w.el.Tag = "capf6"
			}
		}
		s.IPv6 = w.el.Tag == "capf6"
		w.port("phonePort", &s.Port, capfPort)
		w.text("processNodeName", &s.Host)
	})
}

func (w *walk) secret(name string, field *secret.String) {
	plain := field.Reveal()
	w.text(name, &plain)
	if !w.writing {
		*field = secret.New(plain)
	}
}

// layout is the file of phones that have none.
func (d *Default) layout(w *walk) {
	callManagers(w, &d.CallManagers)
	var loads []*etree.Element
	if w.el != nil {
		for _, el := range w.el.ChildElements() {
			if _, ok := deviceType(el.Tag); ok {
				loads = append(loads, el)
			}
		}
	}
	list(w, loadPrefix, loads, &d.Loads, func(w *walk, _ int, load *DefaultLoad) { load.layout(w) })
	w.text("versionStamp", &d.VersionStamp)
}

func (l *DefaultLoad) layout(w *walk) {
	if w.writing {
		w.el.Tag = loadPrefix + strconv.Itoa(l.DeviceType)
		w.el.CreateAttr("model", l.Model)
		w.el.SetText(l.Load)
		return
	}
	l.DeviceType, _ = deviceType(w.el.Tag)
	l.Model, l.Load = w.el.SelectAttrValue("model", ""), w.content()
}

const loadPrefix = "loadInformation"

// deviceType reads the number at the end of an element such as loadInformation684.
func deviceType(tag string) (int, bool) {
	if len(tag) <= len(loadPrefix) || tag[:len(loadPrefix)] != loadPrefix {
		return 0, false
	}
	n, err := strconv.Atoi(tag[len(loadPrefix):])
	return n, err == nil && n >= 0
}
