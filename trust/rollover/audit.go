package rollover

import (
	"crypto/x509"
	"fmt"
	"net/url"
	"slices"
	"strings"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
)

// Outcome is what becomes of a phone.
type Outcome string

// The outcomes of an audit.
const (
	Stays     Outcome = "stays"      // it believes what is presented, and the new certificate if there is one
	WouldLose Outcome = "would-lose" // it believes what is presented, and not the new certificate
	LockedOut Outcome = "locked-out" // it does not believe what is presented now
	Apart     Outcome = "apart"      // its file does not send it to this gateway
	Unknown   Outcome = "unknown"    // its file could not be read, or it depends on what it offers in TLS
)

// Audited is what one phone's file says about a gateway's certificates.
type Audited struct {
	Device  string  `json:"device"`
	Outcome Outcome `json:"outcome"`
	Now     string  `json:"presented_is,omitempty"` // which certHash is of the chain that is presented
	New     string  `json:"new_is,omitempty"`       // which is of the new certificate's
	Spare   bool    `json:"spare"`                  // it has a hash besides these two
	Why     string  `json:"why,omitempty"`
}

// Audit judges the file of one phone by what a gateway presents at a URL and, where next is not empty, by
// the certificate that is to take its place; all are chains, leaf first. ecdsa is presented beside, to clients
// that can verify it; nil: nothing is.
func Audit(device string, file *cnf.Device, gateway *url.URL, presented, ecdsa, next []*x509.Certificate) Audited {
	a := Audited{Device: device, Outcome: Stays}
	if file.VPN == nil || !slices.ContainsFunc(file.VPN.URLs, func(text string) bool { return sameHost(text, gateway) }) {
		a.Outcome, a.Why = Apart, "its file names no VPN gateway at "+gateway.Host
		return a
	}
	a.Now = pinned(file.VPN, presented)
	a.New = pinned(file.VPN, next)
	a.Spare = hasOther(file.VPN, slices.Concat(presented, ecdsa, next))
	switch {
	case a.Now == "":
		a.Outcome, a.Why = LockedOut, "none of its hashes is of what the gateway presents"
	case len(next) > 0 && a.New == "":
		a.Outcome, a.Why = WouldLose, "none of its hashes is of the new certificate"
	case len(next) > 0 && file.VPN.EnableHostIDCheck && verify.CheckHost(next[0], gateway.Hostname()) != nil:
		a.Outcome, a.Why = WouldLose, fmt.Sprintf("it checks the host, and the new certificate does not name %s", gateway.Hostname())
	case len(ecdsa) > 0 && pinned(file.VPN, ecdsa) == "":
		a.Outcome, a.Why = Unknown, "the gateway also presents an ECDSA certificate, to phones that offer it, and none of the file's hashes is of that"
	}
	return a
}

func sameHost(text string, gateway *url.URL) bool {
	u, err := url.Parse(text)
	return err == nil && strings.EqualFold(u.Hostname(), gateway.Hostname()) && portOf(u) == portOf(gateway)
}

func portOf(u *url.URL) string {
	if port := u.Port(); port != "" {
		return port
	}
	return "443"
}

// pinned returns the element whose hash is of a certificate of the chain, or nothing.
func pinned(vpn *cnf.VPNGroup, chain []*x509.Certificate) string {
	if _, i, ok := verify.Match(raw(chain), vpn.CertificateHashes); ok {
		return fmt.Sprintf("certHash%d", i+1)
	}
	return ""
}

// hasOther reports whether a file has a hash that is of none of these certificates.
func hasOther(vpn *cnf.VPNGroup, of []*x509.Certificate) bool {
	return slices.ContainsFunc(vpn.CertificateHashes, func(text string) bool {
		_, err := verify.ParseHash(text)
		_, _, known := verify.Match(raw(of), []string{text})
		return err == nil && !known
	})
}

func raw(chain []*x509.Certificate) [][]byte {
	all := make([][]byte, len(chain))
	for i, c := range chain {
		all[i] = c.Raw
	}
	return all
}
