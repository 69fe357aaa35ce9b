package main

import (
	"context"
	"crypto"
	"crypto/sha1" // of fingerprints
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"time"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust"
)

// trustAdapter is the house's keys and the lists that are made of them, as control asks for them.
type trustAdapter struct {
	authority *trust.Authority
	files     trustFiles                             // nil: no provisioner runs here
	counts    func() func(provisioner.Delivery) bool // see counting
}

// trustFiles is the provisioner's part.
type trustFiles interface {
	TrustList(kind trust.ListKind, device string) ([]byte, error)
	Lag(counts func(provisioner.Delivery) bool) (provisioner.Lag, error)
	TVSOf(device string) ([]string, error)
}

func (s *system) trust() control.Trust {
	a := trustAdapter{authority: s.authority, counts: s.counting}
	if s.provisioner != nil {
		a.files = s.provisioner
	}
	return a
}

// noFiles is the refusal of what only the part that serves files knows.
func noFiles() error {
	return control.Refuse(http.StatusConflict, "no provisioner runs here, so nobody knows which lists phones have fetched: ask the process that runs it")
}

func (a trustAdapter) Keys() []control.TrustKey {
	var all []control.TrustKey
	for _, r := range a.authority.Records() {
		sum := sha1.Sum(r.Certificate.Raw)
		all = append(all, control.TrustKey{
			Purpose: string(r.Purpose), Role: r.Role.String(), Subject: r.Subject, Serial: fmt.Sprintf("%X", r.Serial()), SHA1: fmt.Sprintf("%X", sum),
			NotBefore: r.Certificate.NotBefore, NotAfter: r.Certificate.NotAfter, Since: r.Since, Until: r.Until, KeyHere: r.Online, Foreign: r.Foreign,
		})
	}
	return all
}

func (a trustAdapter) Lag() (control.TrustLag, error) {
	if a.files == nil {
		return control.TrustLag{}, noFiles()
	}
	lag, err := a.files.Lag(a.counts())
	return control.TrustLag(lag), err
}

// consent is what a change of keys rests on. Where a signer is another server's, phones that have none of our
// lists may hold theirs, so they count.
func (a trustAdapter) consent(force bool) (trust.Consent, error) {
	lag, err := a.Lag()
	behind := lag.Behind
	foreign := slices.ContainsFunc(a.authority.Records(), func(r trust.Record) bool {
		return r.Foreign && r.Purpose == trust.Signer1 && r.Until.IsZero()
	})
	if foreign {
		behind = append(behind, lag.Without...)
	}
	if force {
		err = nil
	}
	return trust.Consent{Behind: behind, Force: force}, err
}

func (a trustAdapter) List(kind trust.ListKind, device string) ([]byte, error) {
	if device != "" && a.files != nil {
		list, err := a.files.TrustList(kind, device)
		if errors.Is(err, provision.ErrNotFound) {
			return nil, control.Refuse(http.StatusNotFound, fmt.Sprintf("%s is given no %s: its common phone profile has no securityByDefault, or there is no such device", device, kind))
		}
		return list, err
	}
	name := map[trust.ListKind]string{trust.CTL: provision.SharedCTL, trust.ITL: provision.SharedITL}[kind]
	return a.authority.List(trust.Signing{Name: name}, kind, trust.ListOptions{})
}

func (a trustAdapter) Signer() (trust.Pair, error) {
	pair, err := a.authority.Pair(trust.Signer2)
	if err != nil {
		return trust.Pair{}, err
	}
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey.(crypto.Signer))
	if err != nil {
		return trust.Pair{}, err
	}
	return trust.Pair{
		Certificate: string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})),
		Key:         secret.New(string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key}))),
	}, nil
}

func (a trustAdapter) Change(ctx context.Context, step control.TrustStep, order control.TrustOrder) error {
	consent, err := a.consent(order.Force)
	if err != nil {
		return err
	}
	switch step {
	case control.TrustReplace:
		return a.authority.Replace(ctx, order.Purpose, consent)
	case control.TrustPromote:
		return a.authority.Promote(ctx, consent)
	case control.TrustForget:
		return a.authority.TakeOut(ctx, func(trust.Pair) error { return nil })
	}
	pair := trust.Pair{Certificate: order.Certificate, Key: secret.New(order.Key)}
	var names trust.Names
	if len(order.List) > 0 {
		if names, err = trust.NamesIn(order.List, pair); err != nil {
			return err
		}
	}
	return a.authority.Import(ctx, pair, names, consent)
}

// tvsCheckTime is how long TVS may take to show its certificate.
const tvsCheckTime = 5 * time.Second

func (a trustAdapter) CheckTVS(ctx context.Context, devices []string) ([]control.TVSCheck, error) {
	if a.files == nil {
		return nil, noFiles()
	}
	named := map[string][]string{}
	var order []string
	for _, device := range devices {
		addresses, err := a.files.TVSOf(device)
		if err != nil {
			return nil, err
		}
		if len(addresses) == 0 {
			addresses = []string{""}
		}
		for _, address := range addresses {
			if !slices.Contains(order, address) {
				order = append(order, address)
			}
			named[address] = append(named[address], device)
		}
	}
	var all []control.TVSCheck
	for _, address := range order {
		check := control.TVSCheck{Address: address, Devices: named[address]}
		if err := a.checkTVS(ctx, address); err != nil {
			check.Problem = err.Error()
		}
		all = append(all, check)
	}
	return all, nil
}

// checkTVS connects as a phone does, and looks whether the certificate is the one that lists name.
func (a trustAdapter) checkTVS(ctx context.Context, address string) error {
	if address == "" {
		return errors.New("the files name no TVS")
	}
	ctx, cancel := context.WithTimeout(ctx, tvsCheckTime)
	defer cancel()
	own, err := a.authority.Pair(trust.TVS)
	if err != nil {
		return err
	}
	dialer := tls.Dialer{NetDialer: new(net.Dialer), Config: &tls.Config{
		InsecureSkipVerify: true, // the certificate itself is compared
		VerifyConnection: func(state tls.ConnectionState) error {
			if !state.PeerCertificates[0].Equal(own.Leaf) {
				return fmt.Errorf("it shows another certificate than the one of TVS here: %s", state.PeerCertificates[0].Subject)
			}
			return nil
		},
	}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	return conn.Close()
}
