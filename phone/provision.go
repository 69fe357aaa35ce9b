package phone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cnf"
)

// Why a file that came is not taken. The stored one stays.
var (
	errBadFile     = errors.New("phone: the file is not usable")
	errForeignFile = errors.New("phone: the file is not from the office's server")
	errUntrusted   = errors.New("phone: the file is not believed")
)

// provisionConfig is what the phone needs to get its configuration.
type provisionConfig struct {
	fetcher fetcher
	servers []string    // TFTP 1 and TFTP 2
	device  string      // device name
	dir     string      // state; the file is kept here
	stored  *cnf.Device // what loadConfig found; nil on the first day
	trusted bool        // the network is the office's: through the tunnel, or the user says so
	trust   *belief     // whom the phone believes; nil: what is in dir

	asked func(provision.Ask, string, []byte, error) // told of each request: server, what came, why not; nil: nobody wants to know
}

// fetchConfig asks for the phone's files in a phone's order, keeps what it believes of trust lists and
// configuration in the state folder, and returns the configuration with a line about where it came from.
// When nothing new can be had or taken, it returns the stored configuration, nil on the first day, with what a
// stub says of CAPF, and the reason as error: errNoServer, errNoFile, errRefused, errBadFile, errForeignFile or errUntrusted.
func fetchConfig(ctx context.Context, cfg provisionConfig) (*cnf.Device, string, error) {
	if cfg.trust == nil {
		cfg.trust = loadBelief(beliefConfig{dir: cfg.dir})
	}
	got, err := bootFiles(ctx, cfg)
	if err != nil {
		return withStub(cfg.stored, got.stub), "", err
	}
	cfg.trusted = cfg.trusted || got.believed
	fresh, err := judge(got.content, cfg)
	if err != nil {
		return cfg.stored, "", fmt.Errorf("%w (%s)", err, got.from)
	}
	if err := saveConfig(cfg.dir, cfg.device, got.content); err != nil {
		return cfg.stored, "", err
	}
	return fresh, got.from, nil
}

// fetched is a configuration that came.
type fetched struct {
	content  []byte
	from     string
	believed bool   // by a signature or a connection that a trust list vouches for
	stub     []byte // that came, believed, before the whole file
}

// withStub is what the phone goes on with when its file is encrypted and it cannot open it: what it has stored,
// and where to enrol by the stub.
func withStub(stored *cnf.Device, stub []byte) *cnf.Device {
	said, err := cnf.Parse(stub)
	if err != nil {
		return stored // there was no stub, or none of use
	}
	if stored == nil {
		return said
	}
	going := *stored
	going.CAPF, going.CAPFAuthMode = said.CAPF, said.CAPFAuthMode
	return &going
}

// bootFiles lives the order of requests and returns the phone's own file, unread.
func bootFiles(ctx context.Context, cfg provisionConfig) (got fetched, err error) {
	boot := provision.NewBoot(cfg.device, len(cfg.servers))
	boot.Trust(cfg.trust.wants())
	lists := map[bool]verify.ListOutcome{}
	var last error
	for ask, ok := boot.Next(); ok; ask, ok = boot.Next() {
		server := cfg.servers[ask.Server]
		content, err := cfg.fetcher.by(ctx, ask, server, cfg.trust)
		if ctx.Err() != nil {
			return got, ctx.Err()
		}
		if cfg.asked != nil {
			cfg.asked(ask, server, content, err)
		}
		ctl, isList := boot.ListAsked()
		if err == nil && isList {
			lists[ctl] = cfg.trust.listCame(ctx, ctl, content)
			boot.Trust(cfg.trust.wants())
		}
		if err == nil && !isList {
			if content, err = cfg.trust.open(ctx, ask, content); err != nil {
				cfg.trust.tellLists(lists[true], lists[false])
				return got, fmt.Errorf("%w (%s by %s from %s)", err, ask.Name, ask.Transport, server)
			}
		}
		switch {
		case err == nil && !isList && provision.IsStub(content):
			boot.Answered(provision.FoundStub)
			if isSigned(ask) {
				got.stub = content
			}
			last = fmt.Errorf("%w: %s says that it is encrypted", errNoFile, ask.Name)
		case err == nil:
			boot.Answered(provision.Found)
			got.content, got.believed = content, isSigned(ask)
			got.from = fmt.Sprintf("%s by %s from %s, %d bytes", ask.Name, ask.Transport, server, len(content))
		case errors.Is(err, errNoFile):
			boot.Answered(provision.NotFound)
			last = err
		default:
			boot.Answered(provision.Silent)
			last = err
		}
	}
	if boot.Outcome() != provision.Unreachable {
		cfg.trust.tellLists(lists[true], lists[false])
	}
	switch boot.Outcome() {
	case provision.GotConfig:
		return got, nil
	case provision.GotDefault:
		return got, fmt.Errorf("%w: only the default for unknown phones", errNoFile)
	case provision.GotNothing:
		return got, last
	}
	if last == nil {
		last = fmt.Errorf("%w: the phone has no TFTP server set", errNoServer)
	}
	return got, last
}

// isSigned reports whether what comes is proven by a signature, or by the connection.
func isSigned(ask provision.Ask) bool {
	_, _, signed := provision.Unsigned(ask.Name)
	return signed
}

// judge reads a file that came and decides whether it may take the stored one's place.
func judge(raw []byte, cfg provisionConfig) (*cnf.Device, error) {
	fresh, err := cnf.Parse(raw)
	if err == nil {
		err = provision.Usable(fresh)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errBadFile, err)
	}
	if !cfg.trusted && !detect.Proves(cfg.stored, fresh) {
		return nil, fmt.Errorf("%w: it holds none of the certificate hashes that are stored", errForeignFile)
	}
	return fresh, nil
}

// provisionFinding returns what is wrong when fetchConfig gave this error.
func provisionFinding(err error, cfg provisionConfig) (finding.Finding, bool) {
	server := "its TFTP server"
	if len(cfg.servers) > 0 {
		server = cfg.servers[0]
	}
	var found finding.Finding
	switch name := provision.ConfigFile(cfg.device); {
	case errors.Is(err, errNoServer):
		found = finding.TFTPUnreachable.With(server)
	case errors.Is(err, errNoFile):
		found = finding.TFTPFileMissing.With(server, name)
	case errors.Is(err, errRefused):
		found = finding.FilesRefused.With(cfg.device, "it refuses "+name, "USER", cfg.device)
	case errors.Is(err, errUntrusted) && cfg.trust != nil && cfg.trust.isForeign():
		found = finding.ForeignTrustList.With(cfg.device)
	case errors.Is(err, errUntrusted):
		found = finding.TrustListMismatch.With(name, server)
	case errors.Is(err, errForeignFile):
		found = finding.ForeignTFTPServer.With(server)
	case errors.Is(err, errBadFile):
		found = finding.ConfigInvalid.With(name, err)
	default:
		return finding.Finding{}, false
	}
	return found.Because("phone", 0, err.Error()), true
}

// loadConfig returns the configuration that the phone has kept. The error is fs.ErrNotExist when it has
// none.
func loadConfig(dir, device string) (*cnf.Device, error) {
	raw, err := os.ReadFile(filepath.Join(dir, provision.ConfigFile(device)))
	if err != nil {
		return nil, fmt.Errorf("phone: stored configuration: %w", err)
	}
	stored, err := cnf.Parse(raw)
	if err != nil {
		return nil, fmt.Errorf("phone: stored configuration: %w", err)
	}
	return stored, nil
}

// saveConfig keeps a file so that a power cut leaves either the old one or the new one. It holds passwords,
// so nobody else may read it.
func saveConfig(dir, device string, raw []byte) error {
	return saveFile(dir, provision.ConfigFile(device), raw)
}

// saveFile keeps any file so.
func saveFile(dir, name string, raw []byte) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("phone: state folder: %w", err)
	}
	draft, err := os.CreateTemp(dir, "."+name+"-*") // 0600
	if err != nil {
		return fmt.Errorf("phone: state folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("phone: keep %s: %w", name, err), os.Remove(draft.Name()))
		}
	}()
	_, err = draft.Write(raw)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err = os.Rename(draft.Name(), filepath.Join(dir, name)); err != nil {
		return err
	}
	return syncFolder(dir)
}

// syncFolder makes a rename outlast a power cut.
func syncFolder(dir string) error {
	folder, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("phone: state folder: %w", err)
	}
	return errors.Join(folder.Sync(), folder.Close())
}
