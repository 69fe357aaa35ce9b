package provisioner

import (
	"fmt"
	"io"
	"maps"
	"net"
	"slices"
	"strconv"

	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/cnf"
)

// TrustList returns the CTL or ITL that a device is given now; with no device, the shared one. It is
// provision.ErrNotFound where there is none.
func (p *Provisioner) TrustList(kind trust.ListKind, device string) ([]byte, error) {
	name := map[trust.ListKind]string{trust.CTL: provision.SharedCTL, trust.ITL: provision.SharedITL}[kind]
	if device != "" {
		name = map[trust.ListKind]string{trust.CTL: provision.CTLFile(device), trust.ITL: provision.ITLFile(device)}[kind]
	}
	list, ok := provision.ListIn(name)
	if !ok {
		return nil, fmt.Errorf("%w: %q is no device", provision.ErrNotFound, device)
	}
	f, err := p.library.signer.list(p.library.inventory(), list)
	if err != nil {
		return nil, err
	}
	return io.ReadAll(f)
}

// Lag is which phones do not have their trust lists as they are now, in order. Those whose profile gives them
// none are not among them.
type Lag struct {
	Behind   []string // they fetched older ones
	Unproven []string // those of them whose lists somebody has fetched as they are now, who need not be the phone
	Without  []string // they have fetched none yet, so nobody can be lost who has none of somebody else's
}

// Lag returns what phones have fetched. In the office others may fetch a phone's list, too; counts says of a
// delivery whether it is the phone's own. One that went elsewhere alone may be the phone's or not, and counts as
// an older one.
func (p *Provisioner) Lag(counts func(Delivery) bool) (Lag, error) {
	set, recent := p.library.inventory(), p.recorder.all()
	var lag Lag
	for _, device := range slices.Sorted(maps.Keys(set.Devices)) {
		security := set.SecurityFor(set.Devices[device])
		missing, older, seen := false, false, true
		for kind, name := range map[trust.ListKind]string{trust.CTL: provision.CTLFile(device), trust.ITL: provision.ITLFile(device)} {
			if kind == trust.CTL && !security.CTL || kind == trust.ITL && !security.ITL {
				continue
			}
			list, err := p.TrustList(kind, device)
			if err != nil {
				return lag, err
			}
			last := slices.IndexFunc(recent[device], func(d Delivery) bool { return d.File == name && counts(d) })
			none := !slices.ContainsFunc(recent[device], func(d Delivery) bool { return d.File == name })
			missing = missing || none
			older = older || !none && (last < 0 || recent[device][last].VersionStamp != ListStamp(list))
			seen = seen && slices.ContainsFunc(recent[device], func(d Delivery) bool { return d.File == name && d.VersionStamp == ListStamp(list) })
		}
		switch {
		case older:
			lag.Behind = append(lag.Behind, device)
			if seen {
				lag.Unproven = append(lag.Unproven, device)
			}
		case missing:
			lag.Without = append(lag.Without, device)
		}
	}
	return lag, nil
}

// TVSOf returns where a device's file says that TVS is, host and port.
func (p *Provisioner) TVSOf(device string) ([]string, error) {
	f, err := p.library.openPlain(provision.ConfigFile(device))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	content, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("provisioner: %w", err)
	}
	config, err := cnf.Parse(content)
	if err != nil {
		return nil, err
	}
	var all []string
	for _, server := range config.TVS {
		port := server.Port
		if port == 0 {
			port = provision.TVSPort
		}
		all = append(all, net.JoinHostPort(server.Host, strconv.Itoa(port)))
	}
	return all, nil
}
