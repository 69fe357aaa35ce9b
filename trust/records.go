package trust

import (
	"time"

	"github.com/longcord/longcord/store"
)

// heldKey is the record of a key in use. The table is "trust/key/", the name its purpose. It stays for
// good.
type heldKey struct {
	Certificate string    `json:"certificate"` // PEM, this one alone
	Sealed      []byte    `json:"sealed"`      // PEM of the private key, sealed for this record; empty: it is kept elsewhere
	Since       time.Time `json:"since"`       // when it took this place
	Subject     string    `json:"subject"`     // as phones read it
	Issuer      string    `json:"issuer"`      // likewise
	Foreign     bool      `json:"foreign,omitempty"`
}

// formerKey is the record of a certificate that another one took the place of. The table is
// "trust/former/", the name its SHA-256 in hex. Phones that still know it are told that it was ours.
type formerKey struct {
	Purpose     Purpose   `json:"purpose"`
	Certificate string    `json:"certificate"` // PEM
	Since       time.Time `json:"since"`
	Until       time.Time `json:"until"` // when its successor took its place
	Subject     string    `json:"subject"`
	Issuer      string    `json:"issuer"`
	Foreign     bool      `json:"foreign,omitempty"`
}

// tables are where the keys of the house are kept.
type tables struct {
	keys   *store.Table[heldKey]
	former *store.Table[formerKey]
}

const keyPrefix = "trust/key/"

func tablesIn(s store.Store) tables {
	return tables{
		keys:   store.NewTable[heldKey](s, keyPrefix, 1, nil),
		former: store.NewTable[formerKey](s, "trust/former/", 1, nil),
	}
}
