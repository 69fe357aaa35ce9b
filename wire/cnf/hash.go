package cnf

import (
	"crypto/sha1"
	"encoding/base64"
)

// CertificateHash returns what stands in certHash1… for a certificate: base64 of the SHA-1 of its DER
// form, 28 characters. The algorithm is the phones' choice, see docs/wire/phone-files.md#certificate-hashes.
func CertificateHash(der []byte) string {
	sum := sha1.Sum(der)
	return base64.StdEncoding.EncodeToString(sum[:])
}
