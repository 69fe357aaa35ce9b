package phone

import (
	"context"
	"crypto"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/tlv"
)

// voucher asks the servers that the stored file names about certificates that no list has. An error is no word
// for them.
type voucher interface {
	// query asks by name and number.
	query(ctx context.Context, asked verify.AskTVS) (verify.Vouched, error)
	// about asks with the certificate itself.
	about(ctx context.Context, certificate *x509.Certificate) (verify.Vouched, error)
}

// beliefConfig is what belief is made of. Fields without a remark are required.
type beliefConfig struct {
	dir    string                   // state; the lists are kept here
	key    func() crypto.PrivateKey // opens encrypted files; nil: none
	tvs    voucher                  // nil: nobody to ask
	status func(string)             // told what phones show as status messages; nil: nobody asks
	report func(finding.Finding)    // what is wrong and does not end anything; nil: nobody asks
	log    *slog.Logger             // nil discards
}

// belief is whom the phone believes, kept over power cycles, and the check of everything that comes.
type belief struct {
	config beliefConfig

	mu      sync.Mutex // not held while TVS is asked
	store   verify.TrustStore
	foreign bool // a list was refused that is another house's
}

// loadBelief takes up the stored lists. One that cannot be read is passed over, as on a phone whose memory
// was damaged: it is in the state of the first day.
func loadBelief(c beliefConfig) *belief {
	c.log = logging.Or(c.log)
	b := &belief{config: c}
	for name, into := range map[string]**verify.TrustList{provision.SharedCTL: &b.store.CTL, provision.SharedITL: &b.store.ITL} {
		raw, err := os.ReadFile(filepath.Join(c.dir, name))
		if err == nil {
			*into, err = verify.ReadTrustList(raw)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			c.log.Warn("stored trust list is lost", "file", name, logging.Err, err)
		}
	}
	return b
}

// wants says how files are asked for.
func (b *belief) wants() (signed, https bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.store.WantsSigned(), b.store.WantsHTTPS()
}

// ask puts a question to the store.
func (b *belief) ask(question func(*verify.TrustStore) verify.Answer) verify.Answer {
	b.mu.Lock()
	defer b.mu.Unlock()
	return question(&b.store)
}

// knows reports whether a file server's certificate is believed.
func (b *belief) knows(certificate *x509.Certificate) bool { return b.serves(certificate, tlv.TFTP) }

// serves reports whether a server's certificate is believed for a role.
func (b *belief) serves(certificate *x509.Certificate, role tlv.Role) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.store.Knows(time.Now(), certificate, role)
}

// hasLists reports whether the phone believes anybody in particular. Without lists it takes who comes first.
func (b *belief) hasLists() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.store.CTL != nil || b.store.ITL != nil
}

// isForeign reports whether what the phone was offered is of another house than its lists.
func (b *belief) isForeign() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.foreign
}

// isTVS believes the services that the lists name. Nobody else can vouch for those.
func (b *belief) isTVS(leaf *x509.Certificate) error {
	if b.hasLists() && !b.serves(leaf, tlv.TVS) {
		return fmt.Errorf("%w: TVS %q", errUntrusted, leaf.Subject)
	}
	return nil
}

// isCallManager believes the call managers that the lists name, and those that TVS vouches for.
func (b *belief) isCallManager(ctx context.Context, leaf *x509.Certificate) error {
	named := func() bool { return b.serves(leaf, tlv.CCM) || b.serves(leaf, tlv.CCMTFTP) }
	if !b.hasLists() || named() {
		return nil
	}
	err := b.vouch(ctx, func() (verify.Vouched, error) { return b.config.tvs.about(ctx, leaf) })
	if err == nil && named() {
		return nil
	}
	return fmt.Errorf("%w: call manager %q: %w", errUntrusted, leaf.Subject, errors.Join(verify.ErrUntrusted, err))
}

// isCAPF believes the servers that the lists name, and those that TVS vouches for.
func (b *belief) isCAPF(ctx context.Context, leaf *x509.Certificate) error {
	if !b.hasLists() || b.serves(leaf, tlv.CAPF) {
		return nil
	}
	err := b.vouch(ctx, func() (verify.Vouched, error) { return b.config.tvs.about(ctx, leaf) })
	if err == nil && b.serves(leaf, tlv.CAPF) {
		return nil
	}
	return fmt.Errorf("%w: CAPF %q: %w", errUntrusted, leaf.Subject, errors.Join(verify.ErrUntrusted, err))
}

// listCame judges a CTL or ITL and keeps it when it is believed.
func (b *belief) listCame(ctx context.Context, ctl bool, raw []byte) verify.ListOutcome {
	if len(raw) == 0 {
		return verify.ListNotOffered // some servers have empty files
	}
	name, into := provision.SharedITL, &b.store.ITL
	if ctl {
		name, into = provision.SharedCTL, &b.store.CTL
	}
	believed, err := b.settle(ctx, func(s *verify.TrustStore) verify.Answer { return s.ListOffered(time.Now(), raw) })
	if err != nil {
		b.config.log.Warn("trust list refused", "file", name, logging.Err, err)
		b.mu.Lock()
		b.foreign = b.foreign || b.store.Foreign(raw)
		b.mu.Unlock()
		return verify.ListFailed
	}
	if believed.Same && *into != nil {
		return verify.ListSame
	}
	list, err := verify.ReadTrustList(raw)
	if err == nil {
		err = saveFile(b.config.dir, name, raw)
	}
	if err != nil {
		b.config.log.Warn("trust list not kept", "file", name, logging.Err, err)
		return verify.ListFailed
	}
	outcome := verify.ListUpdated
	if *into == nil {
		outcome = verify.ListInstalled
	}
	b.mu.Lock()
	*into = list
	b.mu.Unlock()
	b.config.log.Info("trust list taken", "file", name, "list", believed.File.String())
	return outcome
}

// tellLists says what phones say after both lists were asked for.
func (b *belief) tellLists(ctl, itl verify.ListOutcome) {
	b.tell(verify.ListStatus(ctl, itl, b.store.CTL != nil || b.store.ITL != nil))
}

func (b *belief) tell(status string) {
	if b.config.status != nil && status != "" {
		b.config.status(status)
	}
}

// settle puts a question to the store, and once more when TVS has answered.
func (b *belief) settle(ctx context.Context, question func(*verify.TrustStore) verify.Answer) (verify.Believe, error) {
	answer := b.ask(question)
	asked, unknown := answer.(verify.AskTVS)
	if unknown {
		if err := b.vouch(ctx, func() (verify.Vouched, error) { return b.config.tvs.query(ctx, asked) }); err != nil {
			return verify.Believe{}, fmt.Errorf("%w: signed by %q, serial %x: %w", errUntrusted, asked.Signer.Name, asked.Signer.Serial, err)
		}
		answer = b.ask(question)
	}
	switch answer := answer.(type) {
	case verify.Believe:
		return answer, nil
	case verify.Reject:
		return verify.Believe{}, fmt.Errorf("%w: %w", errUntrusted, answer.Err)
	}
	return verify.Believe{}, fmt.Errorf("%w: TVS speaks of another certificate than %q, serial %x", errUntrusted, asked.Signer.Name, asked.Signer.Serial)
}

// errNoTVS: nobody can be asked.
var errNoTVS = errors.New("no TVS to ask")

// unanswered returns where nobody answers, when a question came to nothing because of that.
func unanswered(err error) string {
	var dial *net.OpError
	if !errors.As(err, &dial) || dial.Op != "dial" || dial.Addr == nil || errors.Is(err, context.Canceled) || errors.Is(err, verify.ErrNotVouched) {
		return ""
	}
	return dial.Addr.String()
}

func (b *belief) vouch(ctx context.Context, ask func() (verify.Vouched, error)) error {
	if b.config.tvs == nil {
		return errNoTVS
	}
	vouched, err := ask()
	if server := unanswered(err); server != "" && b.config.report != nil {
		b.config.report(finding.TVSUnreachable.With(server).Because("phone", 0, err.Error()))
	}
	if err != nil {
		return err
	}
	b.mu.Lock()
	b.store.Vouch(time.Now(), vouched)
	b.mu.Unlock()
	b.config.log.Info("TVS added cert to TVS cache", "certificate", vouched.Certificate.Subject.String())
	return nil
}

// open returns a file's content: of a signed one when it is believed, of an encrypted one decrypted, of any
// other as it came.
func (b *belief) open(ctx context.Context, ask provision.Ask, raw []byte) ([]byte, error) {
	_, encrypted, signed := provision.Unsigned(ask.Name)
	if !signed || ask.Transport == provision.HTTPS {
		return raw, nil
	}
	believed, err := b.settle(ctx, func(s *verify.TrustStore) verify.Answer { return s.FileOffered(time.Now(), ask.Name, raw) })
	if err != nil {
		b.tell(verify.StatusFileAuth)
		return nil, err
	}
	if !encrypted {
		return believed.Content, nil
	}
	var key crypto.PrivateKey
	if b.config.key != nil {
		key = b.config.key()
	}
	content, err := verify.Decrypt(believed.File, key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUntrusted, err)
	}
	return content, nil
}

// httpsConfig believes the certificates that a list names for file servers, and those that TVS vouches for.
func (b *belief) httpsConfig(ctx context.Context) *tls.Config {
	return &tls.Config{
		InsecureSkipVerify: true, // VerifyConnection does it, by list instead of by name
		MinVersion:         tls.VersionTLS12,
		VerifyConnection: func(state tls.ConnectionState) error {
			leaf := state.PeerCertificates[0]
			if b.knows(leaf) {
				return nil
			}
			err := b.vouch(ctx, func() (verify.Vouched, error) { return b.config.tvs.about(ctx, leaf) })
			if err == nil && b.knows(leaf) {
				return nil
			}
			return fmt.Errorf("%w: file server %q: %w", errUntrusted, leaf.Subject, errors.Join(verify.ErrUntrusted, err))
		},
	}
}
