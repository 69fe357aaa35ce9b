package trust

import (
	"time"

	"github.com/longcord/longcord/wire/tlv"
)

// Purpose is what a key of the house is for.
type Purpose string

// The purposes. Signer1 signs trust lists; Signer2 is named in them beside it, so that phones already
// believe it when it is needed. Its key may be kept elsewhere.
const (
	Signer1 Purpose = "signer-1"
	Signer2 Purpose = "signer-2"
	Files   Purpose = "files"    // RSA, signs phones' files
	FilesEC Purpose = "files-ec" // EC P-384, HTTPS on 6971
	TVS     Purpose = "tvs"      // answers phones' questions about certificates
	CAPF    Purpose = "capf"     // authority for phones' certificates, and its server
)

// Purposes are all, in the order in which trust lists name them.
var Purposes = []Purpose{Signer1, Signer2, Files, FilesEC, TVS, CAPF}

// IsSigner reports whether p is one of the two signers of trust lists.
func (p Purpose) IsSigner() bool { return p == Signer1 || p == Signer2 }

// Role is what phones are told of a certificate with this purpose.
func (p Purpose) Role() tlv.Role {
	switch p {
	case Files, FilesEC:
		return tlv.TFTP
	case TVS:
		return tlv.TVS
	case CAPF:
		return tlv.CAPF
	}
	return tlv.SAST
}

// label is how a certificate's name begins; phones show it in their list of trusted ones.
func (p Purpose) label() string {
	switch p {
	case Files:
		return "Longcord files"
	case FilesEC:
		return "Longcord files EC"
	case TVS:
		return "Longcord TVS"
	case CAPF:
		return "Longcord CAPF"
	}
	return "Longcord signer"
}

// Lifetimes of what is made here. Signers must outlast everything, because phones that do not know the
// next one cannot be touched.
const (
	year           = 365*24*time.Hour + 6*time.Hour
	signerLifetime = 20 * year
	houseLifetime  = 10 * year
)

func (p Purpose) lifetime() time.Duration {
	if p.IsSigner() {
		return signerLifetime
	}
	return houseLifetime
}
