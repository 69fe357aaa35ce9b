package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/mattn/go-isatty"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
)

// client returns a client of the running system that the configuration file names.
func (p *program) client() (*control.Client, error) {
	c, err := p.config()
	if err != nil {
		return nil, err
	}
	return control.NewClient(c.Socket), nil
}

// explained gives an error of the running system its exit code and hints.
func explained(err error) error {
	var refusal *control.Refusal
	switch {
	case errors.Is(err, control.ErrUnreachable):
		return &failure{exitUnreachable, err, []string{"start it with: longcord serve", "or name its configuration file with -c FILE"}}
	case errors.Is(err, control.ErrForbidden):
		return &failure{exitUnreachable, err, []string{"run this as its owner, as root, or as a member of the group longcord"}}
	case errors.As(err, &refusal) && refusal.Status < http.StatusInternalServerError:
		var hints []string
		for _, problem := range refusal.Problems {
			hints = append(hints, problem.Hint)
		}
		return usage(err, hints...)
	}
	return notWell(err)
}

// confirm asks before phones are cut off. Without a terminal only --yes is an answer.
func (p *program) confirm(yes bool) error {
	if yes {
		return nil
	}
	terminal, ok := p.in.(*os.File)
	if !ok || !isatty.IsTerminal(terminal.Fd()) {
		return usage(errors.New("this cuts phones off, and there is no terminal to ask on"), "give --yes, or look first with --dry-run")
	}
	fmt.Fprint(p.err, "Do it? (yes/no) ")
	answer, err := bufio.NewReader(p.in).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return usage(errors.Join(errors.New("nothing was done"), err))
	}
	return nil
}

// password reads a password from standard input: all of it, less the end of the line.
func (p *program) password(fromStdin bool) (secret.String, error) {
	if !fromStdin {
		return secret.String{}, usage(errors.New("a password is read from standard input only, so that it stands in no list of processes"), "give --password-stdin")
	}
	text, err := io.ReadAll(p.in)
	if err != nil {
		return secret.String{}, fmt.Errorf("standard input: %w", err)
	}
	password := strings.TrimSuffix(strings.TrimSuffix(string(text), "\n"), "\r")
	if password == "" || strings.ContainsAny(password, "\r\n") {
		return secret.String{}, usage(errors.New("standard input holds no password, or more than one line"))
	}
	return secret.New(password), nil
}

// table prints rows in columns under a head.
func (p *program) table(head []string, rows [][]string) error {
	var text bytes.Buffer
	out := tabwriter.NewWriter(&text, 0, 0, 2, ' ', 0)
	for _, row := range append([][]string{head}, rows...) {
		fmt.Fprintln(out, strings.Join(row, "\t"))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	for line := range strings.Lines(text.String()) {
		fmt.Fprintln(p.out, strings.TrimRight(line, " \n"))
	}
	return nil
}
