//go:build interop

package serve_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/longcord/longcord/internal/testcert"
	"github.com/longcord/longcord/interop/office"
)

const (
	configuration = "longcord.yaml"
	inventory     = "inventory.yaml"
)

// mistake is something an operator writes, and what he is told.
type mistake struct {
	name     string
	file     string // of the set-up
	old, new string // what is replaced in it; old empty: new stands at the end
	at       string // text of the line that is to be named; empty: the first line of new
	says     string
	hint     string // part of it; "-": none is needed
}

var mistakes = []mistake{
	{"unknown key", configuration, "state: state", "stat: state", "", "stat", "state"},
	{"unknown key inside", configuration, "port: 443", "prot: 443", "", "prot", "port"},
	{"wrong type", configuration, "port: 443", "port: many", "", "port", "-"},
	{"port beyond the last", configuration, "port: 443", "port: 70000", "", "70000", "-"},
	{"tab as indentation", configuration, "  port: 443", "\tport: 443", "", "tab", "spaces"},
	{"no address", configuration, "inside: 10.20.0.1", "inside: office.example.net", "", "inside", "-"},
	{"address missing", configuration, "outside: 203.0.113.2", "", "-", "outside", "address"},
	{"unknown log level", configuration, "", "logLevel: verbose", "", "verbose", "-"},
	{"servers without aside", configuration, "mode: own", "mode: own\n  servers: [pbx.example.net]", "calls:", "servers", "aside"},
	{"aside without servers", configuration, "mode: own", "mode: aside", "calls:", "aside", "servers"},
	{"key twice", configuration, "", "state: elsewhere", "", "state", "-"},
	{"two documents", configuration, "", "---\nstate: state", "-", "documents", "example"},

	{"unknown kind", inventory, "", "---\nkind: Phone\nname: x", "kind: Phone", "Phone", "-"},
	{"unknown field", inventory, "idleTimeout: 0", "idelTimeout: 0", "", "idelTimeout", "idleTimeout"},
	{"field of another type", inventory, "keepAlive: 20\ndpdClient: 30", "keepAlive: [20]\ndpdClient: 30", "", "keepAlive", "-"},
	{"word where a number stands", inventory, "idleTimeout: 0", "idleTimeout: never", "", "idleTimeout", "-"},
	{"missing reference", inventory, "site: office\nlines: [\"1002\"]", "site: ofice\nlines: [\"1002\"]", "", "ofice", `did you mean "office"`},
	{"missing line", inventory, "lines: [\"1002\"]", "lines: [\"1003\"]", "", "1003", "100"},
	{"limit exceeded", inventory, "enableHostIDCheck: true\n# Seconds; see keepAlive above. CUCM's 60 is too long for many home routers.\nkeepAlive: 20",
		"enableHostIDCheck: true\nkeepAlive: 200", "keepAlive: 200", "between 0 and 120", "-"},
	{"too many gateways", inventory, "gateways: [gateway]", "gateways: [gateway, b, c, d]", "", "at most 3", "url3"},
	{"wrong word", inventory, "splitTunnelPolicy: tunnelall", "splitTunnelPolicy: tunelall", "", "tunelall", "tunnelall"},
	{"split tunnel for phones", inventory, "splitTunnelPolicy: tunnelall", "splitTunnelPolicy: tunnelspecified\nsplitTunnelNetworks: [10.20.0.0/24]",
		"defaultGroupPolicy: phones", "splits the tunnel", "tunnelall"},
	{"default tunnel group for phones", inventory, "kind: TunnelGroup\nname: phones", "kind: TunnelGroup\nname: DefaultWEBVPNGroup",
		"phones: true", "default tunnel group", "tunnel group of its own"},
	{"group URL almost the same", inventory, "url: \"https://203.0.113.2/phone\"", "url: \"https://203.0.113.2/phone/\"",
		"", "no tunnel group has it", "https://203.0.113.2/phone, byte for byte"},
	{"no https", inventory, "url: \"https://203.0.113.2/phone\"", "url: \"http://203.0.113.2/phone\"", "", "no https URL", "https"},
	{"object twice", inventory, "", "---\nkind: Site\nname: office", "-", "office", "-"},
	{"field twice", inventory, "idleTimeout: 0", "idleTimeout: 0\nidleTimeout: 1", "idleTimeout: 1", "idleTimeout", "-"},
	{"network with host bits", inventory, "network: 10.20.0.128/26", "network: 10.20.0.130/26", "", "bits set", "10.20.0.128/26"},
	{"device name with colons", inventory, "name: SEP020000001002", "name: SEP02:00:00:00:10:02", "", "hex digits", "SEP020000001002"},
	{"unknown model", inventory, "description: \"Home\"\nmodel: CP-8861", "description: \"Home\"\nmodel: CP-8888", "model: CP-8888", "CP-8888", "-"},
	{"space in a phone user's password", inventory, "", "---\nkind: User\nname: anna\ndevices: [SEP020000001002]\npassword: \"two words\"",
		"password: \"two words\"", "space", "leave it out"},
	{"space in a phone user's name", inventory, "", "---\nkind: User\nname: \"anna b\"\ndevices: [SEP020000001002]\npassword: word",
		"name: \"anna b\"", "space", "leave it out"},
	{"missing key file", inventory, "keyFile: certificates/gateway.key", "keyFile: certificates/gone.key", "", "gone.key", "-"},
	{"key of another certificate", inventory, "keyFile: certificates/gateway.key", "keyFile: certificates/gateway-spare.key", "", "key", "-"},
	{"truncated certificate", inventory, "certificateFile: certificates/gateway.pem", "certificateFile: certificates/cut.pem", "", "cut.pem", "-"},
	{"wildcard certificate with the host check", inventory,
		"certificateFile: certificates/gateway.pem\nkeyFile: certificates/gateway.key",
		"certificateFile: certificates/wild.pem\nkeyFile: certificates/wild.key", "vpnGroup: phones", "wildcard", "enableHostIDCheck: false"},
}

// Every mistake is refused by `config check` and by `serve`, before anything is opened, with file, line and
// what to write instead.
func TestMistakes(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	prepareCertificates(t, o)
	for _, m := range mistakes {
		t.Run(m.name, func(t *testing.T) {
			dir := copyOf(t, o)
			line := m.make(t, dir)
			for _, command := range [][]string{{"config", "check"}, {"serve"}} {
				out, code := run(t, o, "", append([]string{"-c", filepath.Join(dir, configuration)}, command...)...)
				m.judge(t, out, code, dir, line)
			}
		})
	}
}

// make makes the mistake in a set-up, and returns the number of the line that should be named, 0 for any.
func (m mistake) make(t *testing.T, dir string) (line int) {
	t.Helper()
	path := filepath.Join(dir, m.file)
	text := read(t, path)
	if m.old == "" {
		text = strings.TrimRight(text, "\n") + "\n" + m.new + "\n"
	} else if strings.Count(text, m.old) != 1 {
		t.Fatalf("%s holds %q %d times, expected it once", m.file, m.old, strings.Count(text, m.old))
	} else {
		text = strings.Replace(text, m.old, m.new, 1)
	}
	must(t, os.WriteFile(path, []byte(text), 0o600))
	at := m.at
	switch at {
	case "-":
		return 0
	case "":
		at, _, _ = strings.Cut(m.new, "\n")
	}
	before, _, found := strings.Cut(text, at)
	if !found {
		t.Fatalf("%s does not hold %q", m.file, at)
	}
	return strings.Count(before, "\n") + 1
}

var place = regexp.MustCompile(`(?m)^(\S+\.yaml)(?::(\d+))?: `)

func (m mistake) judge(t *testing.T, out string, code int, dir string, line int) {
	t.Helper()
	if code != 2 {
		t.Errorf("exit code %d, want 2\n%s", code, out)
	}
	found := place.FindStringSubmatch(out)
	if found == nil || found[1] != filepath.Join(dir, m.file) || line != 0 && found[2] != fmt.Sprint(line) || found[2] == "" && m.at != "-" {
		t.Errorf("no word of %s, line %d:\n%s", m.file, line, out)
	}
	if !strings.Contains(out, m.says) {
		t.Errorf("no word of %q:\n%s", m.says, out)
	}
	if m.hint != "-" && !regexp.MustCompile(`hint: .*`+regexp.QuoteMeta(m.hint)).MatchString(out) {
		t.Errorf("no hint about %q:\n%s", m.hint, out)
	}
}

// prepareCertificates puts a cut and a wildcard certificate beside the others.
func prepareCertificates(t *testing.T, o *office.Office) {
	t.Helper()
	whole := read(t, o.Path("certificates/gateway.pem"))
	must(t, os.WriteFile(o.Path("certificates/cut.pem"), []byte(whole[:len(whole)/2]), 0o600))
	certificate, key := testcert.PEM(testcert.RSA("*.example.net"))
	must(t, os.WriteFile(o.Path("certificates/wild.pem"), []byte(certificate), 0o600))
	must(t, os.WriteFile(o.Path("certificates/wild.key"), []byte(key), 0o600))
}
