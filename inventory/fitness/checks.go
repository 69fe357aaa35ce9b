package fitness

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/inventory"
)

func (f Facts) model() Check {
	const name = "model"
	switch {
	case !f.Known:
		return unknown(name, fmt.Sprintf("whether %s has a VPN client is not known here", f.Model.Name),
			"look the model up in Cisco's Phone Feature List, and declare it as a PhoneModel with vpn: true or false")
	case !f.Model.VPN:
		return unfit(name, finding.ModelWithoutVPN.With(f.Device, f.Model.Name))
	}
	return fit(name, f.Model.Name+" has a VPN client")
}

func (f Facts) load() Check {
	const name = "load"
	if f.Model.VPNSince == "" {
		return fit(name, "no load of "+f.Model.Name+" is known to be without the VPN client")
	}
	older, known := Older(f.Load, f.Model.VPNSince)
	if !known {
		return unknown(name, fmt.Sprintf("which load %s runs is not known, and the VPN client needs %s", f.Device, f.Model.VPNSince),
			"look at the phone's model information or web page: "+f.Model.VPNSince+" or newer")
	}
	if older {
		return unfit(name, finding.LoadTooOld.With(f.Device, f.Load, f.Model.VPNSince))
	}
	return fit(name, f.Load+" has the VPN client")
}

// current reports whether the phone has its file as it is now.
func (f Facts) current() bool { return f.Fetched != nil && f.Fetched.Stamp == f.Own.Stamp }

func (f Facts) file() Check {
	const name = "file"
	switch {
	case f.Fetched == nil && f.Unproven != nil:
		return unknown(name, "its file was delivered, unproven: "+f.Unproven.says(), f.Unproven.look(f.Device))
	case f.Fetched == nil:
		return unfit(name, finding.FileNotFetched.With(f.Device))
	case !f.current():
		return unfit(name, finding.ConfigChangeNotTaken.With(f.Device, "after "+f.Fetched.Complete.Format(time.DateTime)))
	}
	return fit(name, "its file as it is now arrived on "+f.Fetched.Complete.Format(time.DateTime))
}

func (u Unproven) says() string {
	if u.Other {
		return u.To.String() + " has another MAC address than the phone"
	}
	return u.To.String() + " is behind a router, and anybody there may have fetched it"
}

func (u Unproven) look(device string) string {
	if u.Other {
		return "restart " + device + " in the office and ask again; a phone in software has no MAC address of its own, look at what it says"
	}
	return "look at the phone's status messages whether it took its file; countRouted: true below provisioner: in longcord.yaml has such fetches count"
}

func (f Facts) hashes() Check {
	const name = "hashes"
	gateway := f.VPN.Gateways[0].Name
	switch {
	case f.Fetched == nil && f.Unproven != nil:
		return unknown(name, "which file it holds is not proven", "see file")
	case f.Fetched == nil:
		return unknown(name, "without a file it knows no gateway", "let it fetch its file first")
	case len(f.Hashes) > 0 && !slices.Contains(f.Fetched.Hashes, f.Hashes[0]):
		return unfit(name, finding.CertificateHashMismatch.With(f.Hashes[0]))
	case len(f.Hashes) < 2 || !slices.ContainsFunc(f.Hashes[1:], func(spare string) bool { return slices.Contains(f.Fetched.Hashes, spare) }):
		return unfit(name, finding.NoSpareCertificate.With(gateway))
	}
	return fit(name, fmt.Sprintf("%d hashes arrived, the spare's among them", len(f.Fetched.Hashes)))
}

func (f Facts) registered() Check {
	const name = "registered"
	if !f.Calls {
		return unknown(name, "phones register at your PBX", "look there whether "+f.Device+" has registered since it fetched its file")
	}
	if f.Fetched != nil {
		for _, began := range f.Registered {
			if began.After(f.Fetched.Complete) {
				return fit(name, "registered with that file on "+began.Format(time.DateTime))
			}
		}
	}
	return unfit(name, finding.NotRegistered.With(f.Device))
}

func (f Facts) alternateTFTP() Check {
	const name = "alternate-tftp"
	want := f.Server.String()
	keys := f.Model.Keys.AlternateTFTP
	if keys == "" {
		keys = "the phone's network settings, IPv4, Alternate TFTP"
	}
	if f.Page == nil || f.Page.AlternateTFTP == nil {
		return unknown(name, "the phone's web page has not told what its TFTP fields hold",
			fmt.Sprintf("look on the phone: %s; Alternate TFTP must be on, TFTP Server 1 and TFTP Server 2 both %s", keys, want))
	}
	if !*f.Page.AlternateTFTP || f.Page.Servers[0] != want || f.Page.Servers[1] != want {
		return unfit(name, finding.AlternateTFTPNotSet.With(f.Device, want, keys).Because("web page", 0, f.Page.says()))
	}
	return fit(name, "Alternate TFTP is on, and both fields hold "+want)
}

func (p Page) says() string {
	on := "no"
	if *p.AlternateTFTP {
		on = "yes"
	}
	return fmt.Sprintf("Alternate TFTP %s, TFTP Server 1 %q, TFTP Server 2 %q", on, p.Servers[0], p.Servers[1])
}

func (f Facts) webAccess() Check {
	const name = "web-access"
	if f.Own.WebAccess != "0" {
		return unfit(name, finding.WebAccessOff.With(f.Device))
	}
	return fit(name, "its file opens its web page")
}

func (f Facts) credentials() Check {
	const name = "credentials"
	if !f.Password {
		switch {
		case f.HasLSC == nil:
			return unknown(name, "whether the phone has a certificate to log in with is not known here",
				"look on the phone at its security settings: LSC must be installed; or certs list")
		case !*f.HasLSC:
			return unfit(name, finding.CredentialsMissing.With(f.Device))
		}
		return fit(name, "it has a certificate of this house")
	}
	for _, user := range f.Users {
		if strings.ContainsFunc(user, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return unfit(name, finding.CredentialCharacters.With(user))
		}
	}
	switch {
	case len(f.Users) > 0:
		return fit(name, "logs in as "+strings.Join(f.Users, " or "))
	case f.Others > 0:
		return fit(name, fmt.Sprintf("any of %d users can log in on it; none is this phone's own", f.Others))
	case f.Foreign:
		return unknown(name, "who may log in is known to another server", "try the login once on the phone, or with openconnect")
	}
	return unfit(name, finding.CredentialsMissing.With(f.Device))
}

func (f Facts) name(n Name) Check {
	const name = "gateway-name"
	addresses := fmt.Sprint(n.Addresses)
	private := func(a netip.Addr) bool { return a.IsPrivate() || !a.IsGlobalUnicast() }
	switch literal, err := netip.ParseAddr(n.Host); {
	case err == nil && private(literal) && literal != f.Outside:
		return unfit(name, finding.GatewayNameElsewhere.With(n.Host, n.Host, f.Outside.String()))
	case err == nil:
		return fit(name, n.Host+" is an address and needs no name server")
	case n.Err != nil && !n.Public:
		return unknown(name, fmt.Sprintf("%s does not resolve here: %v", n.Host, n.Err), "ask a resolver outside: longcord phones ready --resolver 9.9.9.9 "+f.Device)
	case n.Err != nil || len(n.Addresses) == 0:
		return unfit(name, finding.GatewayNameUnresolved.With(n.Host).Because("name server", 0, fmt.Sprint(n.Err)))
	case slices.Contains(n.Addresses, f.Outside):
		return fit(name, fmt.Sprintf("%s is %s, where the gateway listens", n.Host, f.Outside))
	case !slices.ContainsFunc(n.Addresses, func(a netip.Addr) bool { return !private(a) }):
		if n.Public {
			return unfit(name, finding.GatewayNameElsewhere.With(n.Host, addresses, f.Outside.String()))
		}
		return unknown(name, fmt.Sprintf("%s is %s here, which nobody outside reaches; a name server outside may say otherwise", n.Host, addresses),
			"ask a resolver outside: longcord phones ready --resolver 9.9.9.9 "+f.Device)
	case private(f.Outside):
		return fit(name, fmt.Sprintf("%s is %s, which your router has to forward to %s", n.Host, addresses, f.Outside))
	}
	return unfit(name, finding.GatewayNameElsewhere.With(n.Host, addresses, f.Outside.String()))
}

func (f Facts) detection() Check {
	const name = "detection"
	if !f.VPN.AutoNetworkDetection {
		return warned(name, finding.NetworkDetectionUnreliable.With(f.Device, "it is switched off, so somebody has to switch the VPN on by hand"))
	}
	if f.Known && !slices.Contains([]inventory.Family{inventory.Family7900, inventory.Family8900, inventory.Family9900}, f.Model.Family) {
		return fit(name, "network detection is on")
	}
	older, known := Older(f.Load, DetectionSince)
	switch {
	case !known:
		return unknown(name, "which load it runs is not known, and network detection works from 9.2(1) on", "look at the phone's model information or web page: 9.2(1) or newer")
	case older:
		return unfit(name, finding.NetworkDetectionUnreliable.With(f.Device, "its load "+f.Load+" is older than 9.2(1)"))
	}
	return fit(name, "network detection is on, and "+f.Load+" does it")
}

func (f Facts) overlap() Check {
	const name = "home-network"
	if network, whose, ok := inventory.HomeNetwork(netip.PrefixFrom(f.Server, f.Server.BitLen())); ok {
		return unfit(name, finding.HomeNetworkOverlaps.With(f.Server.String(), network.String(), whose))
	}
	return fit(name, fmt.Sprintf("%s is in no network that homes have by themselves", f.Server))
}
