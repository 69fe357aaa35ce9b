package walk

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/cstp"
)

// dtlsTime is how long the first attempt for the DTLS channel may take: longer than a phone's own patience.
const dtlsTime = 30 * time.Second

// tunnel opens the tunnel, looks at what it carries, and lives the rest in it.
func (w *walker) tunnel(ctx context.Context, g *phone.Gateway) error {
	opened := false
	err := w.steps.Tunnel(ctx, g, w.stored, func(ctx context.Context, t *phone.Tunnelled) error {
		opened = true
		return w.inTunnel(ctx, g.URL, t)
	})
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.Is(err, errStop):
		return errStop
	case err == nil:
		return nil
	case opened:
		w.tell(g.URL, fact.WalkTunnelLost, "the tunnel ended while it was used: "+plain(err), "gateway", g.URL, "reason", plain(err))
		return w.broken(stage.Tunnel, "the tunnel did not last")
	}
	values := []string{"gateway", g.URL, "ok", "false"}
	var refusal *cstp.Refusal
	if errors.As(err, &refusal) {
		values = append(values, "status", strconv.Itoa(refusal.Status), "reason", refusal.Reason)
	} else {
		values = append(values, "reason", plain(err))
	}
	w.tell(g.URL, fact.WalkTunnel, "gives no tunnel: "+plain(err), values...)
	return w.broken(stage.Tunnel, "the gateway gives no tunnel")
}

func (w *walker) inTunnel(ctx context.Context, u string, t *phone.Tunnelled) error {
	w.answer(u, t.Answer)
	if w.dtls(ctx, u, t) {
		w.mtu(ctx, u, t)
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	file := w.stored
	asked, answered := 0, 0
	count := func(ok bool) {
		asked++
		if ok {
			answered++
		}
	}
	for _, server := range w.o.Servers {
		count(w.fileServer(ctx, t.Spot, "tunnel", server))
	}
	if answered > 0 {
		if got := w.files(ctx, t.Spot, "tunnel"); got.File != nil {
			fresh := *got.File
			file = &fresh
		}
	}
	for _, m := range file.Pool.CallManagers {
		count(w.callManager(ctx, t.Spot, "tunnel", file, m))
	}
	if vouching := w.trustServers(ctx, t.Spot, "tunnel", file); len(file.TVS) > 0 {
		asked, answered = asked+len(file.TVS), answered+vouching
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if asked > 0 && answered == 0 {
		return w.broken(stage.Tunnel, "the tunnel is up, and nothing of the office answers through it")
	}
	w.passed(stage.Tunnel, fmt.Sprintf("address %s, %d of %d servers of the office answer", t.Answer.Address, answered, asked))
	return w.lineIn(ctx, t.Spot, "tunnel", file)
}

// answer tells what the gateway gives.
func (w *walker) answer(u string, a cstp.Answer) {
	text, values := answerOf(a)
	w.tell(u, fact.WalkTunnel, text, append(values, "gateway", u, "ok", "true")...)
	if a.Address.IsValid() {
		w.note(u, fact.GatewayPool, "the tunnel has the address "+a.Prefix().String(), "network", a.Prefix().Masked().String(), "name", "the tunnel's network")
	}
}

// answerOf puts the answer to CONNECT into words and values.
func answerOf(a cstp.Answer) (text string, values []string) {
	seconds := func(d time.Duration) string { return strconv.Itoa(int(d / time.Second)) }
	port := "none"
	if a.DTLS.Port != 0 {
		port = strconv.Itoa(a.DTLS.Port)
	}
	text = fmt.Sprintf("gives %s, MTU %d, DPD %s, keepalive %s, idle timeout %s, session timeout %s, rekey %s, DTLS port %s",
		a.Prefix(), a.MTU, a.DPD, a.Keepalive, a.IdleTimeout, a.SessionTimeout, a.RekeyTime, port)
	if len(a.SplitInclude)+len(a.SplitExclude) > 0 {
		text += fmt.Sprintf("; only %s, not %s", networks(a.SplitInclude), networks(a.SplitExclude))
	}
	return text, []string{"address", a.Address.String(), "mtu", strconv.Itoa(a.MTU),
		"dpd", seconds(a.DPD), "keepalive", seconds(a.Keepalive), "idle", seconds(a.IdleTimeout), "lifetime", seconds(a.SessionTimeout),
		"rekey", seconds(a.RekeyTime), "include", networks(a.SplitInclude), "exclude", networks(a.SplitExclude), "dns", addresses(a.DNS),
		"dtls", port}
}

func networks(all []netip.Prefix) string {
	var texts []string
	for _, p := range all {
		texts = append(texts, p.String())
	}
	return strings.Join(texts, ", ")
}

func addresses(all []netip.Addr) string {
	var texts []string
	for _, a := range all {
		texts = append(texts, a.String())
	}
	return strings.Join(texts, ", ")
}

// dtls says how the DTLS channel came out, and reports whether it is up.
func (w *walker) dtls(ctx context.Context, u string, t *phone.Tunnelled) bool {
	text, values := tryDTLS(ctx, t)
	if ctx.Err() != nil {
		return false
	}
	w.tell(u, fact.WalkDTLS, text, append(values, "gateway", u)...)
	return value(values, "outcome") == "up"
}

// tryDTLS waits for the DTLS channel, and puts what came of it into words and values.
func tryDTLS(ctx context.Context, t *phone.Tunnelled) (text string, values []string) {
	port := strconv.Itoa(t.Answer.DTLS.Port)
	came := func(outcome string, more ...string) []string {
		return append([]string{"port", port, "outcome", outcome}, more...)
	}
	offered, known := t.OffersDTLS()
	switch {
	case !offered:
		return "offers no DTLS", came("none")
	case !known:
		chosen := t.Answer.DTLS.CipherSuite + t.Answer.DTLS.CipherSuite12
		if chosen == "" {
			chosen = "nothing"
		}
		return "offers DTLS and chooses " + chosen + " of the phone's ciphers", came("unknown", "reason", "it chooses "+chosen)
	}
	limited, cancel := context.WithTimeout(ctx, dtlsTime)
	defer cancel()
	version, suite, err := t.DTLS(limited)
	switch {
	case err == nil:
		return "DTLS " + version + " with " + suite, came("up", "version", version, "suite", suite)
	case errors.Is(err, phone.ErrDTLSSilent):
		return "nothing comes back on UDP " + port, came("silent")
	}
	return "the DTLS handshake fails: " + plain(err), came("failed", "reason", plain(err))
}

// smallest is a packet that passes every line that carries IPv4, RFC 791, without what DTLS puts around it.
const smallest = 480

// mtu looks for the largest packet that gets through, where the largest that the gateway allows does not.
func (w *walker) mtu(ctx context.Context, u string, t *phone.Tunnelled) {
	told := t.Answer.MTU
	if t.Answer.DTLS.MTU != 0 && t.Answer.DTLS.MTU < told {
		told = t.Answer.DTLS.MTU
	}
	low, high := smallest, told
	if !t.Passes(ctx, high) {
		if !t.Passes(ctx, low) {
			return // the channel as a whole does not answer: not a matter of size
		}
		for high-low > 8 {
			if middle := (low + high) / 2; t.Passes(ctx, middle) {
				low = middle
			} else {
				high = middle
			}
		}
		high = low
	}
	if ctx.Err() != nil {
		return
	}
	w.tell(u, fact.WalkMTU, fmt.Sprintf("packets of %d bytes pass and come back; the gateway says %d", high, told),
		"gateway", u, "told", strconv.Itoa(told), "passes", strconv.Itoa(high))
}

// callManager says whether a call manager answers pings, and on its signalling port.
func (w *walker) callManager(ctx context.Context, at phone.Spot, from string, file *cnf.Device, m cnf.CallManager) bool {
	if m.Host == "" || !w.ping(ctx, at, from, callManager, m.Host) {
		return false
	}
	port := signalling(file, m)
	address := net.JoinHostPort(m.Host, strconv.Itoa(port))
	if file.Protocol == cnf.SIP && file.Transport == cnf.UDP {
		return true // only a registration can tell
	}
	return w.reached(address, from, callManager, at.Reach(ctx, m.Host, port))
}

// signalling is the TCP port on which a call manager takes this phone.
func signalling(file *cnf.Device, m cnf.CallManager) int {
	port, usual := m.SIPPort, 5060
	switch {
	case file.Protocol == cnf.SCCP:
		port, usual = m.SCCPPort, 2000
	case file.Transport == cnf.TLS:
		port, usual = m.SecuredSIPPort, 5061
	}
	if port == 0 {
		return usual
	}
	return port
}
