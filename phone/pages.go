package phone

import (
	"cmp"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phoneweb"
)

// field is one row of a page in the three spellings that phones have. One without an element name is not in
// the XML.
type field struct {
	old, label, element string
	value               string
}

// fieldsOf returns the rows of a page.
func (p *Phone) fieldsOf(page phoneweb.Page) []field {
	file, now := p.newestFile(), p.panel.show()
	switch page {
	case phoneweb.DeviceInformation:
		return p.deviceFields(file)
	case phoneweb.NetworkSetup:
		return p.networkFields(file, now)
	case phoneweb.Stream(1):
		return streamFields(now)
	case phoneweb.AccessPort, phoneweb.NetworkPort:
		return []field{{"Port Speed", "Port speed", "PortSpeed", "Full, 1000"}, {"CDP Neighbor Device ID", "Neighbor device ID", "CDPNeighborDeviceId", ""}}
	case phoneweb.EthernetStatistics:
		return []field{{"Tx Frames", "Tx frames", "TxFrames", "0"}, {"Rx Frames", "Rx frames", "RxFrames", "0"}}
	case phoneweb.ConsoleLogs, phoneweb.CoreDumps, phoneweb.StatusMessages, phoneweb.DebugDisplay:
		return nil
	}
	return []field{{"Stream Status", "Stream status", "StreamStatus", "Not ready"}}
}

func (p *Phone) deviceFields(file *cnf.Device) []field {
	mac, load := strings.TrimPrefix(p.config.Name, "SEP"), cmp.Or(p.keptLoad(), noLoad)
	return []field{
		{"MAC Address", "MAC address", "MACAddress", mac},
		{"Host Name", "Host name", "HostName", p.config.Name},
		{"Phone DN", "Phone DN", "phoneDN", lineOf(file)},
		{"App Load ID", "App load ID", "appLoadID", load},
		{"Boot Load ID", "Boot load ID", "bootLoadID", ""},
		{"Version", "Version", "versionID", load},
		{"Hardware Revision", "Hardware revision", "hardwareRevision", "1.0"},
		{"Serial Number", "Serial number", "serialNumber", "LC" + mac},
		{"Model Number", "Model number", "modelNumber", p.config.Model.Name},
	}
}

// noLoad is the load of a phone that never fetched one: it is a program.
const noLoad = "longcord"

func lineOf(file *cnf.Device) string {
	if file == nil || file.SIPProfile == nil || len(file.SIPProfile.Lines) == 0 {
		return ""
	}
	return file.SIPProfile.Lines[0].Name
}

func (p *Phone) networkFields(file *cnf.Device, now shown) []field {
	servers := append(append([]string{}, p.config.Servers...), "")
	alternate := "Yes" // told its servers by hand, as a phone that is to leave the office must be
	if p.config.ByDHCP {
		alternate = "No"
	}
	fields := []field{
		{"MAC Address", "MAC address", "MACAddress", strings.TrimPrefix(p.config.Name, "SEP")},
		{"Host Name", "Host name", "HostName", p.config.Name},
		{"DHCP", "DHCP", "DHCPEnabled", "Yes"},
		{"IP Address", "IP address", "IPAddress", now.address},
		{"Alternate TFTP", "Alternate TFTP", "AltTFTP", alternate},
		{"TFTP Server 1", "TFTP server 1", "TFTPServer1", servers[0]},
		{"TFTP Server 2", "TFTP server 2", "TFTPServer2", servers[1]},
	}
	var managers []cnf.CallManager
	var urls cnf.URLs
	secured, web := "Non secure", "Yes"
	if file != nil {
		managers, urls = file.Pool.CallManagers, file.URLs
		if file.SecurityMode > 1 {
			secured = "Authenticated"
		}
		if value, ok := file.Setting("webAccess"); ok && value == "2" {
			web = "Read only"
		}
	}
	for i := range cnf.MaxCallManagers {
		host := ""
		if i < len(managers) {
			host = managers[i].Host
			if i == 0 && now.registered {
				host += "  Active"
			}
		}
		fields = append(fields, field{
			fmt.Sprintf("Unified CM %d", i+1), fmt.Sprintf("CUCM server%d", i+1), fmt.Sprintf("CallManager%d", i+1), host,
		})
	}
	return append(fields,
		field{"Information URL", "Information URL", "InformationURL", urls.Information},
		field{"Directories URL", "Directories URL", "DirectoriesURL", urls.Directory},
		field{"Services URL", "Services URL", "ServicesURL", urls.Services},
		field{"Authentication URL", "Authentication URL", "AuthenticationURL", urls.Authentication},
		field{"Security Mode", "Security mode", "SecurityMode", secured},
		field{"Web Access Enabled", "Web access enabled", "WebAccess", web},
		field{"CTL File", "CTL file", "CTLFile", p.installed(provision.SharedCTL)},
		field{"ITL File", "ITL file", "ITLFile", p.installed(provision.SharedITL)},
	)
}

// installed says whether the phone has a trust list.
func (p *Phone) installed(list string) string {
	if _, err := os.Stat(filepath.Join(p.config.StateDir, list)); err != nil {
		return "Not installed"
	}
	return "Installed"
}

func streamFields(now shown) []field {
	m := now.media
	return []field{
		{"Stream Status", "Stream status", "StreamStatus", now.streamed()},
		{"Host Name", "Host name", "Name", ""},
		{"Sender Packets", "Sender packets", "SenderPackets", fmt.Sprint(m.Sent)},
		{"Rcvr Packets", "Receiver packets", "RcvrPackets", fmt.Sprint(m.Received)},
		{"Rcvr Lost Packets", "Receiver lost packets", "RcvrLostPackets", fmt.Sprint(m.Lost)},
		{"Avg Jitter", "Avg jitter", "AvgJitter", jitter(m)},
		{"MOS LQK", "MOS LQK", "MOSLQK", mos(m)},
	}
}
