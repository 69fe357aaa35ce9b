package provisioner

import (
	"maps"
	"sync"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// stamps remembers the version stamps of the last inventory that was asked about: making every phone's
// file takes its time. A phone's file changes with the inventory, and with what it is to do about its
// certificate.
type stamps struct {
	mu    sync.Mutex
	set   *inventory.Set
	all   map[string]string // by device; not changed in place
	modes map[string]int    // EnrolMode at that time
}

// Stamps returns the version stamp of each device's file as this inventory makes it. A device whose file
// cannot be made is left out; who asks for that file is told why in the log. The map must not be changed.
func (p *Provisioner) Stamps(set *inventory.Set) map[string]string {
	p.stamps.mu.Lock()
	defer p.stamps.mu.Unlock()
	known := p.stamps.all
	if p.stamps.set != set {
		known, p.stamps.modes = nil, map[string]int{}
	}
	fresh := map[string]string{}
	for name := range set.Devices {
		mode := p.enrolMode(name)
		if was, asked := p.stamps.modes[name]; asked && was == mode {
			continue
		}
		p.stamps.modes[name] = mode
		if file, err := p.library.renderer.File(set, provision.ConfigFile(name)); err == nil {
			fresh[name] = file.VersionStamp
		}
	}
	if known == nil || len(fresh) > 0 {
		all := make(map[string]string, len(set.Devices))
		maps.Copy(all, known)
		maps.Copy(all, fresh)
		p.stamps.set, p.stamps.all = set, all
	}
	return p.stamps.all
}

func (p *Provisioner) enrolMode(device string) int {
	if p.library.renderer.EnrolMode == nil {
		return 0
	}
	return p.library.renderer.EnrolMode(device)
}
