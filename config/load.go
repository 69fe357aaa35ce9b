package config

import (
	_ "embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/nearest"
	"github.com/longcord/longcord/internal/strictyaml"
)

// Example is an annotated configuration file. It is made from the comments of Config by
// "go test ./config -update", and Load takes it as it is.
//
//go:embed example.yaml
var Example string

// DefaultName is the configuration file's name in a folder that init has made.
const DefaultName = "longcord.yaml"

// SystemPath is where the file is looked for last.
const SystemPath = "/etc/longcord/longcord.yaml"

// Environment names the variable that may hold the file's path.
const Environment = "LONGCORD_CONFIG"

// ErrNone means that there is no configuration file in any of the places.
var ErrNone = errors.New("no configuration file: neither -c, nor " + Environment + ", nor ./" + DefaultName + ", nor " + SystemPath)

// Find returns the path of the configuration file: flag, the -c of the command line, wins over
// environment, the value of LONGCORD_CONFIG; then the working folder, then SystemPath.
func Find(flag, environment string) (string, error) {
	if named := flag; named != "" {
		return named, nil
	}
	if environment != "" {
		return environment, nil
	}
	for _, path := range []string{DefaultName, SystemPath} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", ErrNone
}

// Load reads the file at path. What is wrong in it comes as strictyaml.Problems.
func Load(path string) (Config, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return Config{}, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return Config{}, strictyaml.Problems{{File: path, Says: reason(err), Hint: "name the file with -c FILE, or make one with: longcord init DIR"}}
	}
	return parse(path, text, filepath.Dir(absolute))
}

func reason(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err.Error()
	}
	return err.Error()
}

func parse(name string, text []byte, dir string) (Config, error) {
	documents, err := strictyaml.Parse(name, text)
	if err != nil {
		return Config{}, err
	}
	if len(documents) != 1 {
		return Config{}, strictyaml.Problems{{File: name, Says: fmt.Sprintf("holds %d documents, expected one", len(documents)), Hint: "see: longcord config example"}}
	}
	c := defaults()
	var problems strictyaml.Problems
	if errors.As(documents[0].Decode(&c), &problems) {
		return Config{}, problems
	}
	if problems := c.check(documents[0]); len(problems) > 0 {
		return Config{}, problems
	}
	c.resolve(dir)
	return c, nil
}

// check returns what is wrong with the values together.
func (c *Config) check(d *strictyaml.Document) strictyaml.Problems {
	var problems strictyaml.Problems
	refuse := func(key, hint, says string) { problems = append(problems, d.Problem(key, hint, "%s", says)) }
	for key, value := range map[string]string{"state": c.State, "inventory": c.Inventory} {
		if value == "" {
			refuse(key, "see: longcord config example", key+" is missing")
		}
	}
	for key, address := range map[string]netip.Addr{"inside": c.Inside, "outside": c.Outside} {
		switch {
		case !address.IsValid():
			refuse(key, "write an address of this machine, such as 10.1.0.5", key+" is missing")
		case address.IsUnspecified() || address.IsMulticast():
			refuse(key, "write an address of this machine, such as 10.1.0.5", fmt.Sprintf("%s: %s is no address of one machine", key, address))
		}
	}
	if c.Outside6.IsValid() && (!c.Outside6.Is6() || c.Outside6.Is4In6() || c.Outside6.IsUnspecified() || c.Outside6.IsMulticast()) {
		refuse("outside6", "write an IPv6 address of this machine, such as 2001:db8::10", fmt.Sprintf("outside6: %s is no IPv6 address of one machine", c.Outside6))
	}
	if c.Outside6.IsValid() && !c.Outside.Is4() {
		refuse("outside6", "write the IPv4 address as outside, or leave outside6 out", "outside6: outside is no IPv4 address, and one of each family is all there can be")
	}
	if c.Gateway.Port == 0 {
		refuse("gateway", "write the port of the group URLs, usually 443", "gateway: port 0 is no port")
	}
	if n := len(c.Gateway.TUN); n == 0 || n > maxInterfaceName {
		refuse("gateway", "", fmt.Sprintf("gateway: tun has %d characters; interface names have 1 to %d", n, maxInterfaceName))
	}
	if d := c.Gateway.BatchDelay; d.Duration < 0 || d.Duration > maxBatchDelay {
		refuse("gateway", "", fmt.Sprintf("gateway: batchDelay %s is not between 0s and %s", d, maxBatchDelay))
	}
	if directory := c.Certificates.ACME.Directory; directory != "" && !strings.HasPrefix(directory, "https://") {
		refuse("certificates", "write the URL of the authority's directory, such as https://acme-v02.api.letsencrypt.org/directory", fmt.Sprintf("certificates: acme: directory %q is no https URL", directory))
	}
	for i, port := range c.Gateway.MorePorts {
		if port == 0 || port == c.Gateway.Port || slices.Contains(c.Gateway.MorePorts[:i], port) {
			refuse("gateway", "name each port once, and not the one of port", fmt.Sprintf("gateway: morePorts: %d is no port more", port))
		}
	}
	if a := c.Provisioner.Address; a.IsValid() && (!a.Is4() || !a.IsGlobalUnicast() || a == c.Inside || a == c.Outside) {
		refuse("provisioner", "write an address that nothing else has and no home uses, such as 10.47.11.5", fmt.Sprintf("provisioner: address %s is no second IPv4 address for files", a))
	}
	c.Gateway.checkRoute(refuse)
	c.Gateway.Syslog.check(refuse)
	c.Calls.check(refuse)
	if k := c.Certificates; k.RenewBefore < 0 || k.KeepFor < 0 {
		refuse("certificates", "write days; renewBefore: 0 means never", "certificates: renewBefore and keepFor are no negative numbers")
	}
	slices.SortFunc(problems, func(a, b strictyaml.Problem) int { return a.Line - b.Line })
	return problems
}

// maxBatchDelay is what nobody hears yet, twice: there and back.
const maxBatchDelay = time.Millisecond

// maxInterfaceName is Linux's IFNAMSIZ less its closing zero.
const maxInterfaceName = 15

func (g *Gateway) checkRoute(refuse func(key, hint, says string)) {
	seen := map[bool]bool{}
	for _, hop := range g.TunneledDefaultRoute {
		switch {
		case !hop.IsGlobalUnicast():
			refuse("gateway", "write a router's address inside, such as 10.1.0.1", fmt.Sprintf("gateway: tunneledDefaultRoute: %s is no router's address", hop))
		case seen[hop.Is4()]:
			refuse("gateway", "keep one of IPv4 and one of IPv6 at most", fmt.Sprintf("gateway: tunneledDefaultRoute: %s is the second address of its family", hop))
		}
		seen[hop.Is4()] = true
	}
}

func (s *Syslog) check(refuse func(key, hint, says string)) {
	host, port, err := net.SplitHostPort(s.Server)
	switch {
	case s.Server != "" && (err != nil || host == "" || port == ""):
		refuse("gateway", "write server: HOST:PORT, such as 10.1.0.9:514", fmt.Sprintf("gateway: syslog: server %q is not HOST:PORT", s.Server))
	case s.Protocol != "udp" && s.Protocol != "tcp":
		refuse("gateway", "write udp or tcp", fmt.Sprintf("gateway: syslog: %q is neither udp nor tcp", s.Protocol))
	case s.Facility < 0 || s.Facility > 23:
		refuse("gateway", "write 16 for local0 to 23 for local7", fmt.Sprintf("gateway: syslog: facility %d is not within 0 to 23", s.Facility))
	}
}

const maxServers = 3 // phones take no more

func (c *Calls) check(refuse func(key, hint, says string)) {
	switch {
	case c.Mode == Aside && len(c.Servers) == 0:
		refuse("calls", "name your PBX: servers: [HOST]", "calls: mode aside without servers")
	case c.Mode == Own && len(c.Servers) > 0:
		refuse("calls", "write mode: aside, or take the servers out", "calls: servers are named, and mode is own")
	case len(c.Servers) > maxServers:
		refuse("calls", "", fmt.Sprintf("calls: %d servers; phones take %d", len(c.Servers), maxServers))
	}
}

// UnmarshalText reads a mode's word.
func (m *Mode) UnmarshalText(text []byte) error {
	if *m = Mode(text); *m == Own || *m == Aside {
		return nil
	}
	return fmt.Errorf("%q is neither %s nor %s", text, Own, Aside)
}

func (c *Config) resolve(dir string) {
	if c.Socket == "" {
		c.Socket = "longcord.sock"
	}
	for _, path := range []*string{&c.State, &c.Socket, &c.Inventory, &c.Provisioner.Files} {
		if *path != "" && !filepath.IsAbs(*path) {
			*path = filepath.Join(dir, *path)
		}
	}
}

// Database returns the path of the store's file.
func (c *Config) Database() string { return filepath.Join(c.State, "longcord.db") }

// MasterKey returns the path of the key that seals secrets in the store.
func (c *Config) MasterKey() string { return filepath.Join(c.State, "master.key") }

// Duration is a time as people write it, such as 500us.
type Duration struct{ time.Duration }

// UnmarshalText reads a duration with its unit.
func (d *Duration) UnmarshalText(text []byte) (err error) {
	if d.Duration, err = time.ParseDuration(string(text)); err != nil {
		return fmt.Errorf("%q is no duration: write a number and its unit, such as 500us or 1ms", text)
	}
	return nil
}

// Level is a log level's word.
type Level string

var levels = map[Level]slog.Level{
	"error": slog.LevelError, "warn": slog.LevelWarn, "info": slog.LevelInfo, "debug": slog.LevelDebug, "trace": logging.LevelTrace,
}

// Level makes a Level a slog.Leveler.
func (l Level) Level() slog.Level { return levels[l] }

// UnmarshalText reads a level's word.
func (l *Level) UnmarshalText(text []byte) error {
	words := []string{"error", "warn", "info", "debug", "trace"}
	*l = Level(text)
	if slices.Contains(words, string(text)) {
		return nil
	}
	if near := nearest.Word(string(text), words); near != "" {
		return fmt.Errorf("%q is no log level; did you mean %q?", text, near)
	}
	return fmt.Errorf("%q is no log level: write one of %v", text, words)
}
