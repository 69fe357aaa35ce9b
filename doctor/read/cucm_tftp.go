package read

import (
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// The trace of CUCM's TFTP service: docs/wire/gateway-logs.md#cucms-tftp-service.
var (
	cucmAsks     = compile(`Received File request for (\S+) with Request ID (\d+)`)
	cucmServes   = compile(`\[FileName:\(([^)]+)\)`)
	cucmProxied  = compile(`Signal TransID\[(\d+)\] File Found - 200`)
	cucmNotHere  = compile(`Serve(?:Dynamic|Static)File::.* File Not Found - 404`)
	cucmOthers   = compile(`OffClusters Configured : (\d+)`)
	cucmSearched = compile(`Search req updated to CRMDB \[([^\]]+)\] \[FileNotFound\]`)
	cucmNAK      = compile(`TFTPEngine::sendNAK\[[^\]]*?~\d+~([^~\]]+)~\d+\], File\[([^\]]+)\], Error\((\d+)\)`)
	cucmHas      = compile(`TFTPCache::FindMatching\(\S+\), Found\[([^\]]+)\]`)
	cucmNone     = compile(`HTTPConnection::\w+ Requested file NOT FOUND`)
	cucmFull     = compile(`TFTPServer::.*Reached max count, returning 503`)
	cucmTrace    = compile(`^\d{8}\.\d{3} \|`)
	cucmTFTP     = compile(`\b(?:Serve(?:Dynamic|Static)?File|TFTP(?:Cache|Engine|Server)|CReqContext|CServiceModule|HTTP(?:Connection|Server)|Cluster(?:Client|Mgr|GWApi)|ReceivedServeRsp|UpdateSearchRsp)\b:`)
)

var _ = recognise(Recogniser{
	Format: "trace of CUCM's TFTP service", Platform: finding.CUCM, Early: true,
	Marks: []string{
		"servefile::", "servedynamicfile::", "servestaticfile::", "tftpcache::", "tftpengine::", "tftpserver::", "creqcontext::", "cservicemodule::",
		"httpconnection::", "httpserver::", "clusterclient::", "clustermgr::", "clustergwapi::", "receivedserversp", "updatesearchrsp",
	},
	Alone:  true,
	Begins: cucmTrace.MatchString,
	New:    func(in *fact.Input) Reader { return &cucmFiles{in: in, by: map[string]string{}} },
})

// cucmFiles follows requests. The service looks for one file after the other, so what it says without a name is about the
// one that was asked for last.
type cucmFiles struct {
	in      *fact.Input
	asked   string
	by      map[string]string // the number of a request to its file, while another cluster is asked
	missing *Line             // where this cluster has said that it does not have what was asked for; nil: it has not
}

func (r *cucmFiles) Line(l Line) bool {
	if !cucmTFTP.MatchString(l.Raw) {
		return false
	}
	if m := cucmAsks.FindStringSubmatch(l.Raw); m != nil {
		r.asked, r.missing = m[1], nil
		if len(r.by) >= maxAsked {
			clear(r.by)
		}
		r.by[m[2]] = m[1]
	} else if cucmNotHere.MatchString(l.Raw) {
		r.missing = &l
	} else if m := cucmOthers.FindStringSubmatch(l.Raw); m != nil {
		if m[1] == "0" && r.missing != nil {
			r.tell(fact.FileMissing, *r.missing, r.asked)
		}
		r.missing = nil // or another cluster may have it
	} else if cucmNone.MatchString(l.Raw) {
		r.tell(fact.FileMissing, l, r.asked)
	} else if m := cucmSearched.FindStringSubmatch(l.Raw); m != nil {
		r.tell(fact.FileMissing, l, m[1])
	} else if m := cucmServes.FindStringSubmatch(l.Raw); m != nil {
		r.tell(fact.FileSent, l, m[1])
	} else if m := cucmProxied.FindStringSubmatch(l.Raw); m != nil {
		r.tell(fact.FileSent, l, r.by[m[1]])
	} else if m := cucmNAK.FindStringSubmatch(l.Raw); m != nil {
		kind := fact.FileBroken
		switch m[3] {
		case tftpNotFound:
			kind = fact.FileMissing
		case tftpDenied:
			kind = fact.FileDenied
		}
		r.tell(kind, l, m[2], "client", m[1])
	} else if m := cucmHas.FindStringSubmatch(l.Raw); m != nil {
		r.tell(fact.FileHeld, l, m[1])
	} else if cucmFull.MatchString(l.Raw) {
		r.in.Add(fact.FileServerFull, l.Number, l.Raw, l.Time)
	}
	return true
}

func (r *cucmFiles) tell(kind fact.Kind, l Line, name string, more ...string) {
	if name != "" {
		r.in.Add(kind, l.Number, l.Raw, l.Time, append([]string{"name", name}, more...)...)
	}
}

func (r *cucmFiles) End() {}
