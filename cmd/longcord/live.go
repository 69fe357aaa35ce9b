package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/reader"
)

// live reads a phone's pages where the phone is now.
func (s *system) live(ctx context.Context, phone string) (control.Live, error) {
	address, ok := s.addressOf(phone)
	if !ok {
		return control.Live{}, control.Refuse(http.StatusConflict, phone+" has no tunnel and no registration here, and no file was fetched by it for certain: nobody knows its address")
	}
	visit, err := reader.New(reader.Config{}).Visit(ctx, address)
	if err != nil {
		return control.Live{}, control.Refuse(http.StatusBadGateway, fmt.Sprintf("%s at %s: %v", phone, address, err))
	}
	return liveOf(address, visit), nil
}

func liveOf(address netip.Addr, visit reader.Visit) control.Live {
	i := visit.Info
	live := control.Live{
		Address: address.String(), At: visit.At, Model: i.Model, Load: i.Load, SerialNumber: i.SerialNumber, MAC: i.MAC, HostName: i.HostName,
		Number: i.Number, IPAddress: i.IPAddress, TFTPServers: []string{}, AlternateTFTP: i.AlternateTFTP, CallManagers: []control.LiveManager{},
		CTL: i.CTL, ITL: i.ITL, ITLSignature: i.ITLSignature, SecurityMode: i.SecurityMode, WebAccess: i.WebAccess,
		AuthenticationURL: i.AuthenticationURL, Status: []string{},
	}
	for _, server := range i.TFTPServers {
		if server != "" {
			live.TFTPServers = append(live.TFTPServers, server)
		}
	}
	for _, manager := range i.CallManagers {
		live.CallManagers = append(live.CallManagers, control.LiveManager(manager))
	}
	for _, message := range visit.Status {
		live.Status = append(live.Status, message.String())
	}
	for _, page := range visit.Pages {
		live.Pages = append(live.Pages, control.LivePage(page))
	}
	return live
}

// addressOf returns where a phone can be reached from here: in its tunnel, else where it registers from, else
// where it fetched a file last, if that was certainly the phone.
func (s *system) addressOf(phone string) (netip.Addr, bool) {
	if s.gateway != nil {
		for _, session := range s.gateway.Sessions() {
			if session.Device == phone && session.Address.IsValid() && session.Gone.IsZero() {
				return session.Address, true
			}
		}
	}
	if s.callmanager != nil {
		for _, b := range s.callmanager.Registrations() {
			if b.Device == phone {
				return b.Flow.Peer.Addr(), true
			}
		}
	}
	if s.provisioner != nil {
		return s.lastAt(s.provisioner.Deliveries()[phone])
	}
	return netip.Addr{}, false
}

// showLive prints what a phone's own pages show.
func (p *program) showLive(ctx context.Context, client *control.Client, phone string, raw, asJSON bool) error {
	live, err := client.Live(ctx, phone, raw)
	var refusal *control.Refusal
	if errors.As(err, &refusal) && refusal.Status == http.StatusBadGateway {
		return notWell(err, "web access may be off in its file: webAccess 0 turns it on", "it may be away: longcord phones show "+phone)
	}
	if err != nil {
		return err
	}
	switch {
	case asJSON:
		return p.printJSON(map[string]any{"schema": 1, "live": live})
	case raw:
		for _, page := range live.Pages {
			fmt.Fprintf(p.out, "== %s %s\n%s\n", page.Page, page.Path, page.Body)
		}
		return nil
	}
	return p.table([]string{phone}, liveRows(live))
}

func liveRows(live control.Live) [][]string {
	var managers []string
	for _, m := range live.CallManagers {
		managers = append(managers, strings.TrimSpace(m.Host+" "+m.State))
	}
	var rows [][]string
	for _, row := range [][]string{
		{"model", live.Model}, {"load", live.Load}, {"serial number", live.SerialNumber}, {"MAC", live.MAC}, {"number", live.Number},
		{"IP address", live.IPAddress}, {"alternate TFTP", live.AlternateTFTP}, {"TFTP servers", strings.Join(live.TFTPServers, ", ")},
		{"call managers", strings.Join(managers, ", ")}, {"CTL", live.CTL}, {"ITL", live.ITL}, {"ITL signature", live.ITLSignature},
		{"security mode", live.SecurityMode}, {"web access", live.WebAccess}, {"authentication URL", live.AuthenticationURL},
	} {
		if row[1] != "" {
			rows = append(rows, row)
		}
	}
	for _, message := range live.Status {
		rows = append(rows, []string{"status", message})
	}
	return rows
}
