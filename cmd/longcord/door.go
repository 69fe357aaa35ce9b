package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/portholder"
	"github.com/longcord/longcord/provisioner/door"
)

// makeDoor makes what lets phones in that were never inside. It takes an address outside where no file server
// listens already, and phones know IPv4 only.
func (s *system) makeDoor() (err error) {
	outside := s.settings.Outside
	if s.provisioner == nil || outside == s.settings.Inside || !outside.Is4() {
		return nil
	}
	c := door.Config{
		Inside:   s.fileServer(),
		Renderer: s.provisionerConfig().Renderer(), Inventory: s.catalog.Current, Store: s.store,
		Connected: s.connected, Findings: s.findings, Log: s.log,
	}
	c.Outside, c.HTTP = door.At(outside)
	s.door, err = door.New(c)
	return err
}

// connected tells since when a device has had a session.
func (s *system) connected(device string) (since time.Time, ok bool) {
	if s.gateway == nil {
		return since, false
	}
	for _, session := range s.gateway.Sessions() {
		if session.Device == device && session.Address.IsValid() {
			since, ok = session.Began, true // the newest one is listed last
		}
	}
	return since, ok
}

// invitations are the door's, or nil without one.
func (s *system) invitations() control.Invitations {
	if s.door == nil {
		return nil
	}
	return invitationsAdapter{s.door}
}

type invitationsAdapter struct{ keeper *door.Keeper }

func (a invitationsAdapter) Invite(ctx context.Context, device, by string, good time.Duration) (control.FreshInvitation, error) {
	made, err := a.keeper.Invite(ctx, device, by, good)
	var refused *door.Refusal
	switch {
	case errors.As(err, &refused):
		return control.FreshInvitation{}, control.RefuseWith(http.StatusUnprocessableEntity, refused.Says, refused.Hint)
	case err != nil:
		if address, holder, ok := portholder.Of(err); ok {
			f := finding.PortTaken.With(address, holder)
			return control.FreshInvitation{}, control.RefuseWith(http.StatusConflict, f.Says, f.Fix...)
		}
		return control.FreshInvitation{}, err
	}
	return control.FreshInvitation{
		Invitation: invitationOf(made.Invitation), Link: made.Link.String(), Model: made.Model,
		Server: made.Server.String(), Inside: made.Inside.String(), Keys: made.Keys,
	}, nil
}

func (a invitationsAdapter) List(ctx context.Context) (all []control.Invitation, err error) {
	list, err := a.keeper.List(ctx)
	for _, i := range list {
		all = append(all, invitationOf(i))
	}
	return all, err
}

func (a invitationsAdapter) Revoke(ctx context.Context, which string) (int, error) {
	return a.keeper.Revoke(ctx, which)
}

func invitationOf(i door.Invitation) control.Invitation {
	return control.Invitation{
		ID: i.ID, Phone: i.Device, By: i.By, Made: i.Made, Expires: i.Expires, Used: i.Used, From: written(i.From),
		Carried: i.Carried, Until: i.Until, Delivered: i.Delivered, Connected: i.Connected,
	}
}

func written(address netip.Addr) string {
	if !address.IsValid() {
		return ""
	}
	return fmt.Sprint(address)
}
