package main

import (
	"context"
	"slices"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/gateway"
)

// The parts do not know each other. What control asks of them is fitted here.

// sessions are the gateway's, or nil without one.
func (s *system) sessions() control.Sessions {
	if s.gateway == nil {
		return nil
	}
	return sessionsAdapter{s.gateway}
}

type sessionsAdapter struct{ gateway *gateway.Gateway }

func (a sessionsAdapter) List() []control.Session {
	var all []control.Session
	for _, s := range a.gateway.Sessions() {
		one := control.Session{
			ID: s.ID, User: s.User, Phone: s.Device, TunnelGroup: s.TunnelGroup, State: s.State,
			Transport: s.Transport, DTLSVersion: s.DTLSVersion, Cipher: s.Cipher, UserAgent: s.UserAgent,
			Began: s.Began, BytesIn: s.FromBytes, BytesOut: s.ToBytes, Refused: s.Refused,
		}
		if s.Address.IsValid() {
			one.InnerAddress = s.Address.String()
		}
		if s.Address6.IsValid() {
			one.InnerAddress6 = s.Address6.String()
		}
		if s.Peer.IsValid() {
			one.Peer = s.Peer.String()
		}
		all = append(all, one)
	}
	return all
}

func (a sessionsAdapter) Logoff(ctx context.Context, ids []uint64) (int, error) {
	return a.gateway.Logoff(ctx, gateway.MustLogIn, func(s gateway.SessionInfo) bool { return slices.Contains(ids, s.ID) }), nil
}

// registrations are the call manager's, none without one.
func (s *system) registrations() []control.Registration {
	if s.callmanager == nil {
		return nil
	}
	var all []control.Registration
	for _, b := range s.callmanager.Registrations() {
		all = append(all, control.Registration{Phone: b.Device, Line: b.Line, Contact: b.Flow.Peer.String(), Expires: b.Expires})
	}
	return all
}
