package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// nmap with its script ssl-enum-ciphers: which versions of TLS a server speaks, all of them. documented: nmap, ssl-enum-ciphers
var (
	nmapFor     = compile(`^Nmap scan report for (\S+)`)
	nmapPort    = compile(`^(\d+)/tcp +(?:open|closed|filtered) `)
	nmapBegins  = compile(`^\|_? ?ssl-enum-ciphers: ?$`)
	nmapVersion = compile(`^\| +(SSLv3|TLSv1\.[0-3]): ?$`)
)

var _ = recognise(Recogniser{
	Format: "nmap's output",
	Marks:  []string{"nmap scan report for", "ssl-enum-ciphers"},
	New:    func(in *fact.Input) Reader { return &nmap{in: in} },
})

type nmap struct {
	in         *fact.Input
	host, port string
	begun      Line // of the script; none: Number is 0
	versions   []string
}

func (r *nmap) Line(l Line) bool {
	if m := nmapFor.FindStringSubmatch(l.Text); m != nil {
		r.host, r.port = m[1], ""
		return true
	}
	if m := nmapPort.FindStringSubmatch(l.Text); m != nil && r.host != "" {
		r.port = m[1]
		return true
	}
	if r.port == "" || !strings.HasPrefix(l.Text, "|") { // its scripts stand below the port
		r.port = ""
		return false
	}
	if nmapBegins.MatchString(l.Text) {
		r.begun, r.versions = l, nil
		return true
	}
	if m := nmapVersion.FindStringSubmatch(l.Text); m != nil && r.begun.Number > 0 {
		r.versions = append(r.versions, strings.TrimSuffix(m[1], ".0"))
	}
	if strings.HasPrefix(l.Text, "|_") && r.begun.Number > 0 { // to its end, so that what is missing is not there
		if len(r.versions) > 0 {
			r.in.Add(fact.GatewayVersions, r.begun.Number, r.begun.Raw+" "+strings.Join(r.versions, ", "), r.begun.Time,
				pairs("server", joinHost(r.host, r.port), "versions", strings.Join(r.versions, ","))...)
		}
		r.begun = Line{}
	}
	return true
}

func (r *nmap) End() {}
