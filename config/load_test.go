package config

import (
	"errors"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/strictyaml"
)

const small = "state: state\ninventory: inventory.yaml\ninside: 10.1.0.5\noutside: 192.0.2.10\nprovisioner:\n  files: files\n"

func TestLoadFillsDefaultsAndResolvesPaths(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, DefaultName)
	if err := os.WriteFile(path, []byte(small+"logLevel: trace\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		c.State: "state", c.Socket: "longcord.sock", c.Inventory: "inventory.yaml", c.Provisioner.Files: "files",
		c.Database(): "state/longcord.db", c.MasterKey(): "state/master.key",
	} {
		if got != filepath.Join(dir, want) {
			t.Errorf("path %s, want %s in %s", got, want, dir)
		}
	}
	if c.Inside != netip.MustParseAddr("10.1.0.5") || c.Gateway.Port != 443 || c.Gateway.TUN != "longcord0" || c.Calls.Mode != Own {
		t.Errorf("read %+v", c)
	}
	if c.LogLevel.Level() != logging.LevelTrace || Level("warn").Level() != slog.LevelWarn {
		t.Errorf("log level %v", c.LogLevel.Level())
	}
}

// Nothing is served as it is unless a folder is named: the one beside the file holds keys.
func TestNoFilesFolder(t *testing.T) {
	t.Parallel()
	c, err := parse(DefaultName, []byte("state: s\ninventory: i\ninside: 10.1.0.5\noutside: 10.1.0.5\n"), "/etc/longcord")
	if err != nil || c.Provisioner.Files != "" {
		t.Errorf("folder %q, %v, want none", c.Provisioner.Files, err)
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want, hint string }{
		{"unknown key", small + "insid: 10.0.0.1\n", `longcord.yaml:7: "insid" is not a key here`, `did you mean "inside"?`},
		{"unknown key below", small + "gateway:\n  prot: 444\n", `longcord.yaml:8: "prot" is not a key here`, `did you mean "port"?`},
		{"no address", strings.Replace(small, "10.1.0.5", "office", 1), `longcord.yaml:3: inside: ParseAddr`, ""},
		{"any address", strings.Replace(small, "10.1.0.5", "0.0.0.0", 1), `longcord.yaml:3: inside: 0.0.0.0 is no address of one machine`, "10.1.0.5"},
		{"missing outside", strings.Replace(small, "outside: 192.0.2.10\n", "", 1), `longcord.yaml:1: outside is missing`, ""},
		{"tunneled route to nowhere", small + "gateway:\n  tunneledDefaultRoute: [0.0.0.0]\n", `longcord.yaml:7: gateway: tunneledDefaultRoute: 0.0.0.0 is no router's address`, "10.1.0.1"},
		{"inside as own address of files", strings.Replace(small, "provisioner:\n", "provisioner:\n  address: 10.1.0.5\n", 1), `longcord.yaml:5: provisioner: address 10.1.0.5 is no second IPv4 address`, "no home uses"},
		{"IPv4 as outside6", small + "outside6: 192.0.2.11\n", `longcord.yaml:7: outside6: 192.0.2.11 is no IPv6 address of one machine`, "2001:db8::10"},
		{"two of IPv6", strings.Replace(small, "192.0.2.10", "2001:db8::1", 1) + "outside6: 2001:db8::2\n", `longcord.yaml:7: outside6: outside is no IPv4 address, and one of each family is all there can be`, "leave outside6 out"},
		{"proxy without a length", small + "gateway:\n  proxyProtocol: [10.1.0.9]\n", `longcord.yaml:8: proxyProtocol: netip.ParsePrefix("10.1.0.9"): no '/'`, ""},
		{"two tunneled routes", small + "gateway:\n  tunneledDefaultRoute: [10.1.0.1, 10.1.0.2]\n", `longcord.yaml:7: gateway: tunneledDefaultRoute: 10.1.0.2 is the second address of its family`, "one of IPv4"},
		{"long interface", small + "gateway:\n  tun: longcord-is-long\n", `longcord.yaml:7: gateway: tun has 16 characters`, ""},
		{"syslog without port", small + "gateway:\n  syslog:\n    server: collector\n", `longcord.yaml:7: gateway: syslog: server "collector" is not HOST:PORT`, ""},
		{"syslog protocol", small + "gateway:\n  syslog: {protocol: tls}\n", `longcord.yaml:7: gateway: syslog: "tls" is neither udp nor tcp`, ""},
		{"syslog facility", small + "gateway:\n  syslog: {facility: 24}\n", `longcord.yaml:7: gateway: syslog: facility 24 is not within 0 to 23`, ""},
		{"long delay", small + "gateway:\n  batchDelay: 2ms\n", `longcord.yaml:7: gateway: batchDelay 2ms is not between 0s and 1ms`, ""},
		{"delay without unit", small + "gateway:\n  batchDelay: 500\n", `longcord.yaml:8: batchDelay: "500" is no duration`, ""},
		{"mode", small + "calls:\n  mode: none\n", `longcord.yaml:8: mode: "none" is neither own nor aside`, ""},
		{"aside without servers", small + "calls:\n  mode: aside\n", `longcord.yaml:7: calls: mode aside without servers`, "name your PBX"},
		{"servers in mode own", small + "calls:\n  servers: [pbx]\n", `longcord.yaml:7: calls: servers are named, and mode is own`, "mode: aside"},
		{"level", small + "logLevel: inof\n", `longcord.yaml:7: logLevel: "inof" is no log level; did you mean "info"?`, ""},
		{"empty", "", `longcord.yaml: holds 0 documents`, "longcord config example"},
		{"two documents", small + "---\n" + small, `longcord.yaml: holds 2 documents`, ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := parse("longcord.yaml", []byte(test.text), "/")
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want Problems", err)
			}
			if p := problems[0]; !strings.HasPrefix(p.Error(), test.want) || !strings.Contains(p.Hint, test.hint) {
				t.Errorf("got %q, hint %q\nwant %q, %q", p.Error(), p.Hint, test.want, test.hint)
			}
		})
	}
}

func TestFindPrefersFlagThenEnvironmentThenFolder(t *testing.T) {
	t.Chdir(t.TempDir())
	if _, err := Find("", ""); !errors.Is(err, ErrNone) {
		t.Errorf("with nothing there: %v, want ErrNone", err)
	}
	if err := os.WriteFile(DefaultName, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range [][3]string{{"flag.yaml", "env.yaml", "flag.yaml"}, {"", "env.yaml", "env.yaml"}, {"", "", DefaultName}} {
		if got, err := Find(test[0], test[1]); got != test[2] || err != nil {
			t.Errorf("Find(%q, %q) = %q, %v, want %q", test[0], test[1], got, err, test[2])
		}
	}
}
