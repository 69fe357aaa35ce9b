package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/gateway"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/impact"
	"github.com/longcord/longcord/stage/provision"
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
			ID: s.ID, User: s.User, Phone: s.Device, TunnelGroup: s.TunnelGroup, GroupPolicy: s.GroupPolicy, Login: s.Login,
			State: s.State, TLSVersion: s.CSTP.Version, TLSCipher: s.CSTP.Cipher, DTLSVersion: s.DTLS.Version, Cipher: s.DTLS.Cipher,
			Transport: s.Transport, Since: s.Since, WhyNoDTLS: s.WhyNoDTLS, MTU: s.MTU, OldCrypto: s.Old, Filter: s.Filter, Enrolment: s.Enrolment, Captured: s.Captured != "", CapturedBy: s.Captured,
			UserAgent: s.UserAgent, Began: s.Began, LastPacket: s.Idle, IdleTimeout: int(s.IdleTimeout / time.Second), Disconnected: s.Gone, TLSAlive: alive(s.CSTP), DTLSAlive: alive(s.DTLS),
			BytesIn: s.FromBytes, BytesOut: s.ToBytes, PacketsIn: s.FromPackets, PacketsOut: s.ToPackets, Refused: s.Refused, Dropped: s.Dropped,
		}
		if s.Address.IsValid() {
			one.InnerAddress = s.Address.String()
		}
		if s.Address6.IsValid() {
			one.InnerAddress6 = s.Address6.String()
		}
		if s.CSTP.Peer.IsValid() {
			one.Peer = s.CSTP.Peer.String()
		}
		if s.DTLS.Peer.IsValid() {
			one.DTLSPeer = s.DTLS.Peer.String()
		}
		all = append(all, one)
	}
	return all
}

func (a sessionsAdapter) AccessLists() []control.AccessList {
	var all []control.AccessList
	for _, list := range a.gateway.AccessLists() {
		one := control.AccessList{Name: list.Name, Denied: list.Denied}
		for i, entry := range list.Entries {
			one.Entries = append(one.Entries, control.AccessEntry{AccessEntry: entry, Hits: list.Hits[i]})
		}
		all = append(all, one)
	}
	return all
}

func alive(c gateway.ChannelInfo) *control.Alive {
	if !c.Up {
		return nil
	}
	return &control.Alive{Heard: c.Heard, Sent: c.Spoke, Asked: c.Asked}
}

func (a sessionsAdapter) Logoff(ctx context.Context, ids []uint64, how control.Logoff) (int, error) {
	kinds := map[control.Logoff]gateway.LogoffKind{control.MayReturn: gateway.MayReturn, control.StayAway: gateway.StayAway}
	return a.gateway.Logoff(ctx, kinds[how], func(s gateway.SessionInfo) bool { return slices.Contains(ids, s.ID) }), nil
}

func (a sessionsAdapter) Capture(id uint64, by string) (func(context.Context, io.Writer) error, error) {
	run, err := a.gateway.Capture(id, by)
	switch {
	case errors.Is(err, gateway.ErrCaptureOff):
		return nil, control.Refuse(http.StatusForbidden, "looking into tunnels is switched off: write allowCapture: true below gateway: in longcord.yaml, and start anew")
	case errors.Is(err, gateway.ErrNoSession):
		return nil, control.Refuse(http.StatusNotFound, fmt.Sprintf("there is no session %d", id))
	case errors.Is(err, gateway.ErrCaptured):
		return nil, control.Refuse(http.StatusConflict, fmt.Sprintf("somebody captures session %d already: longcord sessions show %d says who", id, id))
	}
	return run, err
}

func (a sessionsAdapter) Totals() control.Totals {
	t := a.gateway.Totals()
	return control.Totals{
		Sessions: control.Tally(t.Sessions), Disconnected: t.Disconnected, TLS: control.Tally(t.TLS), DTLS: control.Tally(t.DTLS), Capacity: t.Capacity,
	}
}

// registrations are the call manager's, none without one.
func (s *system) registrations() []control.Registration {
	if s.callmanager == nil {
		return nil
	}
	var all []control.Registration
	for _, b := range s.callmanager.Registrations() {
		all = append(all, control.Registration{
			Phone: b.Device, Line: b.Line, Contact: b.Flow.Peer.String(), Expires: b.Expires, Began: b.Since,
			CallID: b.CallID, UserAgent: b.UserAgent, Model: b.Model, Load: b.Load, Stamp: b.Stamp, Restart: b.Restart,
		})
	}
	return all
}

// deliveries are the provisioner's, none without one.
func (s *system) deliveries() map[string][]control.Delivery {
	if s.provisioner == nil {
		return nil
	}
	all := map[string][]control.Delivery{}
	for device, recent := range s.provisioner.Deliveries() {
		for _, d := range recent {
			all[device] = append(all[device], control.Delivery{
				File: d.File, VersionStamp: d.VersionStamp, Peer: d.Peer.String(), Own: d.By == provision.ThePhone, Other: d.By == provision.SomebodyElse, Transport: string(d.Transport), Bytes: d.Bytes, Complete: d.Complete,
			})
		}
	}
	return all
}

// impact says what a change does to the phones as they are now.
func (s *system) impact(before, after *inventory.Set) []impact.Touched {
	renderer := s.provisionerConfig().Renderer()
	facts := impact.Facts{File: renderer.Device}
	if sessions := s.sessions(); sessions != nil {
		for _, session := range sessions.List() {
			facts.Sessions = append(facts.Sessions, impact.Session{Device: session.Phone, User: session.User, TunnelGroup: session.TunnelGroup})
		}
	}
	for _, r := range s.registrations() {
		facts.Registrations = append(facts.Registrations, impact.Registration{Device: r.Phone, Line: r.Line})
	}
	if s.rollover != nil {
		facts.KeptOut = map[string]string{}
		for _, loss := range s.rollover.Lost(before, after) {
			facts.KeptOut[loss.Device] = fmt.Sprintf("gateway %q would present another certificate: %s", loss.Gateway, loss.Why)
		}
	}
	if s.provisioner != nil {
		deliveries, counts := s.provisioner.Deliveries(), s.counting()
		facts.Fetched = func(device string) (stamp string, at time.Time) {
			d, _ := newestFile(deliveries[device], counts)
			return d.VersionStamp, d.Complete
		}
	}
	return impact.Of(before, after, facts)
}
