package provision

import (
	"fmt"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// sipProfile returns features, timers and ports as call managers hand them out, and the device's buttons.
func sipProfile(set *inventory.Set, device *inventory.Device, profile inventory.CommonPhoneProfile, model inventory.Model) (*cnf.SIPProfile, error) {
	p := &cnf.SIPProfile{
		Proxies: cnf.SIPProxies{RegisterWithProxy: true},
		Features: cnf.SIPFeatures{
			ConferenceJoinEnabled: true, LocalForwardEnable: true, SemiAttendedTransfer: true, RemoteCCEnable: true,
			ForwardURI: "x-cisco-serviceuri-cfwdall", PickupURI: "x-cisco-serviceuri-pickup", PickupListURI: "x-cisco-serviceuri-opickup",
			PickupGroupURI: "x-cisco-serviceuri-gpickup", MeetMeURI: "x-cisco-serviceuri-meetme", AbbreviatedDialURI: "x-cisco-serviceuri-abbrdial",
			HoldRingback: 1, URIDisplay: 1,
			AnonymousCallBlock: switchFor(model.Family, profile.AnonymousCallBlock), CallerIDBlocking: switchFor(model.Family, profile.CallerIDBlocking),
		},
		Stack: cnf.SIPStack{
			InviteRetransmits: 6, Retransmits: 10, InviteExpires: 180, RegisterExpires: 3600, RegisterDelta: 5,
			KeepAliveExpires: 120, SubscribeExpires: 120, SubscribeDelta: 5, T1: 500, T2: 4000, MaxRedirects: 70,
			RemotePartyID: true, UserInfo: "Phone",
		},
		AutoAnswerTimer: 1, AutoAnswerOverride: true, TransferOnHook: true, CallStats: true, FirstDigitTimer: 15000, CallWaitingSilence: 10,
		PreferredCodec: "none", DTMFPayload: 101, DTMFLevel: 3, DTMFOutOfBand: "avt",
		StartMediaPort: 16384, StopMediaPort: 32766, VoIPControlPort: 5060, DSCPForAudio: 184, DSCPForVideo: 136,
	}
	for _, number := range device.Lines {
		line, ok := set.Lines[number]
		if !ok {
			return nil, fmt.Errorf("line %q is not in the inventory", number)
		}
		p.Lines = append(p.Lines, sipLine(line, model))
	}
	if len(p.Lines) > 0 {
		p.PhoneLabel = shortened(p.Lines[0].Name, inventory.MaxPhoneLabel)
		p.ExternalNumberMask = set.Lines[device.Lines[0]].ExternalNumberMask
	}
	p.PhoneLabel = firstText(device.PhoneLabel, p.PhoneLabel)
	for i, position := range device.Positions() {
		p.Lines = append(p.Lines, button(set, device.Buttons[i], position))
	}
	return p, nil
}

func sipLine(line *inventory.Line, model inventory.Model) cnf.Line {
	most, busy := line.Calls()
	name := firstText(line.DisplayName, line.Name)
	rendered := cnf.Line{
		FeatureID:    cnf.FeatureLine,
		FeatureLabel: shortened(firstText(line.Label, name), inventory.MaxLabel),
		Proxy:        cnf.UseCallManager, Name: line.Name, DisplayName: name,
		AuthName: line.Name, AuthPassword: line.Secret, Contact: line.Name,
		CallWaiting: switchFor(model.Family, line.CallWaiting == nil || *line.CallWaiting),
		LampPolicy:  inventory.MessageWaitingPolicies[firstText(line.MessageWaiting, "Light and Prompt")],
		RingIdle:    inventory.RingSettingsIdle[firstText(line.RingSettingIdle, "Ring")],
		RingActive:  inventory.RingSettingsActive[firstText(line.RingSettingActive, "Beep Only")],
		AutoAnswer:  inventory.AutoAnswers[line.AutoAnswer], MessagesNumber: line.VoiceMail,
		ForwardInfo: cnf.ForwardInfo{CallerName: true, CallerNumber: true, RedirectedNumber: true, DialedNumber: true},
		MaxCalls:    most, BusyTrigger: busy,
	}
	if line.AudibleMessageWaiting {
		rendered.AudibleWaiting = 1
	}
	if rendered.AutoAnswer != 0 {
		rendered.AutoAnswerMode = "Auto Answer with " + line.AutoAnswer
	}
	return rendered
}

// button is a key that is no line.
func button(set *inventory.Set, said inventory.Button, position int) cnf.Line {
	rendered := cnf.Line{
		Button: position, FeatureID: inventory.ButtonFeatures[said.Feature].ID, SpeedDialNumber: said.Number,
		FeatureLabel: shortened(firstText(said.Label, said.Number, said.Service, said.Feature), inventory.MaxLabel),
	}
	if service, ok := set.PhoneServices[said.Service]; ok {
		rendered.ServiceURI = service.URL
	}
	if said.Pickup {
		rendered.FeatureOptions = 1
	}
	if rendered.FeatureID == cnf.FeatureCallParkBLF {
		rendered.Contact = said.Number
	}
	return rendered
}

func shortened(text string, limit int) string {
	if runes := []rune(text); len(runes) > limit {
		return string(runes[:limit])
	}
	return text
}
