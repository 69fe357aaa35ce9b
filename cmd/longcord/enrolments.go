package main

import (
	"context"
	"errors"
	"maps"
	"net/http"
	"slices"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/gateway"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/wire/capf"
)

// enrolmentsAdapter is what control asks of the book of phones' certificates.
type enrolmentsAdapter struct {
	book      *lsc.Book
	inventory func() *inventory.Set
	gateway   *gateway.Gateway // nil: not run
	served    bool             // CAPF runs here
	// withoutCAPF reports whether a phone holds a trust list that names no CAPF, so that it believes none.
	withoutCAPF func(device string) bool
}

func (s *system) enrolments() control.Enrolments {
	return enrolmentsAdapter{s.phoneCertificates, s.catalog.Current, s.gateway, s.trustServer != nil, s.withoutCAPF}
}

var proofModes = map[string]enrol.Mode{
	control.ProofPassword: enrol.ByPassword, control.ProofNothing: enrol.ByNothing,
	control.ProofCertificate: enrol.ByCertificate, control.ProofMIC: enrol.ByMIC,
}

func (a enrolmentsAdapter) List() []control.Enrolment {
	set, now := a.inventory(), time.Now()
	known := map[string]lsc.Phone{}
	for name := range set.Devices {
		known[name] = lsc.Phone{Device: name}
	}
	for _, p := range a.book.Phones() {
		known[p.Device] = p
	}
	all := []control.Enrolment{}
	for _, name := range slices.Sorted(maps.Keys(known)) {
		one := enrolmentOf(known[name], now)
		if device, ok := set.Devices[name]; ok {
			if told, vpn := set.VPNSettingsFor(device); vpn {
				one.Login = string(told.ClientAuthentication)
			}
			if a.withoutCAPF != nil && a.withoutCAPF(name) {
				one.Hindered = "the trust list that it holds names no CAPF, since signing was turned off"
				one.Remedy = "longcord trust enable " + device.CommonPhoneProfile + ", or erase the lists on the phone"
			}
		}
		all = append(all, one)
	}
	return all
}

// enrolmentOf is how it stands with one phone.
func enrolmentOf(p lsc.Phone, now time.Time) control.Enrolment {
	e := control.Enrolment{Phone: p.Device, State: "none", Maker: p.Manufactured}
	if o := p.Order; o != nil {
		e.State, e.Ordered, e.Password, e.Until, e.Failed = "ordered", o.Operation.String(), o.Password.Reveal(), o.Until, o.Tries
		for word, mode := range proofModes {
			if mode == o.Mode {
				e.Proof = word
			}
		}
	}
	shown := p.Current(now)
	if shown == nil && len(p.Certificates) > 0 {
		shown = &p.Certificates[0]
	}
	if shown == nil {
		return e
	}
	e.Name, e.Serial, e.NotAfter = shown.Leaf.Subject.CommonName, shown.Serial(), shown.Leaf.NotAfter
	e.Confirmed, e.Proved, e.Revoked = shown.Confirmed, shown.Shown, shown.Revoked
	switch {
	case !shown.Revoked.IsZero():
		e.State = "revoked"
	case !shown.Deleted.IsZero():
		e.State = "none"
	case now.After(shown.Leaf.NotAfter):
		e.State = "expired"
	case !shown.Shown.IsZero():
		e.State = "proved"
	case !shown.Confirmed.IsZero():
		e.State = "confirmed"
	default:
		e.State = "issued"
	}
	return e
}

func (a enrolmentsAdapter) Start(ctx context.Context, phones []string, order control.EnrolmentOrder) error {
	o := lsc.Order{Mode: proofModes[order.Proof], Until: time.Now().Add(order.For), Key: enrol.DefaultKey, Operation: enrol.Install}
	if order.Operation == enrol.Delete.String() {
		o.Operation = enrol.Delete
	}
	if order.Key != "" {
		var err error
		if o.Key, err = enrol.ParseKey(order.Key); err != nil {
			return control.RefuseWith(http.StatusUnprocessableEntity, err.Error(), "rsa-2048 is what every phone can make")
		}
	}
	if !a.served {
		return control.Refuse(http.StatusConflict, "no provisioner runs here, so nobody can enrol")
	}
	set := a.inventory()
	for _, name := range phones {
		switch device, ok := set.Devices[name]; {
		case !ok:
			return control.RefuseWith(http.StatusNotFound, "there is no Device "+name, "longcord phones list")
		case device.Blocked:
			return control.RefuseWith(http.StatusConflict, "the Device "+name+" is blocked", "longcord phones unblock "+name)
		case o.Operation == enrol.Install && o.Key.Type == capf.EC && set.SecurityFor(device).Encrypted:
			return control.RefuseWith(http.StatusConflict, "the file of "+name+" is encrypted, and that needs an RSA key", "take --key rsa-2048, or tftpEncryptedConfig out of its common phone profile")
		}
	}
	for _, name := range phones {
		if _, err := a.book.Start(ctx, name, o); err != nil {
			return err
		}
	}
	return nil
}

func (a enrolmentsAdapter) Cancel(ctx context.Context, phones []string) error {
	var errs []error
	for _, name := range phones {
		errs = append(errs, a.book.Cancel(ctx, name))
	}
	return errors.Join(errs...)
}

func (a enrolmentsAdapter) Revoke(ctx context.Context, phones []string) (revoked int, err error) {
	for _, name := range phones {
		n, err := a.book.Revoke(ctx, name)
		revoked += n
		if err != nil {
			return revoked, err
		}
	}
	if a.gateway == nil {
		return revoked, nil
	}
	set := a.inventory()
	a.gateway.Logoff(ctx, gateway.MustLogIn, func(s gateway.SessionInfo) bool {
		group := set.TunnelGroups[s.TunnelGroup]
		return slices.Contains(phones, s.Device) && group != nil && group.Authentication != "" && group.Authentication != inventory.AuthenticateAAA
	})
	return revoked, nil
}

func (a enrolmentsAdapter) RevocationList() ([]byte, error) {
	return a.book.RevocationList()
}
