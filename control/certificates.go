package control

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/trust/rollover"
)

// Rollovers change gateways' certificates; *rollover.Keeper is one.
type Rollovers interface {
	Status(ctx context.Context, gateway string) ([]rollover.Progress, error)
	Start(context.Context, rollover.Order) (rollover.Progress, error)
	Commit(context.Context, rollover.Order) (rollover.Progress, error)
	Abort(context.Context, rollover.Order) (rollover.Progress, error)
	Retire(context.Context, rollover.Order) (rollover.Progress, error)
}

// Certificate is a certificate that the system presents, signs with, or tells phones of.
type Certificate struct {
	Name      string    `json:"name"`
	Use       string    `json:"use" doc:"what for: gateway NAME, spare of gateway NAME, before of gateway NAME, unused, LSC, or a purpose of the house's own keys"`
	Subject   string    `json:"subject"`
	Hash      string    `json:"certificate_hash"`
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
	KeyHere   bool      `json:"key_here"`
}

// Certificates are all of them.
type Certificates struct {
	Certificates []Certificate `json:"certificates"`
}

// RolloverList is where each gateway's certificate stands.
type RolloverList struct {
	Rollovers []rollover.Progress `json:"rollovers"`
}

// RolloverStep is one step of a roll-over.
type RolloverStep string

// The steps.
const (
	RolloverStart  RolloverStep = "start"
	RolloverCommit RolloverStep = "commit"
	RolloverAbort  RolloverStep = "abort"
	RolloverRetire RolloverStep = "retire"
)

// RolloverOrder is what is to be done.
type RolloverOrder struct {
	Gateway     string `json:"gateway,omitempty" doc:"VPNGateway; empty: the only one whose key is here"`
	Certificate string `json:"certificate,omitempty" doc:"start: the next one; empty: the finished spare"`
	SpareOnly   bool   `json:"spare_only,omitempty" doc:"start: only make a spare"`
	ECDSA       bool   `json:"ecdsa,omitempty" doc:"start: only make an ECDSA certificate that can stand beside the one in use"`
	Force       bool   `json:"force,omitempty" doc:"commit: although phones are kept out"`
	DryRun      bool   `json:"dry_run,omitempty" doc:"say what would be, change nothing"`
}

type rolloverInput struct {
	Gateway string `query:"gateway" doc:"only this one"`
}

type rolloverStepInput struct {
	Step RolloverStep `path:"step" enum:"start,commit,abort,retire"`
	Body RolloverOrder
}

func (s *Server) registerCertificates(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-certificates", Method: http.MethodGet, Path: "/certificates", Summary: "Certificates and when they end",
	}, func(context.Context, *struct{}) (*body[Certificates], error) {
		all := Certificates{Certificates: []Certificate{}}
		if s.config.Certificates != nil {
			all.Certificates = append(all.Certificates, s.config.Certificates()...)
		}
		return &body[Certificates]{all}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "list-rollovers", Method: http.MethodGet, Path: "/certificates/rollover", Summary: "Where each gateway's certificate stands",
	}, func(ctx context.Context, in *rolloverInput) (*body[RolloverList], error) {
		if s.config.Rollovers == nil {
			return &body[RolloverList]{RolloverList{[]rollover.Progress{}}}, nil
		}
		all, err := s.config.Rollovers.Status(ctx, in.Gateway)
		return &body[RolloverList]{RolloverList{all}}, refusedStep(err)
	})
	huma.Register(api, huma.Operation{
		OperationID: "step-rollover", Method: http.MethodPost, Path: "/certificates/rollover/{step}", Summary: "Take a step in the change of a gateway's certificate",
	}, s.stepRollover)
}

func (s *Server) stepRollover(ctx context.Context, in *rolloverStepInput) (*body[rollover.Progress], error) {
	r := s.config.Rollovers
	if r == nil {
		return nil, refuse(http.StatusNotFound, "nothing here changes certificates")
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	step := map[RolloverStep]func(context.Context, rollover.Order) (rollover.Progress, error){
		RolloverStart: r.Start, RolloverCommit: r.Commit, RolloverAbort: r.Abort, RolloverRetire: r.Retire,
	}[in.Step]
	status, err := step(ctx, rollover.Order{
		Gateway: in.Body.Gateway, Certificate: in.Body.Certificate, SpareOnly: in.Body.SpareOnly, ECDSA: in.Body.ECDSA,
		Force: in.Body.Force, DryRun: in.Body.DryRun, By: operator(ctx),
	})
	if err != nil {
		return nil, refusedStep(err)
	}
	return &body[rollover.Progress]{status}, nil
}

// refusedStep turns what a roll-over refused into an answer.
func refusedStep(err error) error {
	var lost *rollover.Refused
	switch {
	case errors.As(err, &lost):
		r := refuse(http.StatusConflict, "%v", err)
		for _, l := range lost.Lost {
			r.Problems = append(r.Problems, Problem{
				Kind: inventory.KindDevice, Name: l.Device, Says: fmt.Sprintf("last seen %s: %s", l.Seen.UTC().Format(time.DateTime), l.Why),
			})
		}
		return r
	case errors.Is(err, rollover.ErrState):
		return refuse(http.StatusConflict, "%v", err)
	case errors.Is(err, rollover.ErrNoGateway), errors.Is(err, rollover.ErrUnfit):
		return refuse(http.StatusUnprocessableEntity, "%v", err)
	}
	if err == nil {
		return nil
	}
	return refusal(err, nil)
}

// Certificates returns the certificates of the system.
func (c *Client) Certificates(ctx context.Context) ([]Certificate, error) {
	all, err := get[Certificates](ctx, c, "/certificates", nil)
	return all.Certificates, err
}

// Rollovers returns where each gateway's certificate stands, or that of one.
func (c *Client) Rollovers(ctx context.Context, gateway string) ([]rollover.Progress, error) {
	values := url.Values{}
	if gateway != "" {
		values.Set("gateway", gateway)
	}
	all, err := get[RolloverList](ctx, c, "/certificates/rollover", values)
	return all.Rollovers, err
}

// Rollover takes a step. A commit that would keep phones out is a *Refusal with a Problem for each.
func (c *Client) Rollover(ctx context.Context, step RolloverStep, o RolloverOrder) (rollover.Progress, error) {
	request, err := json.Marshal(o)
	if err != nil {
		return rollover.Progress{}, err
	}
	return do[rollover.Progress](ctx, c, http.MethodPost, "/certificates/rollover/"+string(step), nil, "application/json", request)
}
