package lab

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
)

// Config is what the command line says.
type Config struct {
	VPN        string // dtls12 (default), psk, dtls09 or tls
	Signalling string // sip (default)
	Auth       string // password (default) or certificate
	Break      string // code of the finding whose cause is brought about; empty: none
	Keep       bool   // stay up until the context ends
	PCAP       string // capture file; empty: none
	JSON       bool   // one document on Stdout and nothing else
	Stdout     io.Writer
	Stderr     io.Writer
	Version    string // of this program, for the document
	Executable string // path of the longcord program; empty: this process's own

	// What a breakage needs to be otherwise.
	model        string       // of the home phone; empty: the variant's
	listed       string       // the model that the office takes it for; empty: what it is
	url          string       // of the gateway; empty: groupURL
	homeNetwork  netip.Prefix // invalid: homePrefix
	officeRouter netip.Addr   // what DHCP in the office calls the router; invalid: the gateway
	silent       bool         // the phone at home calls nobody
	secondTFTP   netip.Addr   // what DHCP in the office calls the second file server; invalid: there is none
	alternateNo  bool         // nobody has set Alternate TFTP on the home phone

	env []string // further environment of the programs, for tests
}

// usageError is a request that cannot be met as it stands.
type usageError struct{ says string }

func (e *usageError) Error() string { return "lab: " + e.says }

// byCertificate is the value of --auth with which the phone shows a certificate that init has issued.
const byCertificate = "certificate"

// choice is a flag with a few values, some of which are still to be built.
type choice struct {
	flag  string
	value *string
	works []string // the first is the default
	later []string
}

// withDefaults returns c with its gaps filled, or a usageError.
func (c Config) withDefaults() (Config, error) {
	for _, choice := range []choice{
		{"--vpn", &c.VPN, []string{"dtls12", "psk", "dtls09", "tls"}, nil},
		{"--signalling", &c.Signalling, []string{"sip"}, []string{"sccp"}},
		{"--auth", &c.Auth, []string{"password", byCertificate}, nil},
	} {
		if err := choice.settle(); err != nil {
			return c, err
		}
	}
	if c.Break != "" {
		b, err := breakageOf(c.Break)
		if err != nil {
			return c, err
		}
		if b.needs != nil {
			b.needs(&c)
		}
	}
	if c.url == "" {
		c.url = groupURL
	}
	if !c.homeNetwork.IsValid() {
		c.homeNetwork = homePrefix
	}
	if !c.officeRouter.IsValid() {
		c.officeRouter = insidePrefix.Addr()
	}
	if c.Executable == "" {
		c.Executable = "/proc/self/exe"
	}
	return c, nil
}

func (c choice) settle() error {
	if *c.value == "" {
		*c.value = c.works[0]
	}
	if slices.Contains(c.works, *c.value) {
		return nil
	}
	says := "is not one of its values"
	if slices.Contains(c.later, *c.value) {
		says = "is not built yet"
	}
	return &usageError{fmt.Sprintf("%s %s %s; what works: %s", c.flag, *c.value, says, strings.Join(c.works, ", "))}
}

// variant is what a choice of tunnel means for the rest of the system.
type variant struct {
	model       string // of the home phone
	initFlags   []string
	withoutDTLS bool // the group policy forbids DTLS
	psk         bool // the home phone offers a pre-shared key instead of its own suites
	transport   string
	dtlsVersion string
}

var variants = map[string]variant{
	"dtls12": {model: "CP-8861", transport: "dtls", dtlsVersion: "1.2"},
	"psk":    {model: "CP-8861", psk: true, transport: "dtls", dtlsVersion: "1.2"},
	"dtls09": {model: "CP-7962G", initFlags: []string{"--legacy-phones"}, transport: "dtls", dtlsVersion: "0.9"},
	"tls":    {model: "CP-8861", withoutDTLS: true, transport: "tls"},
}
