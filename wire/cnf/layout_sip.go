package cnf

import "strconv"

func (p *SIPProfile) layout(w *walk) {
	p.Proxies.layout(w.child("sipProxies"))
	p.Features.layout(w.child("sipCallFeatures"))
	p.Stack.layout(w.child("sipStack"))
	number(w, "autoAnswerTimer", &p.AutoAnswerTimer, 0)
	w.truth("autoAnswerAltBehavior", &p.AutoAnswerAltBehaviour)
	w.truth("autoAnswerOverride", &p.AutoAnswerOverride)
	w.truth("transferOnhookEnabled", &p.TransferOnHook)
	w.truth("enableVad", &p.EnableVAD)
	w.text("preferredCodec", &p.PreferredCodec)
	number(w, "dtmfAvtPayload", &p.DTMFPayload, 0)
	number(w, "dtmfDbLevel", &p.DTMFLevel, 0)
	w.text("dtmfOutofBand", &p.DTMFOutOfBand)
	w.truth("alwaysUsePrimeLine", &p.AlwaysPrimeLine)
	w.truth("alwaysUsePrimeLineVoiceMail", &p.AlwaysPrimeVoiceMail)
	number(w, "kpml", &p.KPML, 0)
	w.text("phoneLabel", &p.PhoneLabel)
	number(w, "stutterMsgWaiting", &p.StutterMessageWaiting, 0)
	w.truth("callStats", &p.CallStats)
	number(w, "offhookToFirstDigitTimer", &p.FirstDigitTimer, 0)
	number(w, "silentPeriodBetweenCallWaitingBursts", &p.CallWaitingSilence, 0)
	w.truth("disableLocalSpeedDialConfig", &p.LocalSpeedDialsOff)
	number(w, "startMediaPort", &p.StartMediaPort, 0)
	number(w, "stopMediaPort", &p.StopMediaPort, 0)
	w.truth("natEnabled", &p.NATEnabled)
	w.truth("natReceivedProcessing", &p.NATReceived)
	w.text("natAddress", &p.NATAddress)
	lines := w.child("sipLines")
	if w.writing && len(p.Lines) > 0 {
		lines.element()
	}
	list(lines, "line", lines.elements("line"), &p.Lines, func(w *walk, i int, line *Line) { line.layout(w, i) })
	w.text("externalNumberMask", &p.ExternalNumberMask)
	number(w, "voipControlPort", &p.VoIPControlPort, 0)
	number(w, "dscpForAudio", &p.DSCPForAudio, 0)
	number(w, "dscpVideo", &p.DSCPForVideo, 0)
	number(w, "ringSettingBusyStationPolicy", &p.BusyRingPolicy, 0)
	w.text("dialTemplate", &p.DialTemplate)
	w.text("softKeyFile", &p.SoftKeyFile)
}

func (p *SIPProxies) layout(w *walk) {
	w.truth("registerWithProxy", &p.RegisterWithProxy)
	w = w.sparse()
	w.text("backupProxy", &p.BackupProxy)
	w.text("backupProxyPort", &p.BackupProxyPort)
	w.text("emergencyProxy", &p.EmergencyProxy)
	w.text("emergencyProxyPort", &p.EmergencyProxyPort)
	w.text("outboundProxy", &p.OutboundProxy)
	w.text("outboundProxyPort", &p.OutboundProxyPort)
}

func (f *SIPFeatures) layout(w *walk) {
	w.truth("cnfJoinEnabled", &f.ConferenceJoinEnabled)
	w.text("callForwardURI", &f.ForwardURI)
	w.text("callPickupURI", &f.PickupURI)
	w.text("callPickupListURI", &f.PickupListURI)
	w.text("callPickupGroupURI", &f.PickupGroupURI)
	w.text("meetMeServiceURI", &f.MeetMeURI)
	w.text("abbreviatedDialURI", &f.AbbreviatedDialURI)
	w.truth("rfc2543Hold", &f.RFC2543Hold)
	number(w, "callHoldRingback", &f.HoldRingback, 0)
	w.truth("localCfwdEnable", &f.LocalForwardEnable)
	w.truth("semiAttendedTransfer", &f.SemiAttendedTransfer)
	number(w, "anonymousCallBlock", &f.AnonymousCallBlock, 0)
	number(w, "callerIdBlocking", &f.CallerIDBlocking, 0)
	number(w, "dndControl", &f.DNDControl, 0)
	w.truth("remoteCcEnable", &f.RemoteCCEnable)
	w.truth("retainForwardInformation", &f.RetainForwardInfo)
	number(w, "uriDialingDisplayPreference", &f.URIDisplay, 0)
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
	w.text("userInfo", &s.UserInfo)
}

func (l *Line) layout(w *walk, i int) {
	l.attributes(w, i)
	number(w, "featureID", &l.FeatureID, 0)
	w.text("featureLabel", &l.FeatureLabel)
	l.caller(w.sparseUnless(l.calls()))
	w = w.sparse()
	w.text("recordingOption", &l.RecordingOption)
	w.text("speedDialNumber", &l.SpeedDialNumber)
	number(w, "speedDialIndex", &l.SpeedDialIndex, 0)
	number(w, "featureOptionMask", &l.FeatureOptions, 0)
	w.text("serviceURI", &l.ServiceURI)
	w.text("secureServiceURI", &l.SecureServiceURI)
	w.text("retrievalPrefix", &l.RetrievalPrefix)
}

// attributes are the button's number and, for lines, which line it is.
func (l *Line) attributes(w *walk, i int) {
	if !w.writing {
		l.Button, l.LineIndex = attribute(w.el, "button", 0), attribute(w.el, "lineIndex", 0)
		return
	}
	button, index := l.Button, l.LineIndex
	if button == 0 {
		button = attribute(w.el, "button", i+1)
	}
	if index == 0 && l.calls() {
		index = attribute(w.el, "lineIndex", button)
	}
	if attribute(w.el, "button", 0) != button {
		w.el.CreateAttr("button", strconv.Itoa(button))
	}
	if attribute(w.el, "lineIndex", 0) != index {
		w.el.CreateAttr("lineIndex", strconv.Itoa(index))
	}
}

// caller is what a button has that makes calls of its own.
func (l *Line) caller(w *walk) {
	w.text("proxy", &l.Proxy)
	w.port("port", &l.Port, sipPort)
	w.text("name", &l.Name)
	w.text("displayName", &l.DisplayName)
	answer := w.child("autoAnswer")
	number(answer, "autoAnswerEnabled", &l.AutoAnswer, 0)
	answer.sparse().text("autoAnswerMode", &l.AutoAnswerMode)
	number(w, "callWaiting", &l.CallWaiting, 0)
	w.text("authName", &l.AuthName)
	w.secret("authPassword", &l.AuthPassword)
	w.text("contact", &l.Contact)
	w.truth("sharedLine", &l.SharedLine)
	number(w, "messageWaitingLampPolicy", &l.LampPolicy, 0)
	number(w, "messageWaitingAMWI", &l.AudibleWaiting, 0)
	w.text("messagesNumber", &l.MessagesNumber)
	number(w, "ringSettingIdle", &l.RingIdle, 0)
	number(w, "ringSettingActive", &l.RingActive, 0)
	info := w.child("forwardCallInfoDisplay")
	info.truth("callerName", &l.ForwardInfo.CallerName)
	info.truth("callerNumber", &l.ForwardInfo.CallerNumber)
	info.truth("redirectedNumber", &l.ForwardInfo.RedirectedNumber)
	info.truth("dialedNumber", &l.ForwardInfo.DialedNumber)
	number(w, "maxNumCalls", &l.MaxCalls, 0)
	number(w, "busyTrigger", &l.BusyTrigger, 0)
}
