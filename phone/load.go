package phone

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phoneweb"
)

// Limits of a load's parts, which are far larger than other files and cross slow tunnels.
const (
	maxPart      = 128 << 20 // bytes
	partTime     = 30 * time.Minute
	keptLoadFile = "load.json"
)

// Load is firmware: what the phone was told to run, and what it fetched of it.
type Load struct {
	Name   string     `json:"name"`
	Parts  []LoadPart `json:"parts"`            // the list first, then what it names
	Missed string     `json:"missed,omitempty"` // the file that could not be had; the load from before stays
}

// LoadPart is one file of a load, whole.
type LoadPart struct {
	Name      string `json:"name"`
	Size      int    `json:"size"`
	SHA256    string `json:"sha256"`
	Transport string `json:"transport"`
}

// fetchLoad fetches a load: its list, and then every file that is named there. Images sign themselves and are
// asked for by their own names, whatever the phone believes. The phone keeps no image, for it could not run it.
func fetchLoad(ctx context.Context, f fetcher, servers []string, name string) (Load, error) {
	load := Load{Name: name}
	f.limit, f.patience = maxPart, partTime
	list, err := load.add(ctx, f, servers, provision.LoadFile(name))
	if err != nil {
		return load, err
	}
	parts := provision.PartsOfLoad(list)
	if len(parts) == 0 {
		load.Missed = provision.LoadFile(name)
		return load, fmt.Errorf("%w: %s names no image", errBadFile, load.Missed)
	}
	for _, part := range parts {
		if _, err := load.add(ctx, f, servers, part); err != nil {
			return load, err
		}
	}
	return load, nil
}

// add fetches one file from the first server that answers.
func (l *Load) add(ctx context.Context, f fetcher, servers []string, name string) ([]byte, error) {
	last := errNoServer
	for _, server := range servers {
		content, transport, err := f.file(ctx, server, name)
		if err == nil {
			sum := sha256.Sum256(content)
			l.Parts = append(l.Parts, LoadPart{name, len(content), hex.EncodeToString(sum[:]), string(transport)})
			return content, nil
		}
		last = err
		if !errors.Is(err, errNoServer) {
			break
		}
	}
	l.Missed = name
	return nil, fmt.Errorf("%s: %w", name, last)
}

// upgrade fetches the load that the phone's file names, unless the phone runs it, and reports whether the phone
// must boot to run it. When a part cannot be had, the phone goes on with the load that it has.
func (p *Phone) upgrade(ctx context.Context, cfg provisionConfig, doc *cnf.Device) (boots bool) {
	if doc.Load == "" || doc.Load == p.keptLoad() {
		return false
	}
	servers := cfg.servers
	if server, ok := doc.Setting("loadServer"); ok && server != "" {
		servers = []string{server} // such a phone does not come back to its TFTP server
	}
	load, err := fetchLoad(ctx, cfg.fetcher, servers, doc.Load)
	if err == nil {
		err = keepLoad(p.config.StateDir, load)
	}
	if ctx.Err() != nil {
		return false
	}
	if err != nil {
		p.log.Warn("load not taken", "load", doc.Load, logging.Err, err)
		p.tell(Event{Event: "load", Load: &load, Detail: loadTrouble(err)})
		return false
	}
	p.log.Info("load taken", "load", doc.Load, "files", len(load.Parts))
	p.tell(Event{Event: "load", OK: true, Load: &load})
	return true
}

// loadTrouble is the status message for a load that was not taken.
func loadTrouble(err error) string {
	switch {
	case errors.Is(err, errNoFile):
		return phoneweb.StatusFileNotFound
	case errors.Is(err, errRefused):
		return phoneweb.StatusTFTPAccess
	case errors.Is(err, errNoServer):
		return phoneweb.StatusTFTPTimeout
	case errors.Is(err, errBadFile):
		return phoneweb.StatusChecksum
	}
	return phoneweb.StatusTFTPError
}

func keepLoad(dir string, load Load) error {
	content, err := json.Marshal(load)
	if err != nil {
		return fmt.Errorf("phone: load: %w", err)
	}
	return saveFile(dir, keptLoadFile, content)
}

// keptLoad returns the load that the phone runs, or nothing when it never fetched one.
func (p *Phone) keptLoad() string {
	content, err := os.ReadFile(filepath.Join(p.config.StateDir, keptLoadFile))
	if err != nil {
		return ""
	}
	var load Load
	if err := json.Unmarshal(content, &load); err != nil {
		p.log.Warn("stored load is lost", logging.Err, err)
	}
	return load.Name
}
