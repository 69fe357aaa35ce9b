package main

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/wire/asa"
)

// The same reads in the ASA's words and columns, for fingers and programs that know them.

func (p *program) showSessionDBCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "vpn-sessiondb [detail] [anyconnect] [filter name|tunnel-group|group-policy|a-ipaddress|p-ipaddress X] | summary",
		Short: "Show the gateway's sessions as an ASA does",
		Long: `Shows the gateway's sessions in the words and columns of Cisco's ASA, for programs that
read those. Without further words, as on the ASA, only how many there are.`,
		RunE: func(c *cobra.Command, args []string) error {
			query, err := parseSessionDB(args)
			if err != nil {
				return usage(err, c.CommandPath()+" --help")
			}
			if query.summary {
				return p.sessionTotals(c, asJSON)
			}
			sessions, err := p.sessions(c, query.matches)
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "sessions": sessions})
			}
			settings, err := p.config()
			if err != nil {
				return err
			}
			fmt.Fprint(p.out, asa.Sessions(asaSessions(sessions, strconv.Itoa(int(settings.Gateway.Port)), time.Now()), query.detail))
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// sessionDBQuery is what was asked of vpn-sessiondb.
type sessionDBQuery struct {
	summary, detail bool
	by, value       string // filter
}

func parseSessionDB(args []string) (q sessionDBQuery, err error) {
	q.summary = len(args) == 0
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		switch word {
		case "summary":
			q.summary = true
		case "detail":
			q.detail = true
		case "anyconnect":
		case "filter":
			if len(args) != 2 {
				return q, errors.New("filter needs a field and a value")
			}
			q.by, q.value, args = args[0], args[1], nil
			if _, ok := filterFields[q.by]; !ok {
				return q, fmt.Errorf("%q is no field to filter by", q.by)
			}
		default:
			return q, fmt.Errorf("%q has no place here", word)
		}
	}
	if q.summary && (q.detail || q.by != "") {
		return q, errors.New("summary stands alone")
	}
	return q, nil
}

// filterFields are what a session can be filtered by.
var filterFields = map[string]func(control.Session) string{
	"name":         func(s control.Session) string { return s.User },
	"tunnel-group": func(s control.Session) string { return s.TunnelGroup },
	"group-policy": func(s control.Session) string { return s.GroupPolicy },
	"a-ipaddress":  func(s control.Session) string { return s.InnerAddress },
	"p-ipaddress":  func(s control.Session) string { return hostOf(s.Peer) },
}

func (q sessionDBQuery) matches(s control.Session) bool {
	return q.by == "" || filterFields[q.by](s) == q.value
}

func hostOf(endpoint string) string {
	host, _, err := net.SplitHostPort(endpoint)
	if err != nil {
		return ""
	}
	return host
}

func (p *program) sessionTotals(c *cobra.Command, asJSON bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	t, err := client.SessionTotals(c.Context())
	if err != nil {
		return err
	}
	if asJSON {
		return p.printJSON(map[string]any{"schema": 1, "totals": t})
	}
	fmt.Fprint(p.out, asa.Summary{
		Active: t.Sessions.Now - t.Disconnected, Inactive: t.Disconnected, Cumulative: t.Sessions.All, Peak: t.Sessions.Most,
		SSL:  asa.Channels{Active: t.TLS.Now, Cumulative: t.TLS.All, Peak: t.TLS.Most},
		DTLS: asa.Channels{Active: t.DTLS.Now, Cumulative: t.DTLS.All, Peak: t.DTLS.Most}, Capacity: t.Capacity,
	})
	return nil
}

// asaSessions are sessions as the ASA's tables have them.
func asaSessions(sessions []control.Session, port string, now time.Time) []asa.Session {
	var all []asa.Session
	for _, s := range sessions {
		one := asa.Session{
			Username: s.User, Index: s.ID, AssignedIP: s.InnerAddress, AssignedIPv6: s.InnerAddress6, PublicIP: hostOf(s.Peer), GroupPolicy: s.GroupPolicy, TunnelGroup: s.TunnelGroup,
			Login: s.Began, Duration: now.Sub(s.Began), AuthMode: authMode(s.Login), Client: s.UserAgent, Filter: s.Filter,
			IdleTimeout: time.Duration(s.IdleTimeout) * time.Second,
			BytesTx:     s.BytesOut, BytesRx: s.BytesIn, PktsTx: s.PacketsOut, PktsRx: s.PacketsIn, PktsTxDrop: s.Dropped, PktsRxDrop: s.Refused,
		}
		if !s.Disconnected.IsZero() {
			one.Inactivity = now.Sub(s.Disconnected)
		}
		if !s.LastPacket.IsZero() {
			one.Idle = now.Sub(s.LastPacket)
		}
		if s.TLSAlive != nil {
			one.SSL = asaTunnel(s.TLSCipher, strings.ReplaceAll(s.TLSVersion, "TLS ", "TLSv"), s.Peer, port)
		}
		if s.DTLSAlive != nil {
			one.DTLS = asaTunnel(s.Cipher, "DTLSv"+strings.Replace(s.DTLSVersion, "0.9", "1.0", 1), s.DTLSPeer, strconv.Itoa(dtlsPort))
		}
		all = append(all, one)
	}
	return all
}

// asaTunnel is a channel. What everybody else calls DTLS 0.9, an ASA calls 1.0.
func asaTunnel(cipher, encapsulation, peer, dstPort string) *asa.Tunnel {
	host, port, err := net.SplitHostPort(peer)
	if err != nil {
		host, port = peer, "0"
	}
	return &asa.Tunnel{Cipher: cipher, Encapsulation: encapsulation, PublicIP: host, SrcPort: port, DstPort: dstPort}
}

// authMode is how a login was proved, in the ASA's words.
func authMode(login string) string {
	switch login {
	case "certificate":
		return "Certificate"
	case "aaa certificate":
		return "Certificate and userPassword"
	}
	return "userPassword"
}

func (p *program) showVersionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Show what runs, since when, as an ASA does",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			status, err := client.Status(c.Context())
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "status": status})
			}
			path, err := p.configPath()
			if err != nil {
				return err
			}
			host, err := os.Hostname()
			if err != nil {
				return err
			}
			fmt.Fprintf(p.out, "Longcord Software Version %s\n\nConfig file at boot was %q\n\n%s up %s\n", status.Version, path, host, uptime(time.Since(status.Began)))
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// uptime is a span as the ASA says it: the two largest units.
func uptime(d time.Duration) string {
	var parts []string
	for _, unit := range []struct {
		size time.Duration
		name string
	}{{24 * time.Hour, "day"}, {time.Hour, "hour"}, {time.Minute, "min"}, {time.Second, "sec"}} {
		n := int(d / unit.size)
		d %= unit.size
		if n == 0 && (len(parts) == 0 && unit.size > time.Second || len(parts) > 0) || len(parts) == 2 {
			continue
		}
		name := unit.name
		if n != 1 {
			name += "s"
		}
		parts = append(parts, strconv.Itoa(n)+" "+name)
	}
	return strings.Join(parts, " ")
}

// sessionDBCommand is the ASA's command that changes something.
func (p *program) sessionDBCommand() *cobra.Command {
	var dryRun, yes bool
	c := &cobra.Command{Use: "vpn-sessiondb", Short: "Log sessions off, in the ASA's words"}
	logoff := &cobra.Command{
		Use:   "logoff name|index|tunnel-group X [noconfirm]",
		Short: "Log sessions off; they must log in again",
		Long: `Does what "longcord sessions logoff" does, in the words of Cisco's ASA; noconfirm is
--yes.`,
		Args: cobra.RangeArgs(2, 3),
		RunE: func(c *cobra.Command, args []string) error {
			by, subject := args[0], args[1]
			if len(args) == 3 {
				if args[2] != "noconfirm" {
					return usage(fmt.Errorf("%q has no place here", args[2]), c.CommandPath()+" --help")
				}
				yes = true
			}
			field, ok := filterFields[by]
			if by == "index" {
				field, ok = func(s control.Session) string { return strconv.FormatUint(s.ID, 10) }, true
			}
			if !ok || by != "name" && by != "index" && by != "tunnel-group" {
				return usage(fmt.Errorf("%q is none of name, index, tunnel-group", by), c.CommandPath()+" --help")
			}
			sessions, err := p.sessions(c, func(s control.Session) bool { return field(s) == subject })
			if err != nil {
				return err
			}
			if len(sessions) == 0 {
				return usage(fmt.Errorf("no session has the %s %q", by, subject), "longcord show vpn-sessiondb anyconnect")
			}
			return p.logoff(c, sessions, control.MustLogIn, dryRun, yes)
		},
	}
	changeFlags(logoff, &dryRun, &yes)
	c.AddCommand(logoff)
	return c
}
