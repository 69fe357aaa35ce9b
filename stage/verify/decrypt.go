package verify

import (
	"bytes"
	"crypto"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rsa"
	"errors"
	"fmt"

	"github.com/longcord/longcord/wire/tlv"
)

// ErrNotForUs: the file was encrypted for another certificate. The phone has to be enrolled again, or its
// server told of the certificate that it has.
var ErrNotForUs = errors.New("it was encrypted for another key")

// Decrypt returns the content of an encrypted file that FileOffered believes.
func Decrypt(file *tlv.File, key crypto.PrivateKey) ([]byte, error) {
	e, content := file.Header.Encryption, file.Content
	name := file.Header.FileName
	private, ok := key.(*rsa.PrivateKey)
	switch {
	case e == nil:
		return nil, fmt.Errorf("verify: %s is not encrypted", name)
	case !ok:
		return nil, fmt.Errorf("verify: %s: %w: the phone has no RSA key", name, ErrNotForUs)
	case len(content) == 0 || len(content)%aes.BlockSize != 0:
		return nil, fmt.Errorf("verify: %s: %d bytes are no whole blocks", name, len(content))
	}
	// Whoever can ask this question twice has signed the file: there is no oracle here.
	//lint:ignore SA1019 the format knows no other
	secret, err := rsa.DecryptPKCS1v15(nil, private, e.Key)
	if err != nil {
		return nil, fmt.Errorf("verify: %s: %w: %w", name, ErrNotForUs, err)
	}
	block, err := aes.NewCipher(secret)
	if err != nil || len(secret) != aes.BlockSize {
		return nil, fmt.Errorf("verify: %s: key of %d bytes, want %d", name, len(secret), aes.BlockSize)
	}
	plain := make([]byte, len(content))
	cipher.NewCBCDecrypter(block, e.IV[:]).CryptBlocks(plain, content)
	plain = plain[:len(plain)-e.Padding]
	hash := e.Digest.Hash().New()
	hash.Write(plain)
	if !bytes.Equal(hash.Sum(nil), e.PlainHash) {
		return nil, fmt.Errorf("verify: %s: %w: what came out is something else", name, ErrNotForUs)
	}
	return plain, nil
}
