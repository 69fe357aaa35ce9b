package provisioner

import (
	"bytes"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/tlv"
)

// Authority signs; *trust.Authority is one.
type Authority interface {
	SignFile(s trust.Signing, content []byte) ([]byte, error)
	EncryptFile(s trust.Signing, content []byte, phone *x509.Certificate) ([]byte, error)
	List(s trust.Signing, kind trust.ListKind, o trust.ListOptions) ([]byte, error)
	Members(kind trust.ListKind, o trust.ListOptions) []trust.Record
}

// signer makes signed files, encrypted files and trust lists out of what the library has.
type signer struct {
	authority   Authority // nil: nothing is signed
	certificate func(device string) (phone *x509.Certificate, good bool)
	https       bool // files are served by HTTPS on 6971
	now         func() time.Time
	cache       *signatures
}

// maxSigned bounds a file of the operator's folder that is signed on request, in bytes. Firmware is larger
// and comes signed by its maker.
const maxSigned = 4 << 20

// list returns a trust list, or provision.ErrNotFound where the phone is to have none.
func (s signer) list(set *inventory.Set, l provision.ListFile) (*file, error) {
	security := set.SharedSecurity()
	if l.Device != "" {
		security = inventory.PhoneSecurity{}
		if device, ok := set.Devices[l.Device]; ok {
			security = set.SecurityFor(device)
		}
	}
	if s.authority == nil || l.CTL && !security.CTL || !l.CTL && !security.ITL {
		return nil, fmt.Errorf("%w: %q: no trust list for this phone", provision.ErrNotFound, l.Name)
	}
	kind := trust.ITL
	if l.CTL {
		kind = trust.CTL
	}
	options := trust.ListOptions{Advanced: s.https && !security.Legacy, Rollback: security.Rollback}
	identity := []byte(fmt.Sprint(kind, options))
	for _, member := range s.authority.Members(kind, options) {
		identity = append(identity, member.Certificate.Raw...)
		identity = append(identity, member.Purpose...)
	}
	content, err := s.cache.get(l.Name, digestOf(security), identity, func() ([]byte, error) {
		return s.authority.List(trust.Signing{Name: l.Name, Digest: digestOf(security)}, kind, options)
	})
	if err != nil {
		return nil, err
	}
	return &file{
		body: rendered{bytes.NewReader(content)}, name: l.Name, device: l.Device, stamp: ListStamp(content), size: int64(len(content)),
	}, nil
}

// ListStamp names the content of a trust list in the records of deliveries.
func ListStamp(list []byte) string {
	sum := sha256.Sum256(list)
	return hex.EncodeToString(sum[:16])
}

func digestOf(security inventory.PhoneSecurity) tlv.Digest {
	if security.SHA512 {
		return tlv.SHA512
	}
	return tlv.SHA1
}

// encrypts returns the certificate that a device's configuration is to be encrypted for, nil when it is not.
// Until a phone has its first certificate with an RSA key, its file is only signed: how else should it get
// one? After that nobody gets it in plain. With a certificate that is good no more, it has to enrol anew, as
// its stub says.
func (s signer) encrypts(set *inventory.Set, name string) (phone *x509.Certificate, good bool) {
	device, ok := set.Devices[name]
	if !ok || s.authority == nil || s.certificate == nil || !set.SecurityFor(device).Encrypted {
		return nil, false
	}
	return s.certificate(name)
}

// wrap signs a plain file, which it closes. Of a configuration that is encrypted it makes the stub, or,
// when that is asked for, the encrypted file.
func (s signer) wrap(set *inventory.Set, plain *file, encrypted bool) (*file, error) {
	defer plain.Close()
	phone, good := s.encrypts(set, plain.device)
	switch {
	case s.authority == nil || encrypted && phone == nil:
		return nil, fmt.Errorf("%w: %q: not encrypted", provision.ErrNotFound, plain.name)
	case encrypted && !good:
		return nil, fmt.Errorf("%w: %q: the phone has to enrol anew, its certificate is revoked or deleted", provision.ErrNotFound, plain.name)
	}
	if plain.size > maxSigned {
		return nil, fmt.Errorf("%w: %q is too large to be signed, and there is no signed one", provision.ErrNotFound, plain.name)
	}
	content, err := io.ReadAll(plain)
	if err != nil {
		return nil, fmt.Errorf("provisioner: %w", err)
	}
	security := set.SharedSecurity()
	if device, ok := set.Devices[plain.device]; ok {
		security = set.SecurityFor(device)
	}
	signing := trust.Signing{Name: plain.name + provision.SignedSuffix, Digest: digestOf(security), At: s.now()}
	identity := append(s.identity(), content...)
	sign := func() ([]byte, error) { return s.authority.SignFile(signing, content) }
	out := &file{device: plain.device, stamp: plain.stamp, hashes: plain.hashes, modified: plain.modified}
	switch {
	case encrypted:
		signing.Name = plain.name + provision.EncryptedSuffix
		identity = append(identity, phone.Raw...)
		sign = func() ([]byte, error) { return s.authority.EncryptFile(signing, content, phone) }
	case phone != nil:
		if content, err = provision.Stub(content, phone); err != nil {
			return nil, err
		}
		identity = append(s.identity(), content...)
		out.device, out.stamp, out.hashes = "", "", nil // that it arrived proves nothing of the configuration
	}
	signed, err := s.cache.get(signing.Name, signing.Digest, identity, sign)
	if err != nil {
		return nil, err
	}
	out.name, out.size, out.body = signing.Name, int64(len(signed)), rendered{bytes.NewReader(signed)}
	return out, nil
}

// identity is who signs files now: with another key what is kept does not count.
func (s signer) identity() []byte {
	for _, member := range s.authority.Members(trust.ITL, trust.ListOptions{}) {
		if member.Purpose == trust.Files {
			return bytes.Clone(member.Certificate.Raw)
		}
	}
	return nil
}

// openSigned returns a trust list, a signed or an encrypted file by its name. False: it is a name of a
// plain file.
func (l library) openSigned(clean string) (*file, bool, error) {
	set := l.inventory()
	if list, ok := provision.ListIn(clean); ok {
		f, err := l.signer.list(set, list)
		if errors.Is(err, provision.ErrNotFound) { // somebody may have made one by other means
			if found, missing := l.folder.open(clean); missing == nil {
				return found, true, nil
			}
		}
		return f, true, err
	}
	plain, encrypted, ok := provision.Unsigned(clean)
	if !ok {
		return nil, false, nil
	}
	if device := provision.DeviceIn(plain); set.Devices[device] == nil || !provision.IsConfig(plain) {
		if found, missing := l.folder.open(clean); missing == nil { // firmware, and what others have signed
			return found, true, nil
		}
	}
	if l.signer.authority == nil {
		return nil, true, fmt.Errorf("%w: %q: nothing is signed here", provision.ErrNotFound, clean)
	}
	f, err := l.openPlain(plain)
	if err != nil {
		return nil, true, err
	}
	if f.device == "" {
		f.name = plain // as it was asked for: phones may compare
	}
	f, err = l.signer.wrap(set, f, encrypted)
	return f, true, err
}

// openByHTTPS returns a phone's configuration as it is asked for on 6971: by its signed name, and as plain
// text, because the connection itself is trusted. Of one that is encrypted it is the stub. Nothing else is
// asked for there.
func (l library) openByHTTPS(clean string) (*file, error) {
	plain, encrypted, signed := provision.Unsigned(clean)
	if !provision.IsConfig(plain) {
		return nil, fmt.Errorf("%w: %q by HTTPS", provision.ErrNotFound, clean)
	}
	if encrypted {
		return l.open(clean)
	}
	f, err := l.openPlain(plain)
	if err != nil {
		return nil, err
	}
	phone, _ := l.signer.encrypts(l.inventory(), f.device)
	if phone == nil {
		return f, nil
	}
	defer f.Close()
	if !signed {
		return nil, fmt.Errorf("%w: %q: only encrypted", provision.ErrNotFound, clean)
	}
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("provisioner: %w", err)
	}
	stub, err := provision.Stub(content, phone)
	if err != nil {
		return nil, err
	}
	return &file{name: f.name, size: int64(len(stub)), body: rendered{bytes.NewReader(stub)}}, nil
}

// maxKept bounds what signatures keeps, in bytes.
const maxKept = 32 << 20

// signatures keeps signed files, so that who asks a thousand times costs one signature. What was kept first
// goes first.
type signatures struct {
	mu    sync.Mutex // also held while signing: a flood may take one core, not all
	files map[[sha256.Size]byte][]byte
	order [][sha256.Size]byte
	size  int
}

func newSignatures() *signatures { return &signatures{files: map[[sha256.Size]byte][]byte{}} }

// get returns what sign made for this name, digest and identity, which is the content and who signs it.
func (s *signatures) get(name string, digest tlv.Digest, identity []byte, sign func() ([]byte, error)) ([]byte, error) {
	h := sha256.New()
	fmt.Fprintf(h, "%q %d ", name, digest)
	h.Write(identity)
	key := [sha256.Size]byte(h.Sum(nil))
	s.mu.Lock()
	defer s.mu.Unlock()
	if kept, ok := s.files[key]; ok {
		return kept, nil
	}
	signed, err := sign()
	if err != nil {
		return nil, err
	}
	s.files[key], s.order, s.size = signed, append(s.order, key), s.size+len(signed)
	for s.size > maxKept && len(s.order) > 1 {
		s.size -= len(s.files[s.order[0]])
		delete(s.files, s.order[0])
		s.order = s.order[1:]
	}
	return signed, nil
}
