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
	"github.com/longcord/longcord/wire/cnf"
)

// Why a file that came is not taken. The stored one stays.
var (
	errBadFile     = errors.New("phone: the file is not usable")
	errForeignFile = errors.New("phone: the file is not from the office's server")
)

// provisionConfig is what the phone needs to get its configuration.
type provisionConfig struct {
	fetcher fetcher
	servers []string    // TFTP 1 and TFTP 2
	device  string      // device name
	dir     string      // state; the file is kept here
	stored  *cnf.Device // what loadConfig found; nil on the first day
	trusted bool        // the network is the office's: through the tunnel, or the user says so
}

// fetchConfig asks for the phone's files in a phone's order, keeps its configuration in the state folder
// and returns it with a line about where it came from. When nothing new can be had or taken, it returns
// the stored configuration, nil on the first day, and the reason as error: errNoServer, errNoFile,
// errRefused, errBadFile or errForeignFile. Trust lists are asked for as phones do, and not yet read.
func fetchConfig(ctx context.Context, cfg provisionConfig) (*cnf.Device, string, error) {
	raw, from, err := bootFiles(ctx, cfg)
	if err != nil {
		return cfg.stored, "", err
	}
	fresh, err := judge(raw, cfg)
	if err != nil {
		return cfg.stored, "", fmt.Errorf("%w (%s)", err, from)
	}
	if err := saveConfig(cfg.dir, cfg.device, raw); err != nil {
		return cfg.stored, "", err
	}
	return fresh, from, nil
}

// bootFiles lives the order of requests and returns the phone's own file, unread.
func bootFiles(ctx context.Context, cfg provisionConfig) (raw []byte, from string, err error) {
	boot := provision.NewBoot(cfg.device, len(cfg.servers))
	var last error
	for ask, ok := boot.Next(); ok; ask, ok = boot.Next() {
		server := cfg.servers[ask.Server]
		content, err := cfg.fetcher.by(ctx, ask.Transport, server, ask.Name)
		if ctx.Err() != nil {
			return nil, "", ctx.Err()
		}
		switch {
		case err == nil:
			boot.Answered(provision.Found)
			raw, from = content, fmt.Sprintf("%s by %s from %s, %d bytes", ask.Name, ask.Transport, server, len(content))
		case errors.Is(err, errNoFile):
			boot.Answered(provision.NotFound)
			last = err
		default:
			boot.Answered(provision.Silent)
			last = err
		}
	}
	switch boot.Outcome() {
	case provision.GotConfig:
		return raw, from, nil
	case provision.GotDefault:
		return nil, "", fmt.Errorf("%w: only the default for unknown phones", errNoFile)
	case provision.GotNothing:
		return nil, "", last
	}
	if last == nil {
		last = fmt.Errorf("%w: the phone has no TFTP server set", errNoServer)
	}
	return nil, "", last
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
		found = finding.FilesRefused.With(cfg.device, "it refuses "+name)
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
func saveConfig(dir, device string, raw []byte) (err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("phone: state folder: %w", err)
	}
	draft, err := os.CreateTemp(dir, "."+device+"-*") // 0600
	if err != nil {
		return fmt.Errorf("phone: state folder: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("phone: keep configuration: %w", err), os.Remove(draft.Name()))
		}
	}()
	_, err = draft.Write(raw)
	if err = errors.Join(err, draft.Sync(), draft.Close()); err != nil {
		return err
	}
	if err = os.Rename(draft.Name(), filepath.Join(dir, provision.ConfigFile(device))); err != nil {
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
