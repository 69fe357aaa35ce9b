package phone

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phonexml"
)

// companionFolder keeps them apart from what the phone believes: their names come from a file.
const companionFolder = "companions"

// fetchCompanions asks for the files that the phone's own file names, believes them as it believes that one,
// and keeps those that it can read. What cannot be had or read is told by name; the one that is kept stays.
func fetchCompanions(ctx context.Context, cfg provisionConfig, doc *cnf.Device) (read []string, missed []error) {
	for _, name := range provision.Companions(doc) {
		document, content, err := companion(ctx, cfg, name)
		if err == nil {
			err = saveFile(filepath.Join(cfg.dir, companionFolder), filepath.Base(name), content)
		}
		if err != nil {
			missed = append(missed, fmt.Errorf("%s: %w", name, err))
			continue
		}
		read = append(read, fmt.Sprintf("%s: %s", name, document))
	}
	return read, missed
}

// companion gets one file from the first server that has it.
func companion(ctx context.Context, cfg provisionConfig, name string) (phonexml.Document, []byte, error) {
	if signed, _ := cfg.trust.wants(); signed {
		name += provision.SignedSuffix
	}
	last := errNoServer
	for _, server := range cfg.servers {
		for _, transport := range []provision.Transport{provision.HTTP, provision.TFTP} {
			ask := provision.Ask{Transport: transport, Name: name}
			content, err := cfg.fetcher.by(ctx, ask, server, cfg.trust)
			if errors.Is(err, errNoServer) {
				last = err
				continue
			}
			if err == nil {
				content, err = cfg.trust.open(ctx, ask, content)
			}
			if err != nil {
				return nil, nil, err
			}
			document, err := phonexml.Parse(content)
			return document, content, err
		}
	}
	return nil, nil, last
}

// companions fetches them for a file that has just come, and tells what came of it.
func (p *Phone) companions(ctx context.Context, cfg provisionConfig, doc *cnf.Device) {
	read, missed := fetchCompanions(ctx, cfg, doc)
	for _, what := range read {
		p.log.Info("companion file read", "file", what)
	}
	for _, err := range missed {
		if ctx.Err() == nil {
			p.log.Warn("companion file missing", logging.Err, err)
		}
	}
}

// dialled returns what is dialled for digits on the phone's first line, by the dial rules that it keeps.
func (p *Phone) dialled(doc *cnf.Device, digits string) string {
	if doc.SIPProfile == nil || doc.SIPProfile.DialTemplate == "" {
		return digits
	}
	content, err := os.ReadFile(filepath.Join(p.config.StateDir, companionFolder, filepath.Base(doc.SIPProfile.DialTemplate)))
	if err != nil {
		return digits // it never had them
	}
	document, err := phonexml.Parse(content)
	rules, ok := document.(*phonexml.DialTemplate)
	if err != nil || !ok {
		p.log.Warn("dial rules are not usable", "file", doc.SIPProfile.DialTemplate, logging.Err, err)
		return digits
	}
	return provision.Dialled(rules, 1, digits)
}
