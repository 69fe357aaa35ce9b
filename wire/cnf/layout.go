package cnf

import (
	"cmp"
	"slices"
	"strconv"

	"github.com/beevik/etree"

	"github.com/longcord/longcord/internal/secret"
)

// Usual ports of a call manager.
const (
	sccpPort       = 2000
	sipPort        = 5060
	securedSIPPort = 5061
)

// layout is the file of one phone. The order is that of new files.
func (d *Device) layout(w *walk) {
	d.fullConfig(w)
	w.text("deviceProtocol", (*string)(&d.Protocol))
	d.Pool.layout(w.child("devicePool"))
	if c := optional(w, "vpnGroup", &d.VPN); c != nil {
		d.VPN.layout(c)
	}
	if c := optional(w, "sipProfile", &d.SIPProfile); c != nil {
		d.SIPProfile.layout(c)
	}
	d.Common.layout(w.child("commonProfile"))
	w.text("loadInformation", &d.Load)
	d.Vendor.layout(w.child("vendorConfig"))
	w.text("versionStamp", &d.VersionStamp)
	number(w, "deviceSecurityMode", &d.SecurityMode, 0)
	number(w, "transportLayerProtocol", &d.Transport, 0)
}

// fullConfig says in new files that this is the whole configuration and not the stub of an encrypted one.
func (d *Device) fullConfig(w *walk) {
	if w.writing && w.all {
		full := true
		w.truth("fullConfig", &full)
	}
}

func (p *DevicePool) layout(w *walk) {
	t := w.child("dateTimeSetting")
	t.text("dateTemplate", &p.DateTemplate)
	t.text("timeZone", &p.TimeZone)
	ntps := t.child("ntps")
	if w.writing && len(p.NTPServers) > 0 {
		ntps.element()
	}
	list(ntps, "ntp", ntps.elements("ntp"), &p.NTPServers, func(w *walk, _ int, server *string) {
		w.text("name", server)
		if w.writing && w.child("ntpMode").el == nil {
			mode := "unicast"
			w.text("ntpMode", &mode)
		}
	})
	callManagers(w, &p.CallManagers)
}

// callManagers is the group of call managers as it stands in both files.
func callManagers(w *walk, field *[]CallManager) {
	members := w.child("callManagerGroup").child("members")
	if w.writing && len(*field) > 0 {
		members.element()
	}
	byPriority := members.elements("member")
	slices.SortStableFunc(byPriority, func(a, b *etree.Element) int { return cmp.Compare(priority(a), priority(b)) })
	list(members, "member", byPriority, field, func(w *walk, i int, cm *CallManager) {
		if w.writing {
			w.el.CreateAttr("priority", strconv.Itoa(i))
		}
		cm.layout(w.child("callManager"))
	})
}

// priority is the place of a member; one without a number comes last.
func priority(member *etree.Element) int {
	n, err := strconv.Atoi(member.SelectAttrValue("priority", ""))
	if err != nil {
		return MaxCallManagers
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

func (p *SIPProfile) layout(w *walk) {
	w.child("sipProxies").truth("registerWithProxy", &p.RegisterWithProxy)
	p.Features.layout(w.child("sipCallFeatures"))
	p.Stack.layout(w.child("sipStack"))
	w.truth("enableVad", &p.EnableVAD)
	w.text("preferredCodec", &p.PreferredCodec)
	number(w, "dtmfAvtPayload", &p.DTMFPayload, 0)
	w.text("dtmfOutofBand", &p.DTMFOutOfBand)
	w.text("phoneLabel", &p.PhoneLabel)
	number(w, "startMediaPort", &p.StartMediaPort, 0)
	number(w, "stopMediaPort", &p.StopMediaPort, 0)
	w.truth("natEnabled", &p.NATEnabled)
	lines := w.child("sipLines")
	if w.writing && len(p.Lines) > 0 {
		lines.element()
	}
	list(lines, "line", lines.elements("line"), &p.Lines, func(w *walk, i int, line *Line) { line.layout(w, i) })
	number(w, "voipControlPort", &p.VoIPControlPort, 0)
	number(w, "dscpForAudio", &p.DSCPForAudio, 0)
	w.text("dialTemplate", &p.DialTemplate)
	w.text("softKeyFile", &p.SoftKeyFile)
}

func (f *SIPFeatures) layout(w *walk) {
	w.truth("cnfJoinEnabled", &f.ConferenceJoinEnabled)
	w.truth("rfc2543Hold", &f.RFC2543Hold)
	w.truth("localCfwdEnable", &f.LocalForwardEnable)
	w.truth("semiAttendedTransfer", &f.SemiAttendedTransfer)
	w.truth("remoteCcEnable", &f.RemoteCCEnable)
}

func (s *SIPStack) layout(w *walk) {
	number(w, "sipInviteRetx", &s.InviteRetransmits, 0)
	number(w, "sipRetx", &s.Retransmits, 0)
	number(w, "timerInviteExpires", &s.InviteExpires, 0)
	number(w, "timerRegisterExpires", &s.RegisterExpires, 0)
	number(w, "timerRegisterDelta", &s.RegisterDelta, 0)
	number(w, "timerKeepAliveExpires", &s.KeepAliveExpires, 0)
	number(w, "timerSubscribeExpires", &s.SubscribeExpires, 0)
	number(w, "timerSubscribeDelta", &s.SubscribeDelta, 0)
	number(w, "timerT1", &s.T1, 0)
	number(w, "timerT2", &s.T2, 0)
	number(w, "maxRedirects", &s.MaxRedirects, 0)
	w.truth("remotePartyID", &s.RemotePartyID)
}

func (l *Line) layout(w *walk, i int) {
	if w.writing && w.el.SelectAttr("button") == nil {
		w.el.CreateAttr("button", strconv.Itoa(i+1))
		w.el.CreateAttr("lineIndex", strconv.Itoa(i+1))
	}
	number(w, "featureID", &l.FeatureID, 0)
	w.text("featureLabel", &l.FeatureLabel)
	w.text("proxy", &l.Proxy)
	w.port("port", &l.Port, sipPort)
	w.text("name", &l.Name)
	w.text("displayName", &l.DisplayName)
	w.text("authName", &l.AuthName)
	w.secret("authPassword", &l.AuthPassword)
	w.text("contact", &l.Contact)
	number(w, "maxNumCalls", &l.MaxCalls, 0)
	number(w, "busyTrigger", &l.BusyTrigger, 0)
}

func (p *CommonProfile) layout(w *walk) {
	w.secret("phonePassword", &p.PhonePassword)
}

func (v *VendorConfig) layout(w *walk) {
	w.choice("webAccess", &v.WebAccess)
	w.choice("settingsAccess", &v.SettingsAccess)
	w.choice("sshAccess", &v.SSHAccess)
	w.choice("peerFirmwareSharing", &v.PeerFirmwareSharing)
	w.choice("detectCMConnectionFailure", &v.DetectCMConnectionFailure)
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
