package control

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/trust"
)

// Trust is what phones believe, and the keys behind it.
type Trust interface {
	// Keys returns the certificates of the house, those in use first.
	Keys() []TrustKey
	// Lag returns the phones that have older trust lists than they would be given now, and those that are to have
	// lists and have fetched none.
	Lag() (TrustLag, error)
	// List returns the CTL or ITL of a device as it would be served; empty device: the shared one, whoever
	// may have it.
	List(kind trust.ListKind, device string) ([]byte, error)
	// Change changes keys.
	Change(ctx context.Context, step TrustStep, order TrustOrder) error
	// Signer returns the second signer with its key.
	Signer() (trust.Pair, error)
	// CheckTVS asks TVS at every address that the files of these devices name.
	CheckTVS(ctx context.Context, devices []string) ([]TVSCheck, error)
}

// TrustKey is a certificate of the house.
type TrustKey struct {
	Purpose   string    `json:"purpose"`
	Role      string    `json:"role" doc:"as phones know it"`
	Subject   string    `json:"subject"`
	Serial    string    `json:"serial"`
	SHA1      string    `json:"certificate_sha1"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	Since     time.Time `json:"since" doc:"when it took its place"`
	Until     time.Time `json:"until,omitzero" doc:"when another took it; TVS still vouches for it"`
	KeyHere   bool      `json:"key_here"`
	Foreign   bool      `json:"foreign" doc:"it was made elsewhere and brought in"`
}

// TrustLag is who does not have trust lists as they are now.
type TrustLag struct {
	Behind   []string `json:"behind" doc:"phones that have not fetched their trust lists as they are now"`
	Unproven []string `json:"unproven" doc:"phones of these whose lists as they are now were fetched, by somebody who is not known to be the phone"`
	Without  []string `json:"without" doc:"phones that are to have trust lists and have fetched none yet"`
}

// TrustStatus is how trust stands.
type TrustStatus struct {
	Keys []TrustKey `json:"keys"`
	TrustLag
	Told []Telling `json:"told,omitempty" doc:"after a change: those behind are told to fetch their lists"`
}

// TrustStep is a change of keys.
type TrustStep string

// The steps.
const (
	TrustReplace TrustStep = "replace" // a new key for Purpose
	TrustPromote TrustStep = "promote" // the second signer signs from now on
	TrustImport  TrustStep = "import"  // Certificate and Key become the second signer, or its key is put back
	TrustForget  TrustStep = "forget"  // the second signer's key leaves the store
)

// TrustOrder is what is to be done.
type TrustOrder struct {
	Purpose     trust.Purpose `json:"purpose,omitempty" doc:"replace: whose key"`
	Certificate string        `json:"certificate,omitempty" doc:"import: PEM"`
	Key         string        `json:"key,omitempty" doc:"import: PEM"`
	List        []byte        `json:"list,omitempty" doc:"import: a trust list that phones hold, for how they know the signer"`
	NoPush      bool          `json:"no_push,omitempty" doc:"do not tell phones to fetch their lists"`
	Force       bool          `json:"force,omitempty" doc:"although phones have not fetched the list as it is now"`
}

// TrustSigner is a signer with its key.
type TrustSigner struct {
	Certificate string `json:"certificate" doc:"PEM"`
	Key         string `json:"key" doc:"PEM"`
}

// TVSCheck is what became of a question to TVS.
type TVSCheck struct {
	Address string   `json:"address"`
	Devices []string `json:"devices" doc:"whose files name it"`
	Problem string   `json:"problem,omitempty" doc:"empty: it answers, with the certificate that trust lists name"`
}

// TVSChecks are all of them.
type TVSChecks struct {
	Checks []TVSCheck `json:"checks"`
}

type trustListInput struct {
	Kind   string `path:"kind" enum:"CTL,ITL"`
	Device string `query:"device" doc:"whose; empty: the shared one"`
}

type listOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type trustStepInput struct {
	Step TrustStep `path:"step" enum:"replace,promote,import,forget"`
	Body TrustOrder
}

type checkTVSInput struct {
	Devices []string `query:"device,explode" required:"true" doc:"whose files"`
}

func (s *Server) registerTrust(api huma.API) {
	if s.config.Trust == nil {
		return
	}
	huma.Register(api, huma.Operation{
		OperationID: "trust-status", Method: http.MethodGet, Path: "/trust", Summary: "The keys behind what phones believe",
	}, func(context.Context, *struct{}) (*body[TrustStatus], error) { return s.trustStatus() })
	huma.Register(api, huma.Operation{
		OperationID: "trust-list", Method: http.MethodGet, Path: "/trust/list/{kind}", Summary: "A trust list as it would be served",
	}, func(_ context.Context, in *trustListInput) (*listOutput, error) {
		list, err := s.config.Trust.List(trust.ListKind(in.Kind), in.Device)
		return &listOutput{"application/octet-stream", list}, refusedTrust(err)
	})
	huma.Register(api, huma.Operation{
		OperationID: "trust-signer", Method: http.MethodGet, Path: "/trust/signer", Summary: "The second signer, with its key",
	}, func(ctx context.Context, _ *struct{}) (*body[TrustSigner], error) {
		pair, err := s.config.Trust.Signer()
		if err != nil {
			return nil, refusedTrust(err)
		}
		s.log.Info("second signer handed out", "by", operator(ctx))
		return &body[TrustSigner]{TrustSigner{pair.Certificate, pair.Key.Reveal()}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "check-tvs", Method: http.MethodGet, Path: "/trust/tvs", Summary: "Whether TVS answers where phones' files say",
	}, func(ctx context.Context, in *checkTVSInput) (*body[TVSChecks], error) {
		checks, err := s.config.Trust.CheckTVS(ctx, in.Devices)
		return &body[TVSChecks]{TVSChecks{append([]TVSCheck{}, checks...)}}, refusedTrust(err)
	})
	huma.Register(api, huma.Operation{
		OperationID: "change-trust", Method: http.MethodPost, Path: "/trust/{step}", Summary: "Change a key",
	}, func(ctx context.Context, in *trustStepInput) (*body[TrustStatus], error) {
		s.writing.Lock()
		defer s.writing.Unlock()
		if err := s.config.Trust.Change(ctx, in.Step, in.Body); err != nil {
			return nil, refusedTrust(err)
		}
		s.log.Info("keys changed", "by", operator(ctx), "step", string(in.Step), "purpose", string(in.Body.Purpose), "forced", in.Body.Force)
		status, err := s.trustStatus()
		if err == nil && s.config.Teller != nil && in.Step != TrustForget && !in.Body.NoPush && len(status.Body.Behind) > 0 {
			status.Body.Told = s.config.Teller.Tell(status.Body.Behind, RestartPhone)
		}
		return status, err
	})
}

func (s *Server) trustStatus() (*body[TrustStatus], error) {
	lag, err := s.config.Trust.Lag()
	if err != nil {
		return nil, err
	}
	for _, list := range []*[]string{&lag.Behind, &lag.Unproven, &lag.Without} {
		*list = append([]string{}, *list...) // an empty list in JSON, not null
	}
	return &body[TrustStatus]{TrustStatus{Keys: s.config.Trust.Keys(), TrustLag: lag}}, nil
}

// refusedTrust turns what an operator can mend into a refusal with a hint.
func refusedTrust(err error) error {
	var behind *trust.BehindError
	hint := ""
	switch {
	case err == nil:
		return nil
	case errors.As(err, &behind):
		hint = "restart them where they are, wait for those that are away, or give --force and cure by hand whom it loses"
	case errors.Is(err, trust.ErrSigns):
		hint = "longcord trust replace signer-2, and when every phone has fetched its list: longcord trust promote"
	case errors.Is(err, trust.ErrOffline):
		hint = "bring its key back first: longcord trust import-signer FILE"
	case errors.Is(err, trust.ErrUnfit):
		hint = "a signer is an RSA certificate with its key, as CUCM's ITLRecovery is"
	case errors.Is(err, trust.ErrKeyMismatch), errors.Is(err, trust.ErrExpired), errors.Is(err, trust.ErrNotYetValid):
		hint = "give the certificate together with its own key"
	default:
		return err
	}
	r := refuse(http.StatusConflict, "%v", err)
	r.Problems = []Problem{{Says: err.Error(), Hint: hint}}
	return r
}

// Trust returns the keys behind what phones believe.
func (c *Client) Trust(ctx context.Context) (TrustStatus, error) {
	return get[TrustStatus](ctx, c, "/trust", nil)
}

// TrustList returns a CTL or ITL as it would be served to a device; empty: the shared one.
func (c *Client) TrustList(ctx context.Context, kind trust.ListKind, device string) ([]byte, error) {
	return c.exchange(ctx, http.MethodGet, "/trust/list/"+string(kind), url.Values{"device": {device}}, "", nil)
}

// TrustSigner returns the second signer with its key.
func (c *Client) TrustSigner(ctx context.Context) (TrustSigner, error) {
	return get[TrustSigner](ctx, c, "/trust/signer", nil)
}

// CheckTVS asks TVS at every address that the files of these devices name.
func (c *Client) CheckTVS(ctx context.Context, devices []string) ([]TVSCheck, error) {
	all, err := get[TVSChecks](ctx, c, "/trust/tvs", url.Values{"device": devices})
	return all.Checks, err
}

// ChangeTrust changes a key.
func (c *Client) ChangeTrust(ctx context.Context, step TrustStep, order TrustOrder) (TrustStatus, error) {
	request, err := json.Marshal(order)
	if err != nil {
		return TrustStatus{}, err
	}
	return do[TrustStatus](ctx, c, http.MethodPost, "/trust/"+string(step), nil, "application/json", request)
}
