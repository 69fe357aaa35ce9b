package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// released is set by the linker for a release: -X main.released=1.2.3.
var released = ""

// version returns the release, or the revision this was built from.
func version() string {
	if released != "" {
		return released
	}
	built, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	revision, changed := "", ""
	for _, s := range built.Settings {
		switch {
		case s.Key == "vcs.revision":
			revision = s.Value[:min(12, len(s.Value))]
		case s.Key == "vcs.modified" && s.Value == "true":
			changed = "+changes"
		}
	}
	if revision == "" {
		return "development"
	}
	return revision + changed
}

func (p *program) versionCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "version": version(), "go": runtime.Version()})
			}
			_, err := fmt.Fprintf(p.out, "longcord %s (%s)\n", version(), runtime.Version())
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
