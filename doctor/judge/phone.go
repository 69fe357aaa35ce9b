package judge

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

// device returns the name of the phone that the case is about, or "the phone".
func device(c *Case) string {
	if d := value(c, "device", fact.Device, fact.SEPFile); d != "" {
		return d
	}
	return "the phone"
}

// value returns the first value of that name that facts of these kinds have.
func value(c *Case, name string, kinds ...fact.Kind) string {
	for _, k := range kinds {
		for _, f := range c.All(k) {
			if v := f.Get(name); v != "" {
				return v
			}
		}
	}
	return ""
}

// gatewayURL returns the URL that the phone opens: as its log has it, or the first of its file, or as somebody says.
func gatewayURL(c *Case) string { return value(c, "url", fact.PhoneURL, fact.FileURL, fact.AskedURL) }

// gateway returns the gateway's host, or words for it.
func gateway(c *Case) string {
	if u, err := url.Parse(gatewayURL(c)); err == nil && u.Host != "" {
		return u.Hostname()
	}
	return "in the phone's file"
}

// hashWords writes a SHA-1 of 40 hex digits in both forms: as logs have it, and as phones' files do.
func hashWords(hexDigits string) string {
	raw, err := hex.DecodeString(hexDigits)
	if err != nil || len(raw) == 0 {
		return hexDigits
	}
	return fmt.Sprintf("%s (%s)", hexDigits, base64.StdEncoding.EncodeToString(raw))
}

// moment reads a time that a value holds.
func moment(f fact.Fact, name string) (time.Time, bool) {
	t, err := time.Parse(time.RFC3339, f.Get(name))
	return t, err == nil
}

// leaves returns certificates that are a gateway's own, as far as that can be told.
func leaves(c *Case) []fact.Fact {
	return slices.DeleteFunc(slices.Clone(c.All(fact.GatewayCertificate)), func(f fact.Fact) bool {
		if depth := f.Get("depth"); depth != "" {
			return depth != "0"
		}
		return f.Get("ca") == "true" && f.Get("subject") != f.Get("issuer")
	})
}

// believed says whether the phone's VPN client came past the gateway's certificate.
func believed(c *Case) bool { return c.Has(fact.PhoneHashFound) }

// distrusted returns the lines with which a phone refuses a gateway's certificate.
func distrusted(c *Case) []fact.Fact {
	all := slices.Clone(c.All(fact.PhoneChainUntrusted))
	for _, f := range c.All(fact.PhoneAlert) {
		if f.Get("by") == "phone" && slices.Contains(ofUntrusted, strings.ToLower(f.Get("name"))) {
			all = append(all, f)
		}
	}
	return slices.DeleteFunc(all, func(f fact.Fact) bool { return c.later(fact.PhoneHashFound, f) }) // it got another file, or another certificate
}

// ofUntrusted are the alerts of who does not believe a certificate.
var ofUntrusted = []string{"unknown ca", "server certificate", "bad certificate", "certificate unknown", "unsupported certificate"}

// model returns what is known of the phone's model: by its name, or by its load.
func model(c *Case) (inventory.Model, fact.Fact, bool) {
	for _, f := range c.All(fact.Device) {
		if m, ok := inventory.ModelByName(f.Get("model")); ok && f.Get("model") != "" {
			return m, f, true
		}
	}
	for _, f := range c.All(fact.Device) {
		if m, ok := modelOfLoad(f.Get("load")); ok {
			return m, f, true
		}
	}
	return inventory.Model{}, fact.Fact{}, false
}

// olderLoad is how loads of the first models are called, with the version behind it: P0S3-8-12-00, P00308000500.
var olderLoad = regexp.MustCompile(`(?i)^(P0[0S]3)[-0-9]`)

// modelOfLoad finds a model that runs loads of that name. Several do; what is asked here of them is the same.
func modelOfLoad(load string) (inventory.Model, bool) {
	name, _, _ := strings.Cut(load, ".")
	if first := olderLoad.FindStringSubmatch(load); first != nil {
		name = first[1]
	}
	if name == "" {
		return inventory.Model{}, false
	}
	var found []inventory.Model
	for _, m := range inventory.Models() {
		for _, prefix := range slices.Concat(m.SIPLoads, m.SCCPLoads) {
			if strings.EqualFold(strings.TrimRight(prefix, "."), name) {
				found = append(found, m)
				break
			}
		}
	}
	for _, m := range found {
		if m.VPN != found[0].VPN {
			return inventory.Model{}, false
		}
	}
	if len(found) == 0 {
		return inventory.Model{}, false
	}
	return found[0], true
}

// modelOf returns the model that a fact of a device is about, by its name, or else by its load.
func modelOf(f fact.Fact) (inventory.Model, bool) {
	if name := f.Get("model"); name != "" {
		return inventory.ModelByName(name)
	}
	return modelOfLoad(f.Get("load"))
}

// phoneWith returns the first phone whose model is one of these.
func (c *Case) phoneWith(is func(inventory.Model) bool) (fact.Fact, bool) {
	for _, f := range c.All(fact.Device) {
		if m, ok := modelOf(f); ok && is(m) {
			return f, true
		}
	}
	return fact.Fact{}, false
}

// oldPhone reports whether a phone is known that needs TLS 1.0 or RSA key exchange, and where it says so.
func (c *Case) oldPhone() (fact.Fact, bool) {
	return c.phoneWith(func(m inventory.Model) bool { return m.Legacy })
}

// keepsOutOld adds a finding about settings that suit new phones and keep out old ones. Where no model is known it may be why
// something fails; where nothing does it is a note, which says whom they suit.
func (c *Case) keepsOutOld(f finding.Finding, note string, on fact.Fact) {
	if phone, known := c.oldPhone(); known {
		c.Find(f, on, phone)
		return
	}
	if _, known := c.phoneWith(func(m inventory.Model) bool { return m.VPN && !m.Legacy }); known {
		return
	}
	if c.Failed() {
		c.Find(f.As(finding.Possible), on)
		c.Need("say which model the phones are, or send a phone's file or log: 79xx speak TLS 1.0 alone, with RSA, AES-CBC and SHA-1; 88xx speak TLS 1.2")
		return
	}
	f.Says = note
	c.Find(aside(f), on)
}

// old says whether a model's client speaks nothing newer than TLS 1.0, or needs RSA key exchange.
func old(c *Case) bool {
	m, _, ok := model(c)
	return ok && m.Legacy
}

// address reads an address out of text that may have a port or words behind it.
func address(text string) (netip.Addr, bool) {
	fields := strings.FieldsFunc(text, func(r rune) bool { return r == ' ' || r == '/' || r == ',' })
	if len(fields) == 0 {
		return netip.Addr{}, false
	}
	if a, err := netip.ParseAddrPort(fields[0]); err == nil {
		return a.Addr(), true
	}
	a, err := netip.ParseAddr(fields[0])
	return a, err == nil
}

// recovered says whether the phone got its own file later in the same source, or at a time of which that is not known.
func recovered(c *Case, f fact.Fact) bool { return perhapsLater(c, fact.PhoneFetched, f) }

// connected says the same of its tunnel.
func connected(c *Case, f fact.Fact) bool { return perhapsLater(c, fact.PhoneVPNUp, f) }

func perhapsLater(c *Case, k fact.Kind, f fact.Fact) bool {
	return c.later(k, f) || slices.ContainsFunc(c.Of(k, "order", "any"), func(got fact.Fact) bool { return got.Source == f.Source })
}

// speaks says whether the phone's VPN client is at work: then there is one, and it is switched on.
func speaks(c *Case) bool {
	return c.Has(fact.PhoneVPN, fact.PhoneURL, fact.PhoneTLS, fact.PhoneLeafHash, fact.PhoneHashFound, fact.PhoneChainUntrusted,
		fact.PhoneAlert, fact.PhoneLoginReply, fact.PhoneCookieMissing, fact.PhoneSuiteChanged, fact.PhoneVPNFailed)
}
