package provisioner

import (
	"sync"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
)

// stamps remembers the version stamps of the last inventory that was asked about: making every phone's
// file takes its time.
type stamps struct {
	mu  sync.Mutex
	set *inventory.Set
	all map[string]string
}

// Stamps returns the version stamp of each device's file as this inventory makes it. A device whose file
// cannot be made is left out; who asks for that file is told why in the log. The map must not be changed.
func (p *Provisioner) Stamps(set *inventory.Set) map[string]string {
	p.stamps.mu.Lock()
	defer p.stamps.mu.Unlock()
	if p.stamps.set == set {
		return p.stamps.all
	}
	all := make(map[string]string, len(set.Devices))
	for name := range set.Devices {
		if file, err := p.library.renderer.File(set, provision.ConfigFile(name)); err == nil {
			all[name] = file.VersionStamp
		}
	}
	p.stamps.set, p.stamps.all = set, all
	return all
}
