package control

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/inventory/impact"
)

// Plan is what a change would do to the inventory and to phones.
type Plan struct {
	catalog.Changes
	Phones  []impact.Touched `json:"phones" doc:"phones that it touches, the gravest first"`
	Refused []Problem        `json:"refused" doc:"why apply would refuse it unless forced"`
}

// Lost are the phones that would not come back.
func (p Plan) Lost() (names []string) {
	for _, phone := range p.Phones {
		if phone.Effect == impact.Lost {
			names = append(names, phone.Device)
		}
	}
	return names
}

type planInput struct {
	Prune   bool   `query:"prune" doc:"as apply with prune"`
	RawBody []byte `contentType:"application/yaml"`
}

func (s *Server) registerPlan(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "plan-inventory", Method: http.MethodPost, Path: "/inventory/plan", Summary: "What applying a file would do to phones; changes nothing",
		MaxBodyBytes: maxInventory, BodyReadTimeout: bodyTimeout,
	}, s.planInventory)
}

func (s *Server) planInventory(ctx context.Context, in *planInput) (*body[Plan], error) {
	f, err := file.Parse("request", in.RawBody, file.NoFiles)
	if err != nil {
		return nil, refusal(err, nil)
	}
	preview, err := s.config.Catalog.Preview(ctx, f.Objects, catalog.Options{Prune: in.Prune})
	if err != nil {
		return nil, refusal(err, f)
	}
	plan := Plan{Changes: preview.Changes, Phones: []impact.Touched{}, Refused: problemsIn(f, preview.Objections)}
	for _, refs := range []*[]catalog.Ref{&plan.Created, &plan.Changed, &plan.Deleted} {
		*refs = append([]catalog.Ref{}, *refs...) // an empty list in JSON, not null
	}
	if s.config.Impact != nil {
		plan.Phones = append(plan.Phones, s.config.Impact(preview.Before, preview.After)...)
	}
	return &body[Plan]{plan}, nil
}

// Plan returns what applying objects would do.
func (c *Client) Plan(ctx context.Context, objects []inventory.Object, prune bool) (Plan, error) {
	text, err := file.Encode(objects, true)
	if err != nil {
		return Plan{}, err
	}
	return do[Plan](ctx, c, http.MethodPost, "/inventory/plan", url.Values{"prune": {strconv.FormatBool(prune)}}, "application/yaml", text)
}
