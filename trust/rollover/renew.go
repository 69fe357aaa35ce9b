package rollover

import (
	"context"
	"fmt"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
)

// Times of Renew. An authority that has refused is asked again only after hours: it counts failures.
const (
	renewLooked = time.Minute
	renewPause  = 6 * time.Hour
)

// RunRenewal calls Renew until ctx ends.
func (k *Keeper) RunRenewal(ctx context.Context) error {
	tick := time.NewTicker(renewLooked)
	defer tick.Stop()
	for {
		k.Renew(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// Renew obtains the next certificate of each gateway that gets its from an authority, when it is time, and
// begins a roll-over to it. The certificate is presented when every phone has its hash, not before.
func (k *Keeper) Renew(ctx context.Context) {
	for _, g := range k.toRenew() {
		err := k.renew(ctx, g)
		switch {
		case ctx.Err() != nil:
		case err == nil:
			k.config.Findings.Clear(finding.CertificateNotObtained, g.Name)
		default:
			f := finding.CertificateNotObtained.With(g.Name, hostOf(g.URL)).Because("authority", 0, err.Error())
			k.config.Findings.Raise(f)
			k.log.Error("certificate not obtained", "gateway", g.Name, logging.Err, err, "again", k.config.Now().Add(renewPause), logging.Finding, f.Code)
		}
	}
}

func (k *Keeper) issued(gateway string) bool {
	return k.config.Issued != nil && k.config.Issued(gateway)
}

// toRenew are the gateways for which it is time. Each counts as tried from then on.
func (k *Keeper) toRenew() []*inventory.VPNGateway {
	k.mu.Lock()
	defer k.mu.Unlock()
	set, now := k.config.Inventory(), k.config.Now()
	var all []*inventory.VPNGateway
	for _, g := range ours(set) {
		begins := k.begins(set, g)
		if !k.issued(g.Name) || k.rollovers[g.Name].state() != None || begins.IsZero() || now.Before(begins) ||
			len(PhonesOf(set, g.Name)) == 0 || now.Sub(k.tried[g.Name]) < renewPause {
			continue
		}
		k.tried[g.Name] = now
		all = append(all, g)
	}
	return all
}

func (k *Keeper) renew(ctx context.Context, g *inventory.VPNGateway) error {
	pair, err := k.config.Issue(ctx, hostOf(g.URL))
	if err != nil {
		return err
	}
	made := &inventory.Certificate{
		Name: freeName(k.config.Inventory(), g.Name, k.config.Now()), Certificate: pair.Certificate, Key: pair.Key,
	}
	if err := k.config.Apply(ctx, []inventory.Object{made}); err != nil {
		return fmt.Errorf("rollover: keep the certificate: %w", err)
	}
	_, err = k.Start(ctx, Order{Gateway: g.Name, Certificate: made.Name})
	return err
}
