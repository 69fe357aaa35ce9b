package control

import (
	"context"
	"net/http"
	"net/url"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/inventory/fitness"
)

// Readiness says whether a phone is fit to go home.
type Readiness struct {
	Phone   string          `json:"phone"`
	Verdict fitness.State   `json:"verdict" doc:"unfit when one check is, else unknown when one is"`
	Checks  []fitness.Check `json:"checks"`
}

type readyInput struct {
	Name     string `path:"name"`
	Resolver string `query:"resolver" doc:"name server outside that is asked for gateways' names; empty: this machine's own"`
}

func (s *Server) registerReady(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "ready-phone", Method: http.MethodGet, Path: "/phones/{name}/ready", Summary: "Whether a phone is fit to go home",
	}, func(ctx context.Context, in *readyInput) (*body[Readiness], error) {
		device, ok := s.config.Catalog.Current().Devices[in.Name]
		switch {
		case !ok:
			return nil, refuse(http.StatusNotFound, "there is no Device %q", in.Name)
		case s.config.Fitness == nil:
			return nil, refuse(http.StatusNotFound, "nobody judges phones here")
		}
		checks := s.config.Fitness(ctx, device, in.Resolver)
		return &body[Readiness]{Readiness{in.Name, fitness.Verdict(checks), checks}}, nil
	})
}

// Ready says whether a phone is fit to go home. The resolver may be empty.
func (c *Client) Ready(ctx context.Context, device, resolver string) (Readiness, error) {
	values := url.Values{}
	if resolver != "" {
		values.Set("resolver", resolver)
	}
	return get[Readiness](ctx, c, "/phones/"+url.PathEscape(device)+"/ready", values)
}
