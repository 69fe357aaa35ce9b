package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
)

func (p *program) sessionsCommand() *cobra.Command {
	c := &cobra.Command{Use: "sessions", Short: "Sessions of the gateway"}
	c.AddCommand(p.sessionsListCommand(), p.sessionsShowCommand(), p.sessionsLogoffCommand())
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
					strconv.FormatUint(s.ID, 10), s.User, s.Phone, s.State, s.InnerAddress, s.Peer, strings.TrimSpace(s.Transport + " " + s.DTLSVersion), s.Began.Format(time.DateTime),
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
				if err := p.table([]string{fmt.Sprintf("session %d", s.ID)}, sessionRows(s)); err != nil {
					return err
				}
			}
			return nil
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func sessionRows(s control.Session) [][]string {
	return [][]string{
		{"user", s.User}, {"phone", s.Phone}, {"tunnel group", s.TunnelGroup}, {"state", s.State}, {"inner address", strings.TrimSpace(s.InnerAddress + " " + s.InnerAddress6)},
		{"outside address", s.Peer}, {"transport", strings.TrimSpace(s.Transport + " " + s.DTLSVersion)}, {"cipher", s.Cipher}, {"client", s.UserAgent},
		{"began", s.Began.Format(time.DateTime)}, {"bytes in", strconv.FormatUint(s.BytesIn, 10)}, {"bytes out", strconv.FormatUint(s.BytesOut, 10)},
	}
}

func (p *program) sessionsLogoffCommand() *cobra.Command {
	var group string
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "logoff ID|SEP…|USER | --tunnel-group NAME",
		Short: "End sessions; they must log in again",
		Long: `Ends the sessions of a number, phone or user, or of a tunnel group. Some phones stay
off afterwards until somebody presses keys.`,
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
				return noSession(group + strings.Join(args, ""))
			}
			return p.logoff(c, sessions, dryRun, yes)
		},
	}
	c.Flags().StringVar(&group, "tunnel-group", "", "all sessions of the tunnel group `NAME`")
	changeFlags(c, &dryRun, &yes)
	return c
}

func (p *program) logoff(c *cobra.Command, sessions []control.Session, dryRun, yes bool) error {
	ids := make([]uint64, len(sessions))
	for i, s := range sessions {
		ids[i] = s.ID
		fmt.Fprintf(p.err, "to be ended: session %d of %s %s\n", s.ID, s.User, s.Phone)
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
	ended, err := client.Logoff(c.Context(), ids)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(p.out, "ended: %d\n", ended)
	return err
}
