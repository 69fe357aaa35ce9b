// Package setup makes a complete small set-up out of a few facts: configuration, inventory, keys,
// certificates, and the words that tell what to do next.
//
// Make is a pure function from Options to Files and a message; Write puts the files into an empty
// folder. What it makes is meant for phones at home and says why where it differs from vendors'
// defaults.
package setup

import (
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
)

// Options are the facts.
type Options struct {
	Dir           string // where the files will be, for the commands in the message
	URL           string // what phones are given, written into their files byte for byte
	Outside       netip.Addr
	Inside        netip.Addr
	Files         netip.Addr // a second address for phones' files; none: Inside
	Pool          netip.Prefix
	Phones        []Phone      // none: two software phones
	PBX           string       // HOST or HOST:PORT; empty: calls are connected here
	ByCertificate bool         // phones log in by certificate instead of user name and password
	Legacy        bool         // let phones with old TLS in; set by itself when a phone needs it
	InsideNetwork netip.Prefix // network of Inside, where it is known
	Routes        []string     // commands that lead the pool to Inside, for Linux, IOS and the ASA
	FileRoutes    []string     // likewise Files
	Now           time.Time
}

// Phone is a phone to begin with.
type Phone struct {
	Device string // SEP and the MAC address
	Model  string
	Line   string
	Name   string // of its user; may be empty
}

// softwarePhones stand in the inventory when no phone is named. Their MAC addresses are of the kind that
// no maker gives out.
var softwarePhones = []Phone{
	{Device: "SEP020000001001", Model: "CP-8861", Line: "1001", Name: "Desk"},
	{Device: "SEP020000001002", Model: "CP-8861", Line: "1002", Name: "Home"},
}

// Refusal is an option that cannot be used.
type Refusal struct {
	Option string // its flag, such as "--url"
	Says   string
	Hint   string
}

// Error returns the refusal on one line, without the hint.
func (r Refusal) Error() string { return r.Option + ": " + r.Says }

// Result is what Make made.
type Result struct {
	Files    []File
	Message  string   // what to do next
	Warnings []string // what works, and may surprise
}

// Make returns the whole set-up. What is wrong with the options comes as Refusals, joined.
func Make(o Options) (Result, error) {
	if len(o.Phones) == 0 {
		o.Phones = softwarePhones
	}
	if err := o.check(); err != nil {
		return Result{}, err
	}
	values, warnings := o.values()
	files, err := values.files(o.Now)
	if err != nil {
		return Result{}, err
	}
	if err := prove(files); err != nil {
		return Result{}, err
	}
	message, err := render("next.txt", values)
	return Result{Files: files, Message: string(message), Warnings: warnings}, err
}

// ParsePhone reads SEP001122334455=CP-8861:1001[:NAME].
func ParsePhone(text string) (Phone, error) {
	device, rest, ok := strings.Cut(text, "=")
	model, rest, ok2 := strings.Cut(rest, ":")
	line, name, _ := strings.Cut(rest, ":")
	p := Phone{Device: device, Model: model, Line: line, Name: name}
	if !ok || !ok2 || device == "" || model == "" || line == "" {
		return p, Refusal{"--phone", fmt.Sprintf("%q is not a phone", text), "write SEP001122334455=CP-8861:1001:Alice; the name may be left out"}
	}
	return p, nil
}

// check refuses what no set-up can be made of.
func (o *Options) check() error {
	var problems []error
	refuse := func(option, hint, says string, args ...any) {
		problems = append(problems, Refusal{option, fmt.Sprintf(says, args...), hint})
	}
	o.checkURL(refuse)
	for option, address := range map[string]netip.Addr{"--outside": o.Outside, "--inside": o.Inside} {
		if !address.IsValid() || address.IsUnspecified() || address.IsMulticast() || option == "--inside" && !address.Is4() {
			refuse(option, "write an IPv4 address of this machine, such as 10.1.0.5", "%s is no address to listen on", address)
		}
	}
	if o.Inside.IsLoopback() {
		refuse("--inside", "write this machine's address in the office, such as 10.1.0.5", "%s can be reached from this machine alone", o.Inside)
	}
	if f := o.Files; f.IsValid() && (!f.Is4() || !f.IsGlobalUnicast() || f == o.Inside || f == o.Outside || o.Pool.Contains(f)) {
		refuse("--provisioner", "take an address that nothing else has and no home uses, such as 10.47.11.5; not out of the pool", "%s is no second address for files", f)
	}
	o.checkPool(refuse)
	o.checkPhones(refuse)
	o.checkPBX(refuse)
	return errors.Join(problems...)
}

type refuse func(option, hint, says string, args ...any)

func (o *Options) checkURL(refuse refuse) {
	const hint = "write what phones are to call, such as https://vpn.example.net/phones"
	u, err := url.Parse(o.URL)
	switch {
	case err != nil || u.Scheme != "https" || u.Hostname() == "":
		refuse("--url", hint, "%q is no https URL", o.URL)
	case len(o.URL) > inventory.MaxURL:
		refuse("--url", "", "has %d characters; phones take at most %d", len(o.URL), inventory.MaxURL)
	case strings.Trim(u.Path, "/") == "":
		refuse("--url", hint, "%q has no path, and the path is what tells phones from everybody else", o.URL)
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		refuse("--url", hint, "%q holds more than host, port and path", o.URL)
	case !plainPath.MatchString(u.EscapedPath()):
		refuse("--url", "write letters, digits and . _ ~ - / in the path", "%q has other characters in its path, and what phones make of them is unknown", o.URL)
	case u.Port() != "":
		if port, err := strconv.ParseUint(u.Port(), 10, 16); err != nil || port == 0 {
			refuse("--url", hint, "%q has no usable port", o.URL)
		}
	}
}

var plainPath = regexp.MustCompile(`^[0-9A-Za-z._~/-]+$`)

// smallestPool holds its own name, the gateway, a few phones and the broadcast address.
const smallestPool = 29

func (o *Options) checkPool(refuse refuse) {
	const hint = "take a range that nothing else uses, such as 10.99.0.0/24, or a free part of the inside network"
	p := o.Pool
	switch {
	case !p.Addr().Is4() || p.Addr().IsLoopback() || p.Addr().IsMulticast() || p.Addr().IsUnspecified():
		refuse("--pool", hint, "%s is no network for phones", p)
	case p.Masked() != p:
		refuse("--pool", "write "+p.Masked().String(), "%s has bits set beyond its length", p)
	case p.Bits() > smallestPool:
		refuse("--pool", hint, "%s is too small; /%d is the least", p, smallestPool)
	case p.Contains(o.Inside) || p.Contains(o.Outside):
		refuse("--pool", hint, "%s contains this machine's own address", p)
	case o.InsideNetwork.IsValid() && p.Bits() <= o.InsideNetwork.Bits() && p.Overlaps(o.InsideNetwork):
		refuse("--pool", hint, "%s covers the whole inside network %s", p, o.InsideNetwork)
	}
}

func (o *Options) checkPhones(refuse refuse) {
	devices, lines := map[string]bool{}, map[string]bool{}
	for _, p := range o.Phones {
		probe(refuse, "--phone", &inventory.Line{Name: p.Line, DisplayName: p.Name})
		probe(refuse, "--phone", &inventory.Device{Name: p.Device, Model: p.Model})
		if _, known := inventory.ModelByName(p.Model); !known {
			refuse("--phone", "write the model as on the phone, such as CP-8861", "%s: %q is no model known here", p.Device, p.Model)
		}
		if devices[p.Device] {
			refuse("--phone", "", "%s is named twice", p.Device)
		}
		if lines[p.Line] {
			refuse("--phone", "give each phone a line of its own; shared lines are made in inventory.yaml", "line %s is given to two phones", p.Line)
		}
		devices[p.Device], lines[p.Line] = true, true
	}
}

func (o *Options) checkPBX(refuse refuse) {
	if isIPv6(o.PBX) {
		refuse("--pbx", "write HOST or HOST:PORT; the address is an IPv4 one", "%q is an IPv6 address; tunnels carry IPv4 so far", o.PBX)
	} else if o.PBX != "" {
		probe(refuse, "--pbx", &inventory.Site{Name: "office", CallManagers: []string{o.PBX}})
	}
}

func isIPv6(hostPort string) bool {
	if both, err := netip.ParseAddrPort(hostPort); err == nil {
		return both.Addr().Is6()
	}
	address, err := netip.ParseAddr(strings.Trim(hostPort, "[]"))
	return err == nil && address.Is6()
}

// probe refuses an option by the inventory's own rules for an object that stands alone.
func probe(refuse refuse, option string, object inventory.Object) {
	set := inventory.NewSet()
	_ = set.Add(object) // the first of its name
	for _, p := range set.Validate() {
		refuse(option, p.Hint, "%s", p.Says)
	}
}

// prove reads the files back as serve will.
func prove(files []File) error {
	i := slices.IndexFunc(files, func(f File) bool { return f.Name == inventoryFile })
	read, err := file.Parse(inventoryFile, files[i].Content, func(name string) ([]byte, error) {
		i := slices.IndexFunc(files, func(f File) bool { return f.Name == name })
		if i < 0 {
			return nil, fmt.Errorf("setup: %s is not among the files", name)
		}
		return files[i].Content, nil
	})
	if err == nil {
		_, err = read.Set()
	}
	return err
}
