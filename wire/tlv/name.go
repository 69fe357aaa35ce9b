package tlv

import (
	"crypto/x509/pkix"
	"fmt"
	"strings"
)

// nameOrder is the order in which Cisco's call managers write the parts of a certificate's name.
var nameOrder = []struct{ key, oid string }{
	{"CN", "2.5.4.3"}, {"OU", "2.5.4.11"}, {"O", "2.5.4.10"}, {"L", "2.5.4.7"}, {"ST", "2.5.4.8"}, {"C", "2.5.4.6"},
}

// NameText returns a certificate's subject or issuer as it stands in signed files, trust lists and TVS
// questions: CN=…;OU=…;O=…;L=…;ST=…;C=…, parts that are not there left out, others behind by their number
// (docs/wire/trust-lists.md#names). Phones compare these texts, so all three must have the same.
func NameText(name pkix.Name) string {
	all := name.Names
	if len(all) == 0 { // a name that was put together here, not parsed
		for _, set := range name.ToRDNSequence() {
			all = append(all, set...)
		}
	}
	var parts []string
	known := map[string]bool{}
	for _, o := range nameOrder {
		known[o.oid] = true
		for _, attribute := range all {
			if attribute.Type.String() == o.oid {
				parts = append(parts, fmt.Sprintf("%s=%v", o.key, attribute.Value))
			}
		}
	}
	for _, attribute := range all {
		if !known[attribute.Type.String()] {
			parts = append(parts, fmt.Sprintf("%s=%v", attribute.Type, attribute.Value))
		}
	}
	return strings.Join(parts, ";")
}
