package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/wire/capf"
)

// oneCertificate is a book in which the first phone has proved its certificate.
func oneCertificate(ts *testscript.TestScript, kept store.Store, objects *catalog.Catalog) control.Enrolments {
	const phone = "SEP020000001001"
	ctx, sealer := context.Background(), trust.NewSealer([trust.KeySize]byte{})
	authority, err := trust.OpenAuthority(ctx, trust.AuthorityConfig{Store: kept, Sealer: sealer})
	ts.Check(err)
	book, err := lsc.Open(ctx, lsc.Config{Store: kept, Sealer: sealer, Authority: authority, Inventory: objects.Current})
	ts.Check(err)
	if _, ok := objects.Current().Devices[phone]; ok {
		_, err = book.Start(ctx, phone, lsc.Order{Operation: enrol.Install, Mode: enrol.ByNothing, Key: enrol.Key{Type: capf.EC}, Until: time.Now().Add(time.Hour)})
		ts.Check(err)
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		ts.Check(err)
		der, err := book.Sign(ctx, phone, key.Public())
		ts.Check(err)
		leaf, err := x509.ParseCertificate(der)
		ts.Check(err)
		ts.Check(book.Ended(ctx, enrol.Outcome{Device: phone, Operation: enrol.Install, Done: true, Certificate: der}))
		ts.Check(book.Seen(ctx, leaf))
		ts.Check(book.Ended(ctx, enrol.Outcome{Device: phone, Operation: enrol.Fetch, Done: true}))
	}
	return enrolmentsAdapter{book: book, inventory: objects.Current, served: true}
}
