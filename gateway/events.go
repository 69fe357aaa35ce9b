package gateway

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/tunnel"
	"github.com/longcord/longcord/wire/asa"
	"github.com/longcord/longcord/wire/cstp"
)

// What happens to connections and sessions is told here: to the log, and in the ASA's words to syslog, so
// that both say the same. There is one function for each event.

// Syslog takes lines; *syslog.Sender is one. Send never waits.
type Syslog interface {
	Send(severity int, text string)
}

// say sends messages in the ASA's words.
func (g *Gateway) say(messages ...asa.Message) {
	if g.config.Syslog == nil {
		return
	}
	for _, m := range messages {
		g.config.Syslog.Send(int(m.Severity), m.String())
	}
}

// asaClient is a session's owner as messages begin with it.
func (r sessionRecord) asaClient(g *Gateway, from netip.Addr) asa.Client {
	client := asa.Client{User: r.User, Public: from}
	set := g.config.Inventory()
	if group := set.TunnelGroups[r.TunnelGroup]; group != nil {
		client.Group = r.groupPolicy(set, group).Name
	}
	return client
}

func (c *conn) handshakeBegan() { c.g.say(asa.HandshakeStarts(c.peer, "TLS")) }

func (c *conn) handshakeFailed(err error) {
	c.doubted()
	c.log.Debug("tls handshake", logging.Stage, stage.Connect.String(), logging.Err, err)
	c.g.say(asa.HandshakeFailed(c.peer))
	if alerted(err, "expired certificate") && c.met != nil {
		c.findsExpired()
	}
	if mistrusted := c.g.config.Mistrusted; mistrusted != nil && c.met != nil {
		said, left := doubts(err), errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET)
		if said || left {
			mistrusted(c.met.Certificate[0], c.peer.Addr(), said)
		}
	}
}

// doubts reports whether a handshake ended because the client does not believe the certificate. Which alert
// says so differs: phones are known to send 48 (docs/wire/vpn-login.md#certificate-hash), others 42 or 46.
// crypto/tls has their words only.
func doubts(err error) bool {
	return alerted(err, "unknown certificate authority", "bad certificate", "unknown certificate")
}

// alerted reports whether the client ended a handshake with one of these alerts.
func alerted(err error, alerts ...string) bool {
	var remote *net.OpError
	if !errors.As(err, &remote) || remote.Op != "remote error" {
		return false
	}
	return slices.ContainsFunc(alerts, func(words string) bool { return strings.HasSuffix(remote.Err.Error(), words) })
}

// findsExpired tells of a client that finds a certificate of ours out of date which is not: one of the two clocks is wrong.
func (c *conn) findsExpired() {
	leaf, err := x509.ParseCertificate(c.met.Certificate[0])
	if now := time.Now(); err != nil || now.Before(leaf.NotBefore) || now.After(leaf.NotAfter) {
		return // it is, and that is said elsewhere
	}
	from := c.peer.Addr().String()
	f := finding.ClockWrong.With("the client at "+from, "it takes the gateway's certificate for out of date, which ends on "+leaf.NotAfter.UTC().Format(time.DateOnly)).
		As(finding.Likely)
	f.Subject = from
	f.Fix = []string{
		"let the phone get its time: by the NTP server of its site, or option 42 of the DHCP server where it stands; phones begin in the past without",
		"compare this machine's own clock with another's: `date`",
	}
	c.g.config.Findings.RaiseFor(remembered, f.Because("gateway", 0, "TLS alert from "+c.peer.String()+": certificate expired"))
	c.log.Warn("client finds the certificate expired", logging.Stage, stage.Verify.String(), logging.Finding, f.Code, "says", f.Says)
}

func (c *conn) handshakeDone() { c.g.say(asa.HandshakeDone(c.peer)) }

func (c *conn) ended() { c.g.say(asa.ConnectionEnded(c.peer)) }

// loginRefused tells of a wrong password and the like. cause is from package login.
func (c *conn) loginRefused(user, group string, cause error) {
	f := finding.LoginRefused.With(user).Because("gateway", 0, "login from "+c.peer.Addr().String()+": "+login.Reason(cause))
	c.g.config.Findings.RaiseFor(remembered, f)
	c.log.Warn("login refused", logging.User, user, logging.Stage, stage.Verify.String(), "tunnel_group", group,
		logging.Finding, f.Code, "says", f.Says, "why", login.Reason(cause))
	record := sessionRecord{User: user, TunnelGroup: group}
	c.g.say(asa.LoginRejected(user, login.RefusedBy(cause), "Invalid password", c.peer.Addr()), asa.LoginRefused(record.asaClient(c.g, c.peer.Addr())))
}

// tooManySessions tells of a login for which there is no room.
func (c *conn) tooManySessions(log *slog.Logger, record sessionRecord) {
	f := finding.SessionLimit.With(record.User).Because("gateway", 0, "login from "+c.peer.Addr().String())
	c.g.config.Findings.RaiseFor(remembered, f)
	log.Warn("login refused", logging.Finding, f.Code, "says", f.Says)
	c.g.say(asa.SessionLimit(record.asaClient(c.g, c.peer.Addr()), loginsOf(c.g.config.Inventory(), record)))
}

// loggedIn tells of a session that begins, and which server knows its user.
func (c *conn) loggedIn(record sessionRecord, server string) {
	c.g.config.Findings.Clear(finding.LoginRefused, record.User)
	c.g.config.Findings.Clear(finding.SessionLimit, record.User)
	c.g.config.Findings.Clear(finding.ClockWrong, c.peer.Addr().String())
	client := record.asaClient(c.g, c.peer.Addr())
	policy := asa.PolicyFound(client.Group, record.User)
	if record.GroupPolicy != "" {
		policy = asa.PolicyOfUser(client.Group, record.User)
	}
	c.g.say(asa.LoginAccepted(record.User, server), policy, asa.TransactionAccepted(record.User),
		asa.SessionStarted(client), asa.ClientType(client, record.UserAgent))
}

// connectRefused tells of a cookie that no session has, or not on such a connection.
func (c *conn) connectRefused() {
	c.log.Debug("cookie refused", logging.Stage, stage.Tunnel.String())
	c.g.say(asa.ConnectRefused(c.peer.Addr()))
}

// asaClient is the session's owner, at the address of the CSTP channel. mu is held.
func (s *session) asaClient() asa.Client { return s.record.asaClient(s.g, s.peer.Addr()) }

func over(c tunnel.Channel) asa.Transport {
	if c == tunnel.DTLS {
		return asa.UDP
	}
	return asa.TCP
}

// noAddress tells syslog of a CONNECT that gets none; the registry tells the log.
func (s *session) noAddress(from netip.Addr) {
	s.g.say(asa.NoAddress(s.record.TunnelGroup, s.record.asaClient(s.g, from)))
}

// cstpUp tells of a CONNECT that was granted. mu is held.
func (s *session) cstpUp(c *conn, answer cstp.Answer, request cstp.Request, replaces bool) {
	state := c.tls.ConnectionState()
	s.log.Info("channel up", logging.Channel, tunnel.CSTP.String(), logging.Stage, stage.Tunnel.String(), logging.Peer, c.peer.String(),
		"address", answer.Address.String(), "tls", tls.VersionName(state.Version), "cipher", tls.CipherSuiteName(state.CipherSuite),
		"mtu", answer.MTU, "dtls", answer.DTLS.CipherSuite+answer.DTLS.CipherSuite12, "agent", request.UserAgent)
	client := s.asaClient()
	if !s.had[tunnel.CSTP] {
		var inner6 netip.Addr
		if addr := s.address6.Load(); addr != nil {
			inner6 = *addr
		}
		s.g.say(asa.AddressAssigned(client, answer.Address, inner6))
	}
	if asked := len(request.CipherSuites)+len(request.CipherSuites12) > 0; asked && answer.DTLS.Port == 0 {
		s.g.say(asa.NoDTLS(client))
	}
	s.channelUp(tunnel.CSTP, client, replaces)
}

// dtlsIsUp tells of a handshake that led to a channel. mu is held.
func (s *session) dtlsIsUp(channel *dtlsChannel, replaces bool) {
	s.log.Info("channel up", logging.Channel, tunnel.DTLS.String(), logging.Stage, stage.Tunnel.String(),
		logging.Peer, channel.peer.Load().String(), "dtls", channel.conn.Version().String(), "cipher", channel.conn.Suite().String())
	s.g.say(asa.HandshakeDone(channel.peer.Load().AddrPort))
	s.dtlsWorks()
	s.channelUp(tunnel.DTLS, s.asaClient(), replaces)
}

// channelUp is what a channel of either kind is told to syslog with. mu is held.
func (s *session) channelUp(channel tunnel.Channel, client asa.Client, replaces bool) {
	if s.lost {
		s.lost = false
		s.g.say(asa.ConnectionResumed(client, client.Public))
	}
	which := asa.ChannelAgain
	switch {
	case replaces:
		which = asa.ChannelReplaces
	case !s.had[channel]:
		which = asa.ChannelFirst
	}
	s.had[channel] = true
	s.g.sessions.channels[channel].comes()
	s.g.say(which(client, over(channel)), asa.ChannelUp(client, over(channel)))
}

// channelDown tells of a channel that is gone; reason is in the ASA's words. mu is held.
func (s *session) channelDown(channel tunnel.Channel, reason string, err error) {
	s.g.sessions.channels[channel].goes()
	log := s.log
	if err != nil {
		log = log.With(logging.Err, err)
	}
	log.Info("channel down", logging.Channel, channel.String(), "reason", reason)
	client := s.asaClient()
	s.g.say(asa.ChannelCloses(client, reason), asa.ChannelDown(client, over(channel)))
	if s.dead() && s.machine.State() == tunnel.Disconnected {
		s.lost = true
		s.g.say(asa.ConnectionLost(client))
	}
}

// The reasons for the end of a channel.
const (
	transportClosing = "Transport closing"
	dpdFailure       = "DPD failure"
)

// saysFarewell tells what a client says before it goes. mu is held.
func (s *session) saysFarewell(f cstp.Farewell) {
	s.log.Info("client says good-bye", "farewell", f.String())
	s.g.say(asa.Farewell(s.asaClient(), asa.Severity(f.Reason.Severity()), f.Reason.Code(), f.Text))
}

// isOver tells of the session's end. mu is held.
func (s *session) isOver(end tunnel.End) {
	s.dtlsWorks()
	s.clear(finding.RegistrationACL, finding.MTU)
	s.cause = end.Cause
	n := &s.counters
	lasted := time.Since(s.record.Began)
	s.judgeEnd(end, lasted)
	s.log.Info("session ended", "cause", end.Cause.String(), "text", end.Text, "lasted", lasted,
		"packets_from", n.fromPackets.Load(), "packets_to", n.toPackets.Load())
	client, reason := s.asaClient(), asaReason(end.Cause)
	s.g.say(asa.WebVPNEnded(client, reason),
		asa.SessionEnded(s.record.TunnelGroup, client.User, client.Public, lasted, n.toBytes.Load(), n.fromBytes.Load(), reason))
}

// asaReason is why a session ended, in the ASA's words.
func asaReason(c tunnel.Cause) string {
	switch c {
	case tunnel.UserLogout:
		return "User Requested"
	case tunnel.IdleTimeout:
		return "Idle Timeout"
	case tunnel.SessionTimeout:
		return "Max time exceeded"
	case tunnel.DisconnectedTimeout:
		return "Lost Service"
	case tunnel.Administrator:
		return "Administrator Reset"
	}
	return "Unknown"
}
