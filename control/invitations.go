package control

import (
	"context"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/inventory"
)

// Invitations are the ways in for phones that were never inside.
type Invitations interface {
	// Invite makes an invitation for a device. What the operator can mend is refused by Refuse.
	Invite(ctx context.Context, device, by string, good time.Duration) (FreshInvitation, error)
	// List returns those that can still be used or were lately, oldest first.
	List(ctx context.Context) ([]Invitation, error)
	// Revoke takes back one by its id, or all of a device, and returns how many there were.
	Revoke(ctx context.Context, which string) (int, error)
}

// Invitation is a one-time link for a phone that was never inside.
type Invitation struct {
	ID        string    `json:"id"`
	Phone     string    `json:"phone"`
	By        string    `json:"by" doc:"the operator who made it"`
	Made      time.Time `json:"made"`
	Expires   time.Time `json:"expires" doc:"it can be used until then"`
	Used      time.Time `json:"used,omitzero"`
	From      string    `json:"from,omitempty" doc:"address that used it"`
	Carried   bool      `json:"carried" doc:"used by longcord carry; else a door was opened for that address"`
	Until     time.Time `json:"until,omitzero" doc:"when the door shuts or shut"`
	Delivered time.Time `json:"delivered,omitzero" doc:"the starter file arrived at the phone by the door"`
	Connected time.Time `json:"connected,omitzero" doc:"since when the phone has had a session, if since the invitation"`
}

// FreshInvitation is an invitation with its link, which is told once and kept nowhere.
type FreshInvitation struct {
	Invitation
	Link   string               `json:"link" doc:"whoever has it can use it"`
	Model  string               `json:"model"`
	Server string               `json:"server" doc:"TFTP server 1 of the phone while the door is open"`
	Inside string               `json:"inside" doc:"TFTP servers 1 and 2 of the phone afterwards"`
	Keys   inventory.KeyPresses `json:"keys" doc:"ways through the phone's menus"`
}

// InvitationList is what List returned.
type InvitationList struct {
	Invitations []Invitation `json:"invitations"`
}

// Revoked is how many invitations were taken back.
type Revoked struct {
	Revoked int `json:"revoked"`
}

type inviteInput struct {
	Name string `path:"name"`
	Body struct {
		Seconds int `json:"seconds" minimum:"1" doc:"how long it is good for"`
	}
}

func (s *Server) registerInvitations(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "invite-phone", Method: http.MethodPost, Path: "/phones/{name}/invitations", Summary: "Make a one-time link for a phone that was never inside",
	}, func(ctx context.Context, in *inviteInput) (*body[FreshInvitation], error) {
		if s.config.Invitations == nil {
			return nil, errNoDoor
		}
		made, err := s.config.Invitations.Invite(ctx, in.Name, operator(ctx), time.Duration(in.Body.Seconds)*time.Second)
		if err != nil {
			return nil, err
		}
		return &body[FreshInvitation]{made}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "list-invitations", Method: http.MethodGet, Path: "/invitations", Summary: "One-time links that can still be used or were in the last day",
	}, func(ctx context.Context, _ *struct{}) (*body[InvitationList], error) {
		if s.config.Invitations == nil {
			return nil, errNoDoor
		}
		all, err := s.config.Invitations.List(ctx)
		if err != nil {
			return nil, err
		}
		return &body[InvitationList]{InvitationList{append([]Invitation{}, all...)}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "revoke-invitations", Method: http.MethodDelete, Path: "/invitations/{name}", Summary: "Take back an invitation by its id, or all of a phone, and shut its door",
	}, func(ctx context.Context, in *nameInput) (*body[Revoked], error) {
		if s.config.Invitations == nil {
			return nil, errNoDoor
		}
		n, err := s.config.Invitations.Revoke(ctx, in.Name)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			return nil, refuse(http.StatusNotFound, "there is no invitation %q, and none for a phone of that name", in.Name)
		}
		s.log.Info("invitations revoked", "by", operator(ctx), "which", in.Name, "revoked", n)
		return &body[Revoked]{Revoked{n}}, nil
	})
}

var errNoDoor = refuse(http.StatusConflict, "nobody can be invited here: that takes a provisioner and a gateway in one process, and another address outside than inside")
