package verify

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/tlv"
	"github.com/longcord/longcord/wire/tvs"
)

// TVSRecord is a certificate that TVS vouches for.
type TVSRecord struct {
	Certificate []byte // DER
	Issuer      string // as phones write it
	Serial      []byte // without leading zeros
	Roles       []tlv.Role
}

// AnswerTVS is TVS's answer to a phone's question: what is known of exactly that certificate, or nothing.
func AnswerTVS(r tvs.Request, known []TVSRecord) tvs.Answer {
	answer := tvs.Answer{Session: r.Session, ToQuery: r.IsQuery()}
	for _, k := range known {
		named := r.IsQuery() && k.Issuer == r.Issuer && bytes.Equal(k.Serial, r.Serial)
		if named || !r.IsQuery() && bytes.Equal(k.Certificate, r.Certificate) {
			answer.Valid, answer.Certificate, answer.Roles, answer.TTL = true, k.Certificate, k.Roles, tvs.DefaultTTL
			return answer
		}
	}
	return answer
}

// maxVouching is how long a phone believes TVS, whatever that says.
const maxVouching = tvs.DefaultTTL

// TakeTVS is what a phone makes of TVS's answer: the certificate with what it may do, and how long that
// holds. An answer to another question, or about another certificate than was asked for, is refused.
func TakeTVS(r tvs.Request, a tvs.Answer) (*x509.Certificate, []tlv.Role, time.Duration, error) {
	if a.Session != r.Session || a.ToQuery != r.IsQuery() {
		return nil, nil, 0, fmt.Errorf("verify: TVS answers another question: session %08x, asked was %08x", a.Session, r.Session)
	}
	if !a.Valid {
		return nil, nil, 0, ErrNotVouched
	}
	certificate, err := x509.ParseCertificate(a.Certificate)
	if err != nil {
		return nil, nil, 0, fmt.Errorf("verify: certificate from TVS: %w", err)
	}
	right := bytes.Equal(a.Certificate, r.Certificate)
	if r.IsQuery() {
		right = bytes.Equal(certificate.SerialNumber.Bytes(), bytes.TrimLeft(r.Serial, "\x00")) && sameName(r.Issuer, tlv.NameText(certificate.Issuer))
	}
	if !right {
		return nil, nil, 0, fmt.Errorf("verify: TVS answers with another certificate: %s", certificate.Subject)
	}
	return certificate, a.Roles, min(a.TTL, maxVouching), nil
}

// ErrNotVouched: TVS does not know the certificate. What was signed with it is not believed.
var ErrNotVouched = errors.New("verify: TVS does not vouch for the certificate")

// sameName compares two texts of a name by their parts: who brought a signer in from elsewhere may keep the
// order and the separator that phones have had (docs/wire/trust-lists.md#names).
func sameName(a, b string) bool {
	parts := func(text string) []string {
		all := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' })
		slices.Sort(all)
		return all
	}
	return slices.Equal(parts(a), parts(b))
}
