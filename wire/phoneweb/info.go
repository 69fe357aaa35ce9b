package phoneweb

import (
	"fmt"
	"strings"
)

// Info is what is worth knowing of a phone, as far as its pages tell. Empty: they do not.
type Info struct {
	Model        string `json:"model,omitempty"` // such as CP-8861
	Load         string `json:"load,omitempty"`
	SerialNumber string `json:"serial_number,omitempty"`
	MAC          string `json:"mac,omitempty"` // twelve hex digits
	HostName     string `json:"host_name,omitempty"`
	Number       string `json:"number,omitempty"` // directory number

	IPAddress     string        `json:"ip_address,omitempty"` // of the tunnel, while the phone is in one
	TFTPServers   [2]string     `json:"tftp_servers"`         // TFTP Server 1 and 2
	AlternateTFTP string        `json:"alternate_tftp,omitempty"`
	CallManagers  []CallManager `json:"call_managers,omitempty"`

	CTL               string `json:"ctl,omitempty"` // Installed, Not installed, or a hash
	ITL               string `json:"itl,omitempty"`
	ITLSignature      string `json:"itl_signature,omitempty"` // SHA-1 in hex digits
	SecurityMode      string `json:"security_mode,omitempty"`
	WebAccess         string `json:"web_access,omitempty"`
	AuthenticationURL string `json:"authentication_url,omitempty"`
}

// CallManager is one call manager of a phone's list.
type CallManager struct {
	Host  string `json:"host"`
	State string `json:"state,omitempty"` // Active, Standby or nothing
}

// HasAlternateTFTP reports whether the phone takes its TFTP servers from its own menu rather than from DHCP,
// and whether its page says so at all.
func (i Info) HasAlternateTFTP() (yes, known bool) {
	return strings.EqualFold(i.AlternateTFTP, "yes"), i.AlternateTFTP != ""
}

// ReadInfo reads the pages of device information and network setup; either may be missing.
func ReadInfo(device, network Rows) Info {
	both := append(append(Rows{}, device...), network...)
	value := func(labels ...string) string {
		text, _ := both.Value(labels...)
		return text
	}
	info := Info{
		Model: value("Model Number"), Load: value("App Load ID", "Active Load ID", "Version", "versionID"), SerialNumber: value("Serial Number"),
		MAC: strings.ToUpper(plain(value("MAC Address"))), HostName: value("Host Name"), Number: value("Phone DN"),
		IPAddress: value("IP Address"), TFTPServers: [2]string{value("TFTP Server 1"), value("TFTP Server 2")},
		AlternateTFTP: value("Alternate TFTP", "AltTFTP"),
		CTL:           value("CTL file"), ITL: value("ITL file"), ITLSignature: strings.ToUpper(strings.ReplaceAll(value("ITL signature"), " ", "")),
		SecurityMode: value("Security Mode"), WebAccess: value("Web Access Enabled", "Web Access"), AuthenticationURL: value("Authentication URL"),
	}
	for n := 1; n <= 5; n++ {
		var labels []string
		for _, format := range []string{"Unified CM%d", "CUCM server%d", "CallManager%d", "Call Manager%d"} {
			labels = append(labels, fmt.Sprintf(format, n))
		}
		if manager, ok := callManager(value(labels...)); ok {
			info.CallManagers = append(info.CallManagers, manager)
		}
	}
	return info
}

// callManager reads "cucm.example.com Active".
func callManager(text string) (CallManager, bool) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return CallManager{}, false
	}
	manager := CallManager{Host: words[0]}
	if state := words[len(words)-1]; len(words) > 1 && (state == "Active" || state == "Standby") {
		manager.State = state
	}
	return manager, true
}
