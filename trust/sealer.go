package trust

import (
	"crypto/cipher"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/crypto/chacha20poly1305"
)

// KeySize is the length of a master key in bytes; a key file holds them as they are.
const KeySize = chacha20poly1305.KeySize

// sealedVersion is the first byte of what Seal returns:
//
//	offset  length  field
//	0       1       version, 1
//	1       24      nonce
//	25      n       XChaCha20-Poly1305 ciphertext
//	25+n    16      tag, over version, associated data and text
const sealedVersion = 1

// ErrSealed: sealed data does not open. It is cut or changed, belongs to another record, or was sealed
// under another key: restore the master.key that belongs to this store.
var ErrSealed = errors.New("trust: sealed data does not open with this key")

// Sealer seals secrets for storage under a master key. It may be used by several goroutines.
type Sealer struct{ aead cipher.AEAD }

// NewSealer returns a sealer for a key.
func NewSealer(key [KeySize]byte) *Sealer {
	aead, err := chacha20poly1305.NewX(key[:])
	if err != nil {
		panic(err) // of the key's length, which the type fixes
	}
	return &Sealer{aead}
}

// Seal encrypts text. What is sealed opens only with the same associated data, which is the key of the
// record it is kept in. Its length is that of text and 41 bytes.
func (s *Sealer) Seal(text, associated []byte) []byte {
	sealed := make([]byte, 1+s.aead.NonceSize(), 1+s.aead.NonceSize()+len(text)+s.aead.Overhead())
	sealed[0] = sealedVersion
	nonce := sealed[1:]
	rand.Read(nonce)
	return s.aead.Seal(sealed, nonce, text, versioned(associated))
}

// Open returns the text that Seal was given, or ErrSealed.
func (s *Sealer) Open(sealed, associated []byte) ([]byte, error) {
	header := 1 + s.aead.NonceSize()
	if len(sealed) < header+s.aead.Overhead() {
		return nil, fmt.Errorf("%w: %d bytes are too few", ErrSealed, len(sealed))
	}
	if sealed[0] != sealedVersion {
		return nil, fmt.Errorf("%w: version %d, this program knows %d", ErrSealed, sealed[0], sealedVersion)
	}
	text, err := s.aead.Open(nil, sealed[1:header], sealed[header:], versioned(associated))
	if err != nil {
		return nil, ErrSealed
	}
	return text, nil
}

func versioned(associated []byte) []byte {
	return append([]byte{sealedVersion}, associated...)
}

// CreateKey draws a master key and writes it to a new file that only its owner may read (0600). An
// existing file is left alone and is an error, because what it sealed would be lost.
func CreateKey(path string) (err error) {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return fmt.Errorf("trust: create master key: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("trust: create master key: %w", err), os.Remove(path))
		}
	}()
	var key [KeySize]byte
	rand.Read(key[:])
	_, err = file.Write(key[:])
	if err = errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return syncDirectory(filepath.Dir(path))
}

// syncDirectory makes a new file's name as durable as its content.
func syncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// LoadKey returns the sealer for the master key in a file. It refuses a file that others may read or
// write, and one that is not exactly a key long.
func LoadKey(path string) (*Sealer, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("trust: load master key: %w", err)
	}
	defer file.Close()
	info, err := file.Stat()
	if err != nil {
		return nil, fmt.Errorf("trust: load master key: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("trust: master key %s is not a file", path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("trust: master key %s has mode %04o, so others may use it: run chmod 600 %[1]s", path, mode)
	}
	if info.Size() != KeySize {
		return nil, fmt.Errorf("trust: master key %s has %d bytes, want %d: restore it from a copy", path, info.Size(), KeySize)
	}
	var key [KeySize]byte
	if _, err := io.ReadFull(file, key[:]); err != nil {
		return nil, fmt.Errorf("trust: load master key %s: %w", path, err)
	}
	return NewSealer(key), nil
}
