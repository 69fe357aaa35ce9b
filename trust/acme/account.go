package acme

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/trust"
)

// account is the record of our account with authorities: "trust/acme/account". It stays for good.
type account struct {
	Sealed []byte `json:"sealed"` // PKCS#8 of its key, sealed for this record
}

const (
	accountPrefix = "trust/acme/"
	accountName   = "account"
)

// OpenAccount returns the key of our account, which is made when there is none yet.
func OpenAccount(ctx context.Context, s store.Store, sealer *trust.Sealer) (crypto.Signer, error) {
	table := store.NewTable[account](s, accountPrefix, 1, nil)
	entry, err := table.Get(ctx, accountName)
	if errors.Is(err, store.ErrNotFound) {
		return makeAccount(ctx, table, sealer)
	}
	if err != nil {
		return nil, fmt.Errorf("acme: account: %w", err)
	}
	der, err := sealer.Open(entry.Value.Sealed, []byte(accountPrefix+accountName))
	if err != nil {
		return nil, fmt.Errorf("acme: account: %w", err)
	}
	key, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("acme: account: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("acme: account: a %T cannot sign", key)
	}
	return signer, nil
}

func makeAccount(ctx context.Context, table *store.Table[account], sealer *trust.Sealer) (crypto.Signer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("acme: account: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("acme: account: %w", err)
	}
	record := account{Sealed: sealer.Seal(der, []byte(accountPrefix+accountName))}
	if _, err := table.Put(ctx, accountName, record, 0); err != nil {
		return nil, fmt.Errorf("acme: account: %w", err)
	}
	return key, nil
}
