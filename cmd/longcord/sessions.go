package main

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
)

func (p *program) sessionsCommand() *cobra.Command {
	c := &cobra.Command{Use: "sessions", Short: "Sessions of the gateway"}
	c.AddCommand(p.sessionsListCommand(), p.sessionsShowCommand(), p.sessionsLogoffCommand(), p.sessionsCaptureCommand())
	return c
}

// matches reports whether a session is meant by what somebody typed: its number, its phone or its user.
func matches(s control.Session, subject string) bool {
	return strconv.FormatUint(s.ID, 10) == subject || s.Phone == subject || s.User == subject
}

func (p *program) sessionsListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the sessions, oldest first",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			sessions, err := p.sessions(c, func(control.Session) bool { return true })
			if err != nil {
				return err
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "sessions": sessions})
			}
			var rows [][]string
			for _, s := range sessions {
				rows = append(rows, []string{
					strconv.FormatUint(s.ID, 10), s.User, s.Phone, s.State, s.InnerAddress, s.Peer, transport(s), s.Began.Format(time.DateTime),
				})
			}
			return p.table([]string{"ID", "USER", "PHONE", "STATE", "INNER", "PEER", "TRANSPORT", "BEGAN"}, rows)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// sessions returns the sessions that match says.
func (p *program) sessions(c *cobra.Command, match func(control.Session) bool) ([]control.Session, error) {
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	all, err := client.Sessions(c.Context())
	if err != nil {
		return nil, err
	}
	matching := []control.Session{}
	for _, s := range all {
		if match(s) {
			matching = append(matching, s)
		}
	}
	return matching, nil
}

func noSession(subject string) error {
	return usage(fmt.Errorf("no session has the number, phone or user %q", subject), "longcord sessions list")
}

func (p *program) sessionsShowCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "show ID|SEP…|USER",
		Short: "Show sessions in full",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			sessions, err := p.sessions(c, func(s control.Session) bool { return matches(s, args[0]) })
			if err != nil {
				return err
			}
			if len(sessions) == 0 {
				return noSession(args[0])
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "sessions": sessions})
			}
			for _, s := range sessions {
				if err := p.table([]string{fmt.Sprintf("session %d", s.ID)}, sessionRows(s, time.Now())); err != nil {
					return err
				}
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// sessionRows are a session in full; what there is not is left out.
func sessionRows(s control.Session, now time.Time) [][]string {
	packets := func(n, bytes uint64) string { return fmt.Sprintf("%d packets, %d bytes", n, bytes) }
	rows := [][]string{
		{"user", s.User}, {"phone", s.Phone}, {"tunnel group", s.TunnelGroup}, {"group policy", s.GroupPolicy}, {"authentication", s.Login},
		{"state", s.State}, {"without a channel for", since(s.Disconnected, now)}, {"logged in", moment(s.Began)}, {"lasts", since(s.Began, now)},
		{"last packet", ago(s.LastPacket, now)}, {"idle timeout", seconds(s.IdleTimeout)}, {"inner address", strings.TrimSpace(s.InnerAddress + " " + s.InnerAddress6)}, {"inner mtu", some(s.MTU)}, {"filter", s.Filter},
		{"tls", channel(s.TLSVersion, s.TLSCipher, s.Peer)}, {"tls alive", life(s.TLSAlive, now)},
		{"dtls", channel(s.DTLSVersion, s.Cipher, s.DTLSPeer)}, {"dtls alive", life(s.DTLSAlive, now)},
		{"transport", transport(s)}, {"since", moment(s.Since)}, {"no dtls because", s.WhyNoDTLS},
		{"old cryptography", yes(s.OldCrypto)}, {"enrolment only", yes(s.Enrolment)}, {"captured", captured(s)}, {"client", s.UserAgent},
		{"in", packets(s.PacketsIn, s.BytesIn)}, {"out", packets(s.PacketsOut, s.BytesOut)},
		{"refused", strconv.FormatUint(s.Refused, 10)}, {"dropped", strconv.FormatUint(s.Dropped, 10)},
	}
	return slices.DeleteFunc(rows, func(row []string) bool { return row[1] == "" })
}

// transport is the channel that packets take.
func transport(s control.Session) string {
	if s.Transport != "dtls" {
		return s.Transport
	}
	return s.Transport + " " + s.DTLSVersion
}

func captured(s control.Session) string {
	if !s.Captured {
		return "no"
	}
	return "yes, by " + s.CapturedBy
}

// moment is a time for people, empty when it is not known.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.Local().Format(time.DateTime)
}

func since(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return now.Sub(t).Truncate(time.Second).String()
}

func ago(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	return since(t, now) + " ago"
}

func channel(version, cipher, peer string) string {
	if peer == "" {
		return ""
	}
	return strings.Join(slices.DeleteFunc([]string{version, cipher, "from " + peer}, func(s string) bool { return s == "" }), ", ")
}

func life(a *control.Alive, now time.Time) string {
	if a == nil {
		return ""
	}
	text := fmt.Sprintf("heard %s, sent %s", ago(a.Heard, now), ago(a.Sent, now))
	if !a.Asked.IsZero() {
		text += ", asked " + ago(a.Asked, now)
	}
	return text
}

func seconds(n int) string {
	if n == 0 {
		return ""
	}
	return (time.Duration(n) * time.Second).String()
}

func some(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func (p *program) sessionsLogoffCommand() *cobra.Command {
	var group string
	var dryRun, yes, mayReturn, stayAway bool
	c := &cobra.Command{
		Use:   "logoff ID|SEP…|USER | --tunnel-group NAME",
		Short: "Log sessions off",
		Long: `Logs off the sessions of a number, phone or user, or of a tunnel group. They must log
in again: a phone does so by itself. With --may-return only their channels close, as
when a line breaks; they come back with the cookie and address they have. With
--stay-away phones are told, too, and some stay down until somebody presses keys.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if (len(args) == 1) == (group != "") {
				return usage(errors.New("name either a session or --tunnel-group"), c.CommandPath()+" --help")
			}
			sessions, err := p.sessions(c, func(s control.Session) bool {
				return group != "" && s.TunnelGroup == group || len(args) == 1 && matches(s, args[0])
			})
			if err != nil {
				return err
			}
			if len(sessions) == 0 {
				if group != "" {
					return usage(fmt.Errorf("no session is in tunnel group %q", group), "longcord sessions list --json names each session's group")
				}
				return noSession(args[0])
			}
			how := control.MustLogIn
			switch {
			case mayReturn:
				how = control.MayReturn
			case stayAway:
				how = control.StayAway
			}
			return p.logoff(c, sessions, how, dryRun, yes)
		},
	}
	c.Flags().StringVar(&group, "tunnel-group", "", "all sessions of the tunnel group `NAME`")
	c.Flags().BoolVar(&mayReturn, "may-return", false, "close their channels only: they come back without a login")
	c.Flags().BoolVar(&stayAway, "stay-away", false, "tell phones, too, that it is over")
	c.MarkFlagsMutuallyExclusive("may-return", "stay-away")
	changeFlags(c, &dryRun, &yes)
	return c
}

func (p *program) logoff(c *cobra.Command, sessions []control.Session, how control.Logoff, dryRun, yes bool) error {
	ids := make([]uint64, len(sessions))
	for i, s := range sessions {
		ids[i] = s.ID
		fmt.Fprintf(p.err, "to be logged off: session %d of %s\n", s.ID, strings.TrimSpace(s.User+" "+s.Phone))
	}
	if dryRun {
		return nil
	}
	if len(sessions) > 1 {
		if err := p.confirm(yes); err != nil {
			return err
		}
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	ended, err := client.Logoff(c.Context(), ids, how)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "logged off: %d\n", ended)
	return err
}
