package inventory

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/nearest"
)

// vendorKeys are the elements of vendorConfig that are published, each with what it may say: a list of
// words, or the name of a form in vendorForms.
var vendorKeys = map[string]string{
	"accessApps": "0 1", "accessContacts": "0 1 2", "accessFavorites": "0 1 2", "accessVoicemail": "0 1", "actionableAlert": "0 1",
	"adminConfigurableRinger": "0 1 2 3", "adminPassword": "text", "allCallsOnPrimary": "0 1", "appButtonPriority": "0 1 2", "appButtonTimer": "number",
	"applicationURL": "text", "autoCallSelect": "0 1", "autoSelectLineEnable": "0 1", "backlightIdleTimeout": "time", "backlightOnDuration": "time",
	"backlightOnTime": "time", "backlightOnWhenIncomingCall": "0 1", "bluetooth": "0 1", "bluetoothProfile": "list", "btpbap": "0 1", "bthfu": "0 1",
	"callParkMonitor": "0 1", "cdpEnable": "false true", "ciscoCamera": "0 1", "daysBacklightNotActive": "list", "daysDisplayNotActive": "list",
	"defaultWallpaperFile": "text", "detectCMConnectionFailure": "0 1", "dfBit": "0 1", "dialToneFromReleaseKey": "0 1", "disableSpeaker": "false true",
	"disableSpeakerAndHeadset": "false true", "disableTLSCiphers": "list", "displayIdleTimeout": "time", "displayOnDuration": "time", "displayOnTime": "time",
	"displayOnWhenIncomingCall": "0 1", "displayRefreshRate": "0 1", "eapAuthentication": "0 1", "ehookEnable": "0 1", "enableCdpPcPort": "0 1",
	"enableCdpSwPort": "0 1", "enableGroupListen": "false true 0 1", "enableLldpPcPort": "0 1", "enableLldpSwPort": "0 1", "enableMuteFeature": "false true 0 1",
	"fipsMode": "0 1", "forwardingDelay": "0 1", "g722CodecSupport": "0 1 2", "garp": "0 1", "handsetWidebandEnable": "0 1 2", "handsetWidebandUIControl": "0 1",
	"headsetWidebandEnable": "0 1 2", "headsetWidebandUIControl": "0 1", "hideVideoByDefault": "0 1", "holdResumeKey": "0 1", "homeScreen": "0 1",
	"incomingCallToastTimer": "number", "ipv6LoadServer": "text", "ipv6LogServer": "text", "joinAndDirectTransferPolicy": "number", "kemOneColumn": "0 1",
	"lineMode": "0 1", "lldpAssetId": "text", "loadServer": "text", "loggingDisplay": "0 1 2", "logServer": "text", "lowerYourVoiceAlert": "0 1",
	"markCallAsSpam": "0 1", "minimumRingVolume": "number", "moreKeyReversionTimer": "number", "outOfRangeAlert": "0 1 2 3 4", "pcPort": "0 1",
	"peerFirmwareSharing": "0 1", "powerNegotiation": "0 1", "powerOffWhenCharging": "0 1", "powerPriority": "number", "problemReportUploadURL": "text",
	"recentsSoftKey": "0 1", "recordingTone": "0 1", "recordingToneDuration": "number", "recordingToneLocalVolume": "number",
	"recordingToneRemoteVolume": "number", "rtcp": "0 1", "scanningMode": "0 1 2", "sdio": "0 1", "sendKeyAction": "0 1", "separateMute": "0 1",
	"settingsAccess": "0 1 2", "showCallHistoryForSelectedLine": "0 1", "simplifiedNewCall": "0 1", "softKeyControl": "0 1", "spanToPCPort": "0 1",
	"specialNumbers": "list", "sshAccess": "0 1", "sshPort": "number", "suppressCallInfoDisplay": "0 1", "tls12Only": "0 1", "usb1": "0 1", "usb2": "0 1",
	"usbClasses": "list", "useEnblocDialing": "0 1", "videoCapability": "0 1", "videoRtcp": "0 1", "voiceVlanAccess": "0 1", "webAccess": "0 1 2",
	"webAdmin": "0 1", "webProtocol": "0 1", "wifi": "0 1",
}

// vendorForms are the forms of values that are no single words.
var vendorForms = map[string]struct {
	form *regexp.Regexp
	hint string
}{
	"text":   {regexp.MustCompile(`^[^\x00-\x1f\x7f]{0,255}$`), "at most 255 characters"},
	"number": {regexp.MustCompile(`^[0-9]{0,5}$`), "a whole number"},
	"list":   {regexp.MustCompile(`^(?:[0-9]+(?:,[0-9]+)*)?$`), "numbers with commas between them, such as \"1,7\""},
	"time":   {regexp.MustCompile(`^(?:[0-9]{2}:[0-5][0-9])?$`), "hours and minutes, such as \"08:00\""},
}

// vendorConfig refuses keys and values that no phone knows: it would pass over them and nobody would see.
func (v *validation) vendorConfig(settings map[string]string) {
	for _, key := range slices.Sorted(maps.Keys(settings)) {
		value := settings[key]
		allowed, known := vendorKeys[key]
		if !known {
			hint := "keys that are not published go into a PhoneTemplate"
			if near := nearest.Word(key, slices.Collect(maps.Keys(vendorKeys))); near != "" {
				hint = fmt.Sprintf("did you mean %q?", near)
			}
			v.refuse("vendorConfig", hint, "%q is no setting that is known", key)
			continue
		}
		if form, ok := vendorForms[allowed]; ok {
			if !form.form.MatchString(value) {
				v.refuse("vendorConfig", form.hint, "%s: %q is not a value of it", key, value)
			}
			continue
		}
		if words := strings.Fields(allowed); !slices.Contains(words, value) {
			v.refuse("vendorConfig", "write one of: "+strings.Join(words, ", "), "%s: %q is not a value of it", key, value)
		}
	}
}
