package control

import (
	"context"
	"net/http"

	"github.com/danielgtaylor/huma/v2"
)

// StrangerList is phones that are not in the inventory.
type StrangerList struct {
	Phones []Stranger `json:"phones"`
}

func (s *Server) registerStrangers(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-unknown-phones", Method: http.MethodGet, Path: "/unknown-phones", Summary: "Phones that asked for something and are not in the inventory",
	}, func(context.Context, *struct{}) (*body[StrangerList], error) {
		all := []Stranger{}
		if s.config.Strangers != nil {
			all = append(all, s.config.Strangers()...)
		}
		return &body[StrangerList]{StrangerList{all}}, nil
	})
}

// Strangers returns the phones that asked for something and are not in the inventory, the last first.
func (c *Client) Strangers(ctx context.Context) ([]Stranger, error) {
	all, err := get[StrangerList](ctx, c, "/unknown-phones", nil)
	return all.Phones, err
}
