package provision

import (
	"fmt"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/cnf"
)

// vpnGroup returns what the device is told about VPN, nil when it has none.
func vpnGroup(set *inventory.Set, device *inventory.Device) (*cnf.VPNGroup, error) {
	told, ok := set.VPNSettingsFor(device)
	if !ok {
		return nil, nil
	}
	group := &cnf.VPNGroup{
		MTU: told.MTU, FailConnectTime: told.FailToConnect, HashAlgorithm: cnf.HashSHA1,
		PasswordPersistent: told.PasswordPersistence, AutoNetDetect: told.AutoNetworkDetection,
		EnableHostIDCheck: told.EnableHostIDCheck,
	}
	switch told.ClientAuthentication {
	case inventory.UserAndPassword:
		group.AuthMethod = cnf.UserAndPassword
	case inventory.PasswordOnly:
		group.AuthMethod = cnf.PasswordOnly
	case inventory.ByCertificate:
		group.AuthMethod = cnf.ByCertificate
	default:
		return nil, fmt.Errorf("client authentication %q is not known", told.ClientAuthentication)
	}
	for _, gateway := range told.Gateways {
		group.URLs = append(group.URLs, gateway.URL)
	}
	var err error
	group.CertificateHashes, err = hashes(told.Certificates)
	return group, err
}

// hashes returns each certificate's hash once: two objects may hold the same certificate.
func hashes(certificates []*inventory.Certificate) ([]string, error) {
	var hashes []string
	seen := map[string]bool{}
	for _, certificate := range certificates {
		leaf, err := certificate.Leaf()
		if err != nil {
			return nil, fmt.Errorf("certificate %q: %w", certificate.Name, err)
		}
		if hash := cnf.CertificateHash(leaf.Raw); !seen[hash] {
			seen[hash] = true
			hashes = append(hashes, hash)
		}
	}
	return hashes, nil
}
