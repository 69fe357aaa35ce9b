package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/config"
)

// program is what every command needs of its surroundings.
type program struct {
	in         io.Reader
	out, err   io.Writer
	configFlag string // -c
}

// commands are the program's commands, each in a file of its own.
func (p *program) commands() []*cobra.Command {
	return []*cobra.Command{
		p.labCommand(),
		p.initCommand(),
		p.serveCommand(),
		p.phoneCommand(),
		p.doctorCommand(),
		p.configCommand(),
		p.planCommand(),
		p.applyCommand(),
		p.getCommand(),
		p.exportCommand(),
		p.deleteCommand(),
		p.phonesCommand(), p.carryCommand(),
		p.usersCommand(),
		p.sessionsCommand(),
		p.showCommand(),
		p.sessionDBCommand(),
		p.certsCommand(),
		p.trustCommand(),
		p.importCommand(),
		p.versionCommand(),
	}
}

// run runs the program until it is done or ctx ends, and returns its exit code.
func run(ctx context.Context, args []string, in io.Reader, out, err io.Writer) int {
	root := newRoot(&program{in: in, out: out, err: err})
	root.SetArgs(args)
	return report(err, root.ExecuteContext(ctx))
}

func newRoot(p *program) *cobra.Command {
	root := &cobra.Command{
		Use:   "longcord",
		Short: "Cisco IP phones at home: files, VPN, registration, calls, and what is wrong",
		Long: `Longcord provisions Cisco IP phones, carries them home through an SSL VPN, registers
them and connects their calls. "longcord init DIR" makes a set-up, "longcord serve"
runs it, "longcord lab" shows the whole story on this machine.

Exit codes: 0 good; 1 the thing asked about is not well; 2 wrong usage or bad
configuration; 3 cannot tell; 4 cannot reach the running system, or no right to.`,
		Args:          cobra.NoArgs,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(p.in)
	root.SetOut(p.out)
	root.SetErr(p.err)
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return usage(err, c.CommandPath()+" --help") })
	root.CompletionOptions.HiddenDefaultCmd = false
	root.PersistentFlags().StringVarP(&p.configFlag, "config", "c", "",
		"configuration `FILE` (default $"+config.Environment+", ./"+config.DefaultName+", "+config.SystemPath+")")
	root.AddCommand(p.commands()...)
	mark(root)
	return root
}

// mark gives every error of a command's own work the exit code 1 unless it says another: what is left
// without a code then is the command line's own complaint. A command that only groups others refuses to
// be run by itself.
func mark(c *cobra.Command) {
	if work := c.RunE; work != nil {
		c.RunE = func(c *cobra.Command, args []string) error {
			err := work(c, args)
			var coded *failure
			if err == nil || errors.As(err, &coded) {
				return err
			}
			return explained(err)
		}
	} else if c.HasSubCommands() {
		c.RunE = group
		c.Args, c.SuggestionsMinimumDistance = cobra.ArbitraryArgs, 2
	}
	for _, sub := range c.Commands() {
		mark(sub)
	}
}

func group(c *cobra.Command, args []string) error {
	help := c.CommandPath() + " --help"
	if len(args) == 0 {
		return usage(fmt.Errorf("%q needs to be told what to do", c.CommandPath()), help)
	}
	err := fmt.Errorf("%q is not a command of %q", args[0], c.CommandPath())
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		return usage(err, c.CommandPath()+" "+near[0])
	}
	return usage(err, help)
}

// configPath returns the path of the configuration file.
func (p *program) configPath() (string, error) {
	path, err := config.Find(p.configFlag, os.Getenv(config.Environment))
	if err != nil {
		return "", usage(err, "longcord init DIR --help")
	}
	return path, nil
}

// config reads the configuration file.
func (p *program) config() (config.Config, error) {
	path, err := p.configPath()
	if err != nil {
		return config.Config{}, err
	}
	c, err := config.Load(path)
	if err != nil {
		return c, usage(err)
	}
	return c, nil
}

// printJSON writes one document to standard output.
func (p *program) printJSON(value any) error { return encodeJSON(p.out, value) }

func encodeJSON(out io.Writer, value any) error {
	encoder := json.NewEncoder(out)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", "  ")
	return encoder.Encode(value)
}

// jsonFlag adds --json to a reading command.
func jsonFlag(c *cobra.Command, asJSON *bool) {
	c.Flags().BoolVar(asJSON, "json", false, "print one JSON document")
}
