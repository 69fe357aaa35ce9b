package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write golden files and scripts anew")

func TestMain(m *testing.M) { testscript.Main(m, map[string]func(){"longcord": main}) }

// TestScripts runs the program as people meet it. "status N command…" expects an exit code.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata", UpdateScripts: *update, RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			samples, err := filepath.Abs("../../trust/testdata/pkcs12")
			env.Setenv("PKCS12", samples)
			return err
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"status": status, "system": startSystem},
	})
}

// status runs a command and compares its exit code.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status CODE COMMAND…")
	}
	want := args[0]
	err := ts.Exec(args[1], args[2:]...)
	got := "0"
	if exit, ok := err.(interface{ ExitCode() int }); ok {
		got = fmt.Sprint(exit.ExitCode())
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("exit code %s, want %s\n%s%s", got, want, ts.ReadFile("stdout"), ts.ReadFile("stderr"))
	}
}

// TestHelp compares the help of every command with testdata/help.golden.
func TestHelp(t *testing.T) {
	t.Parallel()
	var text strings.Builder
	root := newRoot(&program{out: &text, err: &text})
	root.InitDefaultCompletionCmd()
	everyCommand(root, func(c *cobra.Command) {
		if c.HasParent() && (c.Name() == "completion" || c.Parent().Name() == "completion") {
			return // cobra's own words
		}
		fmt.Fprintf(&text, "== %s\n", c.CommandPath())
		if err := c.Help(); err != nil {
			t.Error(err)
		}
	})
	golden := filepath.Join("testdata", "help.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(text.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if text.String() != string(want) {
		t.Errorf("help changed; if that is meant: go test ./cmd/longcord -update\n%s", text.String())
	}
}

func everyCommand(c *cobra.Command, each func(*cobra.Command)) {
	each(c)
	for _, sub := range c.Commands() {
		everyCommand(sub, each)
	}
}

// TestEveryCommandSaysWhatItDoes keeps the help whole.
func TestEveryCommandSaysWhatItDoes(t *testing.T) {
	t.Parallel()
	everyCommand(newRoot(&program{}), func(c *cobra.Command) {
		if c.Short == "" || strings.HasSuffix(c.Short, ".") {
			t.Errorf("%s: %q is no short description", c.CommandPath(), c.Short)
		}
	})
}
