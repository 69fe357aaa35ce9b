package lsc

import (
	"crypto/x509"
	"time"

	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/store"
)

// issued is the record of a certificate. The table is "trust/lsc/certificate/", the name its serial number
// in hex. It stays until the certificate has been expired for a year.
type issued struct {
	Device    string    `json:"device"`
	DER       []byte    `json:"der"`
	Issued    time.Time `json:"issued"`
	Confirmed time.Time `json:"confirmed,omitzero"` // the phone said that it has stored it
	Shown     time.Time `json:"shown,omitzero"`     // first seen in a handshake, which proves that the phone has the key
	Revoked   time.Time `json:"revoked,omitzero"`
	Deleted   time.Time `json:"deleted,omitzero"` // the phone said that it has deleted it

	leaf *x509.Certificate
}

// order is the record of what a phone is to do when it comes. The table is "trust/lsc/order/", the name the
// device. It goes when it is carried out.
type order struct {
	Operation enrol.Operation `json:"operation"`
	Mode      enrol.Mode      `json:"mode"`
	Password  []byte          `json:"password,omitempty"` // of mode ByPassword, sealed for this device
	Key       string          `json:"key,omitempty"`      // as enrol.Key writes it
	Renewal   bool            `json:"renewal,omitempty"`  // made here, because a certificate runs out
	Since     time.Time       `json:"since"`
	Until     time.Time       `json:"until"`           // after that it counts no more
	Tries     int             `json:"tries,omitempty"` // proofs that did not hold
	Signed    int             `json:"signed,omitempty"`
}

// manufactured is the record of a manufacturer's certificate that was seen. The table is
// "trust/lsc/manufacturer/", the name the device. It is replaced by the next.
type manufactured struct {
	Name  string    `json:"name"`
	Until time.Time `json:"until"`
	Seen  time.Time `json:"seen"`
}

type tables struct {
	certificates *store.Table[issued]
	orders       *store.Table[order]
	manufactured *store.Table[manufactured]
}

func tablesIn(s store.Store) tables {
	return tables{
		certificates: store.NewTable[issued](s, "trust/lsc/certificate/", 1, nil),
		orders:       store.NewTable[order](s, "trust/lsc/order/", 1, nil),
		manufactured: store.NewTable[manufactured](s, "trust/lsc/manufacturer/", 1, nil),
	}
}
