package asa

import (
	"regexp"
	"strings"
)

// Field is one `Label : value` of a table that show prints.
type Field struct{ Label, Value string }

// labels are those of show vpn-sessiondb, which stand in one or two columns and which terminals or web pages may
// have put on one line.
var labels = regexp.MustCompile(`(?:^|\s)(Username|Index|Assigned IP(?:v6)?|Public IP(?:v6)?|Protocol|License|Encryption|Hashing|Encapsulation|` +
	`Bytes Tx|Bytes Rx|Pkts Tx(?: Drop)?|Pkts Rx(?: Drop)?|Group Policy|Tunnel Group|Login Time|Duration|Inactivity|NAC Result|VLAN Mapping|VLAN|` +
	`Audt Sess ID|Security Grp|Tunnel Zone|Tunnel ID|TCP Src Port|TCP Dst Port|UDP Src Port|UDP Dst Port|Auth Mode|Idle Time Out|Idle TO Left|` +
	`Client OS(?: Ver| Type)?|Client Type|Client Ver|Filter Name|Conn Time Out|Conn TO Left|Session Type) *: ?`)

// Fields parts a line of a table of sessions. A line without a known label has none.
func Fields(line string) (all []Field) {
	found := labels.FindAllStringSubmatchIndex(line, -1)
	for i, f := range found {
		end := len(line)
		if i+1 < len(found) {
			end = found[i+1][0]
		}
		all = append(all, Field{line[f[2]:f[3]], strings.TrimSpace(line[f[1]:end])})
	}
	return all
}

// Licence is a line of the table of licensed features in show version.
type Licence struct {
	Name, Value string
	Rest        string // perpetual, or how long it lasts
}

var licence = regexp.MustCompile(`^\s*((?:AnyConnect|SSL VPN|WebVPN|Secure Client|Total VPN|Other VPN|VPN Peers|Shared)[A-Za-z /-]*?|[A-Z][A-Za-z0-9 /-]{3,40}?) *: *(Enabled|Disabled|ENABLED|DISABLED|Unlimited|\d+)\b *(.*?)\s*$`)

// ParseLicence reads such a line; ok is false when it is none.
func ParseLicence(line string) (l Licence, ok bool) {
	m := licence.FindStringSubmatch(line)
	if m == nil {
		return l, false
	}
	return Licence{m[1], m[2], m[3]}, true
}
