package provisioner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// How often it is looked whether something is wrong with what is served.
const (
	lookForInventory = time.Second // whether there is another one
	lookAtFolder     = time.Minute
)

// Findings returns what is wrong with what is served, as it stands now.
func (p *Provisioner) Findings() []finding.Finding {
	set := p.library.inventory()
	return append(p.plainFiles(set), p.missingLoads(set)...)
}

// watch keeps on the board what Findings returns, until the context ends.
func (p *Provisioner) watch(ctx context.Context) {
	tick := time.NewTicker(lookForInventory)
	defer tick.Stop()
	standing := map[string]finding.Finding{}
	var seen *inventory.Set
	var next time.Time
	for {
		if set, now := p.library.inventory(), time.Now(); set != seen || !now.Before(next) {
			seen, next = set, now.Add(lookAtFolder)
			standing = p.post(standing)
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// post puts on the board what is wrong now and takes down what was and is not any more.
func (p *Provisioner) post(before map[string]finding.Finding) map[string]finding.Finding {
	now := map[string]finding.Finding{}
	for _, f := range p.Findings() {
		now[f.Code+" "+f.Subject] = f
		p.findings.Raise(f)
	}
	for key, f := range before {
		if _, stands := now[key]; stands {
			continue
		}
		if d, ok := finding.Lookup(f.Code); ok {
			p.findings.Clear(d, f.Subject)
		}
	}
	return now
}

// plainFiles says that files with secrets are given to a whole network.
func (p *Provisioner) plainFiles(set *inventory.Set) []finding.Finding {
	count := 0
	for _, device := range set.Devices {
		encrypted, _ := p.library.signer.encrypts(set, device.Name)
		if !device.Blocked && encrypted == nil && slices.ContainsFunc(device.Lines, func(number string) bool {
			line, ok := set.Lines[number]
			return ok && !line.Secret.IsZero()
		}) {
			count++
		}
	}
	if count == 0 || len(p.settings.Access.Office) == 0 {
		return nil
	}
	var networks []string
	for _, network := range p.settings.Access.Office {
		networks = append(networks, network.String())
	}
	return []finding.Finding{finding.FilesInPlain.With(strings.Join(networks, ", "), count)}
}

// missingLoads says which firmware phones are told to run and will not get here.
func (p *Provisioner) missingLoads(set *inventory.Set) (found []finding.Finding) {
	loads := provision.Loads(set)
	for _, load := range slices.Sorted(maps.Keys(loads)) {
		missing, err := p.library.folder.missingOf(load)
		if err != nil {
			p.log.Debug("load not looked at", "load", load, logging.Err, err)
			continue
		}
		if len(missing) == 0 {
			continue
		}
		f := finding.LoadMissing.With(load, strings.Join(missing, ", "))
		if missing[0] != provision.LoadFile(load) {
			f.Certainty = finding.Likely // how the list is written has not been published
		}
		found = append(found, f.Because("inventory", 0, "told to run it: "+few(loads[load])))
	}
	return found
}

const namedPhones = 10

func few(names []string) string {
	if len(names) <= namedPhones {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:namedPhones], ", "), len(names)-namedPhones)
}

// maxLoadFile is the most that is read of a list of images, in bytes; real ones have a few thousand.
const maxLoadFile = 64 << 10

// missingOf returns which files of a load the folder lacks: the list itself, or what it names.
func (f folder) missingOf(load string) ([]string, error) {
	list, err := f.open(provision.LoadFile(load))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return []string{provision.LoadFile(load)}, nil
	case err != nil:
		return nil, err
	}
	defer list.Close()
	content, err := io.ReadAll(io.LimitReader(list, maxLoadFile))
	if err != nil {
		return nil, err
	}
	entries, err := fs.ReadDir(f.root.FS(), ".")
	if err != nil {
		return nil, err
	}
	var names, missing []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	for _, part := range provision.PartsOfLoad(content) {
		if !provision.HasPart(names, part) {
			missing = append(missing, part)
		}
	}
	return missing, nil
}
