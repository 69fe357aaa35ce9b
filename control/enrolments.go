package control

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// Enrolments are phones' certificates, and who is to get one.
type Enrolments interface {
	// List returns how it stands with every device of the inventory, and with those that still have a certificate.
	List() []Enrolment
	// Start orders phones to enrol. Nothing is ordered when one of them cannot.
	Start(ctx context.Context, phones []string, order EnrolmentOrder) error
	// Cancel takes orders back.
	Cancel(ctx context.Context, phones []string) error
	// Revoke revokes every certificate of phones, ends the sessions that they opened, and returns how many
	// certificates there were.
	Revoke(ctx context.Context, phones []string) (int, error)
	// RevocationList is the authority and what it has revoked, as PEM.
	RevocationList() ([]byte, error)
}

// Enrolment is how it stands with a phone's certificate.
type Enrolment struct {
	Phone     string    `json:"phone"`
	State     string    `json:"state" enum:"none,ordered,issued,confirmed,proved,expired,revoked" doc:"confirmed: the phone says that it has stored it; proved: it has shown that it has the key"`
	Login     string    `json:"login,omitempty" doc:"how its file tells it to log in to the VPN; empty: no VPN"`
	Name      string    `json:"name,omitempty" doc:"common name of the certificate"`
	Serial    string    `json:"serial,omitempty" doc:"in hex"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	Confirmed time.Time `json:"confirmed,omitzero"`
	Proved    time.Time `json:"proved,omitzero"`
	Revoked   time.Time `json:"revoked,omitzero"`
	Maker     time.Time `json:"manufacturer_not_after,omitzero" doc:"end of the manufacturer's certificate, where it was seen"`

	Ordered  string    `json:"ordered,omitempty" doc:"what the phone is to do when it next starts: install, delete, fetch"`
	Proof    string    `json:"proof,omitempty" doc:"how it is to prove itself"`
	Password string    `json:"password,omitempty" doc:"what somebody types on the phone"`
	Until    time.Time `json:"until,omitzero" doc:"end of the order"`
	Failed   int       `json:"failed,omitempty" doc:"proofs that did not hold; after five the order is dead"`
	Hindered string    `json:"hindered,omitempty" doc:"why the phone cannot enrol, ordered or not"`
	Remedy   string    `json:"remedy,omitempty" doc:"what to do about that"`
}

// Ways to prove, as operators write them.
const (
	ProofPassword    = "string"
	ProofNothing     = "null"
	ProofCertificate = "certificate"
	ProofMIC         = "mic"
)

// EnrolmentOrder is what phones are to do.
type EnrolmentOrder struct {
	Operation string        `json:"operation" enum:"install,delete"`
	Proof     string        `json:"proof" enum:"string,null,certificate,mic"`
	Key       string        `json:"key,omitempty" doc:"rsa-2048 where nothing is said"`
	For       time.Duration `json:"for" doc:"nanoseconds"`
}

// EnrolmentRequest orders phones to do something.
type EnrolmentRequest struct {
	Phones []string `json:"phones" minItems:"1"`
	EnrolmentOrder
}

// EnrolmentList is how it stands with all.
type EnrolmentList struct {
	Enrolments []Enrolment `json:"enrolments"`
}

// RevokedCertificates says how many certificates were revoked.
type RevokedCertificates struct {
	Revoked int `json:"revoked"`
}

type phoneNames struct {
	Phones []string `json:"phones" minItems:"1"`
}

func (s *Server) registerEnrolments(api huma.API) {
	if s.config.Enrolments == nil {
		return
	}
	huma.Register(api, huma.Operation{
		OperationID: "list-enrolments", Method: http.MethodGet, Path: "/enrolments", Summary: "How it stands with phones' certificates",
	}, func(context.Context, *struct{}) (*body[EnrolmentList], error) { return s.enrolments(), nil })
	huma.Register(api, huma.Operation{
		OperationID: "start-enrolments", Method: http.MethodPost, Path: "/enrolments", Summary: "Order phones to enrol",
	}, func(ctx context.Context, in *body[EnrolmentRequest]) (*body[EnrolmentList], error) {
		err := s.config.Enrolments.Start(ctx, in.Body.Phones, in.Body.EnrolmentOrder)
		return s.enrolments(), err
	})
	huma.Register(api, huma.Operation{
		OperationID: "cancel-enrolments", Method: http.MethodPost, Path: "/enrolments/cancel", Summary: "Take orders to enrol back",
	}, func(ctx context.Context, in *body[phoneNames]) (*body[EnrolmentList], error) {
		err := s.config.Enrolments.Cancel(ctx, in.Body.Phones)
		return s.enrolments(), err
	})
	huma.Register(api, huma.Operation{
		OperationID: "revoke-certificates", Method: http.MethodPost, Path: "/enrolments/revoke", Summary: "Revoke phones' certificates and end the sessions that they opened",
	}, func(ctx context.Context, in *body[phoneNames]) (*body[RevokedCertificates], error) {
		n, err := s.config.Enrolments.Revoke(ctx, in.Body.Phones)
		return &body[RevokedCertificates]{RevokedCertificates{n}}, err
	})
	huma.Register(api, huma.Operation{
		OperationID: "revocation-list", Method: http.MethodGet, Path: "/enrolments/crl", Summary: "The authority of phones' certificates and what it has revoked, as PEM",
	}, func(context.Context, *struct{}) (*yamlOutput, error) {
		list, err := s.config.Enrolments.RevocationList()
		return &yamlOutput{ContentType: "application/x-pem-file", Body: list}, err
	})
}

func (s *Server) enrolments() *body[EnrolmentList] {
	return &body[EnrolmentList]{EnrolmentList{s.config.Enrolments.List()}}
}

// Enrolments returns how it stands with phones' certificates, by name of the phone.
func (c *Client) Enrolments(ctx context.Context) ([]Enrolment, error) {
	all, err := get[EnrolmentList](ctx, c, "/enrolments", nil)
	return all.Enrolments, err
}

// StartEnrolments orders phones to enrol, and returns how it stands with all then.
func (c *Client) StartEnrolments(ctx context.Context, phones []string, order EnrolmentOrder) ([]Enrolment, error) {
	request, err := json.Marshal(map[string]any{
		"phones": phones, "operation": order.Operation, "proof": order.Proof, "key": order.Key, "for": order.For,
	})
	if err != nil {
		return nil, err
	}
	all, err := do[EnrolmentList](ctx, c, http.MethodPost, "/enrolments", nil, "application/json", request)
	return all.Enrolments, err
}

// CancelEnrolments takes orders to enrol back.
func (c *Client) CancelEnrolments(ctx context.Context, phones []string) error {
	_, err := postPhones[EnrolmentList](ctx, c, "/enrolments/cancel", phones)
	return err
}

// RevokeCertificates revokes every certificate of phones and returns how many there were.
func (c *Client) RevokeCertificates(ctx context.Context, phones []string) (int, error) {
	gone, err := postPhones[RevokedCertificates](ctx, c, "/enrolments/revoke", phones)
	return gone.Revoked, err
}

// RevocationList returns the authority of phones' certificates and what it has revoked, as PEM.
func (c *Client) RevocationList(ctx context.Context) ([]byte, error) {
	return c.exchange(ctx, http.MethodGet, "/enrolments/crl", url.Values{}, "", nil)
}

func postPhones[T any](ctx context.Context, c *Client, path string, phones []string) (T, error) {
	request, err := json.Marshal(map[string]any{"phones": phones})
	if err != nil {
		var none T
		return none, err
	}
	return do[T](ctx, c, http.MethodPost, path, nil, "application/json", request)
}
