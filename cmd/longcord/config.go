package main

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/strictyaml"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
)

func (p *program) configCommand() *cobra.Command {
	c := &cobra.Command{Use: "config", Short: "The configuration file"}
	c.AddCommand(p.configCheckCommand(), &cobra.Command{
		Use:   "example",
		Short: "Print an annotated configuration file",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			_, err := io.WriteString(p.out, config.Example)
			return err
		},
	})
	return c
}

func (p *program) configCheckCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "check",
		Short: "Check the configuration file, and master.key and inventory file that it names",
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			path, err := p.configPath()
			if err != nil {
				return err
			}
			c, devices, err := check(path)
			if asJSON {
				return p.checkedJSON(err)
			}
			if err != nil {
				return err
			}
			for _, warning := range overlaps(c) {
				fmt.Fprintf(p.err, "warning: %s\n", warning)
			}
			_, err = fmt.Fprintf(p.out, "%s and %s are good: %d devices\n", path, c.Inventory, devices)
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

// check reads what serve reads at its first start.
func check(path string) (c config.Config, devices int, err error) {
	if c, err = config.Load(path); err != nil {
		return c, 0, usage(err)
	}
	read, err := file.Read(c.Inventory)
	if err != nil {
		return c, 0, usage(err)
	}
	set, err := read.Set()
	if err != nil {
		return c, 0, usage(err)
	}
	_, err = loadKey(c)
	return c, len(set.Devices), err
}

// overlaps says which addresses of the set-up many homes have, too.
func overlaps(c config.Config) (warnings []string) {
	server := c.Inside
	if c.Provisioner.Address.IsValid() {
		server = c.Provisioner.Address
	}
	if network, whose, ok := inventory.HomeNetwork(netip.PrefixFrom(server, server.BitLen())); ok {
		f := finding.HomeNetworkOverlaps.With(server.String(), network.String(), whose)
		warnings = append(warnings, f.Says+" ("+f.Code+")")
	}
	if read, err := file.Read(c.Inventory); err == nil {
		if set, err := read.Set(); err == nil {
			for name := range set.AddressPools {
				pool, _ := set.PoolPrefix(name)
				if network, whose, ok := inventory.HomeNetwork(pool); ok {
					warnings = append(warnings, fmt.Sprintf("the address pool %q, %s, shares addresses with %s, which many homes have (%s)", name, pool, network, whose))
				}
			}
		}
	}
	slices.Sort(warnings)
	return warnings
}

func (p *program) checkedJSON(err error) error {
	problems := strictyaml.Problems{}
	if err != nil && !errors.As(err, &problems) {
		return err
	}
	if err := p.printJSON(map[string]any{"schema": 1, "ok": len(problems) == 0, "problems": problems}); err != nil {
		return err
	}
	if len(problems) > 0 {
		return usage(errQuiet)
	}
	return nil
}
