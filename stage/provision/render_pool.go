package provision

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// notSecured is the deviceSecurityMode of signalling and media in clear: inside, or in the tunnel.
const notSecured = 1

func (r Renderer) pool(site inventory.Site) (cnf.DevicePool, error) {
	managers, err := callManagers(firstOf(site.CallManagers, r.CallManagers))
	return cnf.DevicePool{
		Name:         site.Name,
		DateTemplate: firstText(site.DateTemplate, defaultDateTemplate),
		TimeZone:     firstText(site.TimeZone, defaultTimeZone),
		NTPServers:   ntpServers(firstOf(site.NTPServers, r.NTPServers), firstText(site.NTPMode, "unicast")),
		CallManagers: managers,
	}, err
}

func ntpServers(hosts []string, mode string) []cnf.NTPServer {
	var servers []cnf.NTPServer
	for _, host := range hosts {
		servers = append(servers, cnf.NTPServer{Host: host, Mode: mode})
	}
	return servers
}

func firstOf(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return list
		}
	}
	return nil
}

func firstText(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// callManagers reads "host" and "host:port". The port is that of the phone's signalling, so it stands for
// both protocols.
func callManagers(names []string) ([]cnf.CallManager, error) {
	var managers []cnf.CallManager
	for _, name := range names {
		host, digits, hasPort := strings.Cut(name, ":")
		manager := cnf.CallManager{Host: host}
		if hasPort {
			port, err := strconv.ParseUint(digits, 10, 16)
			if err != nil || port == 0 {
				return nil, fmt.Errorf("call manager %q: %q is not a port", name, digits)
			}
			manager.SIPPort, manager.SCCPPort = int(port), int(port)
		}
		managers = append(managers, manager)
	}
	return managers, nil
}
