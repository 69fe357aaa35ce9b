package read

import (
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// CUCM's `show itl`, `show ctl` and `utils service list`: docs/wire/gateway-logs.md#cucms-commands.
var (
	listVerified = compile(`^\s*The (ITL|CTL) [Ff]ile was verified successfully`)
	listBroken   = compile(`^\s*Verification of the (ITL|CTL) [Ff]ile failed`)
	cucmService  = compile(`^\s*(Cisco (?:Tftp|CallManager|Trust Verification Service|Certificate Authority Proxy Function)) ?\[(STARTED|STOPPED)\]\s*(.*?)\s*$`)
	otherService = compile(`^\s*(?:Cisco|System|SNMP|Host|MIB2?|A Cisco|Cluster|Name|Entropy|Service) [\w /().-]*? ?\[(?:STARTED|STOPPED|STARTING|STOPPING)\]`)
	listShown    = compile(`^\s*(?:\S*:? ?show (?:itl|ctl)\b|Length of (?:ITL|CTL) file|The (?:ITL|CTL) File was last modified|The checksum value of the (?:ITL|CTL)|Parse (?:ITL|CTL) File|` +
		`BYTEPOS\s+TAG|(?:ITL|CTL) Record #|Error parsing the (?:ITL|CTL) File|\d{1,2}\s+(?:SIGNER|SERIALNUMBER|CANAME|SIGNATURE|DIGESTALGORITHM|FILENAME|TIMESTAMP|RECORDLENGTH|DNSNAME|SUBJECTNAME|FUNCTION|ISSUERNAME|PUBLICKEY|CERTIFICATE|IPADDRESS)\w*\s)`)
)

var _ = recognise(Recogniser{
	Format: "what CUCM's command line shows", Platform: finding.CUCM,
	Marks: []string{"itl", "ctl", "bytepos", "signer", "serialnumber", "caname", "signature", "algorithm", "filename", "timestamp", "length", "name", "function", "publickey", "certificate", "ipaddress", "[started]", "[stopped]"},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &cucmLists{in} },
})

type cucmLists struct{ in *fact.Input }

func (r *cucmLists) Line(l Line) bool {
	if m := listVerified.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.CUCMTrustList, l.Number, l.Raw, l.Time, "list", m[1], "verified", "true")
		return true
	}
	if m := listBroken.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.CUCMTrustList, l.Number, l.Raw, l.Time, "list", m[1], "verified", "false")
		return true
	}
	if m := cucmService.FindStringSubmatch(l.Raw); m != nil {
		r.in.Add(fact.CUCMService, l.Number, l.Raw, l.Time, pairs("service", m[1], "state", strings.ToLower(m[2]), "reason", m[3])...)
		return true
	}
	return otherService.MatchString(l.Raw) || listShown.MatchString(l.Raw)
}

func (r *cucmLists) End() {}
