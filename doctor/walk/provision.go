package walk

import (
	"context"
	"crypto/sha256"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tvs"
)

const (
	fileServer  = "file server"
	callManager = "call manager"
	trustServer = "trust verification service"
)

// provision gives the phone its file: the one that was given, or the server's.
func (w *walker) provision(ctx context.Context) error {
	name := provision.ConfigFile(w.o.Device)
	if w.o.File != nil {
		if err := w.reads(ctx, w.o.FileName, w.o.File); err != nil {
			return err
		}
		file, err := w.steps.Keep(w.o.File)
		if err != nil {
			w.tell(w.o.FileName, fact.WalkFile, "a phone cannot use it: "+plain(err), "server", w.o.FileName, "name", name, "outcome", "invalid", "reason", plain(err))
		} else {
			w.stored = file
		}
	}
	var got phone.Files
	var answer []string
	for _, server := range w.o.Servers {
		if w.fileServer(ctx, w.steps.Here(), "here", server) {
			answer = append(answer, server)
		}
	}
	served := len(answer) > 0
	if len(answer) > 1 {
		w.compare(ctx, w.steps.Here(), "here", answer)
	}
	if served {
		got = w.files(ctx, w.steps.Here(), "here")
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	switch {
	case got.File != nil:
		w.stored = got.File
		w.passed(stage.Provision, "the file is "+got.From)
	case w.stored != nil:
		w.passed(stage.Provision, "the file is "+w.o.FileName)
	case len(w.o.URLs) > 0 && !served:
		w.passed(stage.Provision, "there is no file; the gateway is judged without it")
	case len(w.o.Servers) > 0 && !served:
		for _, server := range w.o.Servers {
			w.note(server, fact.WalkFile, "nobody answers", "server", server, "name", name, "from", "here", "outcome", "silent")
		}
		return w.broken(stage.Provision, "no file server answers, and no file was given; from outside give the one that the phone keeps with --file")
	default:
		return w.broken(stage.Provision, "the phone has no file that it can use")
	}
	w.chooseGateways()
	return nil
}

// chooseGateways takes the gateways of the file, or those that were given.
func (w *walker) chooseGateways() {
	w.group, w.unpinned = &cnf.VPNGroup{}, true
	if w.stored != nil && w.stored.VPN != nil {
		group := *w.stored.VPN
		w.group, w.unpinned = &group, false
	}
	if len(w.o.URLs) > 0 {
		w.group.URLs = w.o.URLs
	}
	if w.unpinned && w.o.Password.IsZero() && w.o.Certificate.Certificate != nil {
		w.group.AuthMethod = cnf.ByCertificate // no file says how, and there is nothing else to log in with
	}
	w.note(w.o.Device, fact.WalkVPN, fmt.Sprintf("the phone knows %d gateways", len(w.group.URLs)), "device", w.o.Device, "ok", truth(len(w.group.URLs) > 0))
	if w.stored == nil {
		w.stored = &cnf.Device{VPN: w.group}
		return
	}
	file := *w.stored
	file.VPN = w.group
	w.stored = &file
}

// fileServer reports whether a file server answers, in which ways, and to pings.
func (w *walker) fileServer(ctx context.Context, at phone.Spot, from, server string) bool {
	if !w.ping(ctx, at, from, fileServer, server) {
		return false
	}
	// A list is what every phone asks for first, and a server that has none answers, too.
	list := "CTL" + w.o.Device + ".tlv"
	answers := false
	for _, way := range []provision.Transport{provision.HTTP, provision.TFTP} {
		asked := at.Ask(ctx, server, list, way)
		w.asked(server, from, asked)
		answers = answers || asked.Outcome != phone.FileSilent
	}
	return answers
}

// compare asks each file server for the phone's own file, in plain: the phone takes the second's when the first is silent.
func (w *walker) compare(ctx context.Context, at phone.Spot, from string, servers []string) {
	name := provision.ConfigFile(w.o.Device)
	for i, server := range servers {
		for _, way := range []provision.Transport{provision.HTTP, provision.TFTP} {
			a := at.Ask(ctx, server, name, way)
			if a.Outcome == phone.FileSilent {
				continue
			}
			values := []string{"server", server, "name", name, "by", fmt.Sprint(way), "from", from, "outcome", string(a.Outcome)}
			text := fmt.Sprintf("%s by %s%s: %s", name, way, where(from), a.Outcome)
			if a.Outcome == phone.FileCame {
				sum := fmt.Sprintf("%x", sha256.Sum256(a.Content))
				values = append(values, "sha256", sum, "place", strconv.Itoa(i+1))
				text += ", SHA-256 " + sum
			}
			w.tell(server, fact.WalkAsked, text, values...)
			break
		}
	}
}

// ping says whether a server answers pings. It reports whether the server's name leads anywhere.
func (w *walker) ping(ctx context.Context, at phone.Spot, from, what, host string) bool {
	address, err := at.Resolve(ctx, host)
	if err != nil {
		if ctx.Err() == nil {
			w.tell(host, fact.WalkReach, "the name does not resolve"+where(from), "what", what, "address", host, "from", from, "ok", "false", "reason", "name")
		}
		return false
	}
	answered, err := at.Ping(ctx, address)
	switch {
	case err != nil && ctx.Err() == nil:
		w.say(host + ": could not ping: " + plain(err) + " (allow it with the sysctl net.ipv4.ping_group_range, or run as root)")
	case err == nil && answered:
		w.tell(host, fact.WalkPing, "answers pings"+where(from), "what", what, "address", host, "from", from, "ok", "true")
	case err == nil:
		w.tell(host, fact.WalkPing, "does not answer pings"+where(from), "what", what, "address", host, "from", from, "ok", "false")
	}
	return true
}

func where(from string) string {
	if from == "tunnel" {
		return " through the tunnel"
	}
	return ""
}

func (w *walker) asked(server, from string, a phone.Asked) {
	text := fmt.Sprintf("%s by %s%s: %s", a.Name, a.Transport, where(from), a.Outcome)
	if a.Err != nil && a.Outcome == phone.FileSilent {
		text += ": " + cause(a.Err)
	}
	w.note(server, fact.WalkAsked, text, "server", server, "name", a.Name, "by", fmt.Sprint(a.Transport), "from", from, "outcome", string(a.Outcome))
	if line := server + ": " + text; !w.said[line] { // the phone asks again what was tried before
		w.said[line] = true
		w.say(line)
	}
}

// files fetches the phone's files as it does, and says how each request came out.
func (w *walker) files(ctx context.Context, at phone.Spot, from string) phone.Files {
	name := provision.ConfigFile(w.o.Device)
	got := at.Files(ctx, w.stored)
	for _, a := range got.Asked {
		w.asked(a.Server, from, a)
		if a.Outcome == phone.FileCame && strings.HasSuffix(a.Name, ".tlv") {
			if err := w.reads(ctx, a.Name+" of "+a.Server, a.Content); err != nil {
				return got
			}
		}
	}
	if got.Err != nil {
		server := w.o.Servers[0]
		if last := len(got.Asked) - 1; last >= 0 {
			server = got.Asked[last].Server
		}
		w.tell(server, fact.WalkFile, plain(got.Err), "server", server, "name", name, "from", from, "outcome", fileOutcome(got.Err), "reason", plain(got.Err))
		return got
	}
	w.tell(got.Server, fact.WalkFile, "gives "+got.From, "server", got.Server, "name", name, "from", from, "outcome", "came")
	if err := w.reads(ctx, got.From, got.Raw); err != nil {
		return got
	}
	read, missed := at.Companions(ctx, w.stored, got.File)
	for _, file := range read {
		w.say("companion file " + file)
	}
	for _, err := range missed {
		file, why, _ := strings.Cut(plain(err), ": ")
		w.tell(got.Server, fact.WalkCompanion, file+": "+why, "name", file, "from", from)
	}
	return got
}

// fileOutcome is the outcome of a fetch for which the phone has a finding.
func fileOutcome(err error) string {
	f, ok := phone.FindingOf(err)
	if !ok {
		return "silent"
	}
	switch f.Code {
	case finding.TFTPFileMissing.Code:
		return "missing"
	case finding.FilesRefused.Code:
		return "refused"
	case finding.TrustListMismatch.Code, finding.ForeignTrustList.Code:
		return "unbelieved"
	case finding.ForeignTFTPServer.Code:
		return "foreign"
	case finding.ConfigInvalid.Code:
		return "invalid"
	}
	return "silent"
}

// detect finds out where the phone stands.
func (w *walker) detect(ctx context.Context) (inside bool, err error) {
	wantsTunnel := len(w.o.URLs) > 0 || !w.o.Password.IsZero() || w.o.Certificate.Certificate != nil
	switch {
	case w.o.At == Inside:
		return true, nil
	case w.o.At == Outside || len(w.o.Servers) == 0:
		return false, nil
	}
	decided, err := w.steps.Look(ctx, w.stored)
	if ctx.Err() != nil {
		return false, ctx.Err()
	}
	if err != nil {
		w.say("detect: cannot tell where this is: " + plain(err) + "; taken for outside, which --place inside changes")
		return false, nil
	}
	reasons := map[detect.Reason]string{detect.Answered: "answered", detect.Proven: "proven", detect.NoAnswer: "silent", detect.Foreign: "foreign"}
	server := strings.Join(w.o.Servers, ", ")
	if decided.Server >= 0 {
		server = w.o.Servers[decided.Server]
	}
	inside = decided.Verdict == detect.Inside
	values := []string{"place", decided.Verdict.String(), "reason", reasons[decided.Reason], "server", server}
	if network, ok := localNetwork(server); ok {
		values = append(values, "network", network.String())
	}
	w.note(server, fact.WalkPlace, decided.Reason.String(), values...)
	text := fmt.Sprintf("%s: %s", decided.Verdict, decided.Reason)
	if inside && wantsTunnel {
		text += "; goes on as if it were outside, because a gateway or a login is given"
		inside = false
	}
	w.passed(stage.Detect, text)
	return inside, nil
}

// localNetwork returns the network of this machine that an address lies in, if there is one.
func localNetwork(address string) (netip.Prefix, bool) {
	server, err := netip.ParseAddr(address)
	if err != nil {
		return netip.Prefix{}, false
	}
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		return netip.Prefix{}, false
	}
	for _, a := range addresses {
		if own, err := netip.ParsePrefix(a.String()); err == nil && own.Contains(server) && own.Addr() != server {
			return own.Masked(), true
		}
	}
	return netip.Prefix{}, false
}

// trustServers says whether the phone's trust verification services answer.
func (w *walker) trustServers(ctx context.Context, at phone.Spot, from string, file *cnf.Device) (answered int) {
	for _, server := range file.TVS {
		port := server.Port
		if port == 0 {
			port = tvs.Port
		}
		address := net.JoinHostPort(server.Host, strconv.Itoa(port))
		err := at.Vouches(ctx, server)
		if w.reached(address, from, trustServer, err) || cause(err) == "tls" {
			answered++
		}
	}
	return answered
}

// reached says whether a server answers on TCP.
func (w *walker) reached(address, from, what string, err error) bool {
	if err == nil {
		w.tell(address, fact.WalkReach, "the "+what+" answers"+where(from), "what", what, "address", address, "from", from, "ok", "true")
		return true
	}
	why := cause(err)
	w.tell(address, fact.WalkReach, fmt.Sprintf("the %s does not answer%s: %s", what, where(from), plain(err)),
		"what", what, "address", address, "from", from, "ok", "false", "reason", why)
	return false
}
