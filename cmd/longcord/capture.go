package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
)

func (p *program) sessionsCaptureCommand() *cobra.Command {
	var path string
	c := &cobra.Command{
		Use:   "capture ID|SEP…|USER",
		Short: "Look into a session's tunnel, live, as pcapng",
		Long: `Writes the decrypted packets of one session, both ways, as pcapng to standard output or
a file, until it is interrupted or the session ends:

  longcord sessions capture SEP001122334455 | wireshark -k -i -

Incoming packets come from the phone, outgoing ones go to it; comments say which channel
they take and what was refused. It is off until longcord.yaml says
"gateway: allowCapture: true"; who looks at what is logged, and sessions show says it
while it lasts.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			session, err := p.oneSession(c, args[0])
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGINT, syscall.SIGTERM)
			defer stop()
			return p.capture(ctx, session, path)
		},
	}
	c.Flags().StringVar(&path, "out", "", "write to `FILE` instead of standard output")
	return c
}

// oneSession returns the only session that is meant.
func (p *program) oneSession(c *cobra.Command, subject string) (control.Session, error) {
	sessions, err := p.sessions(c, func(s control.Session) bool { return matches(s, subject) })
	switch {
	case err != nil:
		return control.Session{}, err
	case len(sessions) == 0:
		return control.Session{}, noSession(subject)
	case len(sessions) > 1:
		return control.Session{}, usage(fmt.Errorf("%q has %d sessions", subject, len(sessions)), "name one by its number: longcord sessions list")
	}
	return sessions[0], nil
}

// captureTo opens what a capture is written to.
func (p *program) captureTo(path string) (io.WriteCloser, error) {
	if path != "" {
		out, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return nil, usage(err, "name a file that is not there yet")
		}
		return out, nil
	}
	if terminal, ok := p.out.(*os.File); ok && isatty.IsTerminal(terminal.Fd()) {
		return nil, usage(errors.New("a capture is nothing for a terminal"), "give --out FILE, or pipe it: | wireshark -k -i -")
	}
	return unclosed{p.out}, nil
}

// unclosed is a writer that somebody else closes.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// capture copies what the running system sends. Whoever reads may go at any time.
func (p *program) capture(ctx context.Context, session control.Session, path string) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	packets, err := client.Capture(ctx, session.ID)
	if err != nil {
		return err
	}
	defer packets.Close()
	out, err := p.captureTo(path)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.err, "capturing session %d of %s until it ends or you do\n", session.ID, session.User)
	_, err = io.Copy(out, packets)
	if ctx.Err() != nil || errors.Is(err, syscall.EPIPE) {
		err = nil
	}
	return errors.Join(err, out.Close())
}
