package judge

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// ocservFile is what one ocserv.conf sets for all, or for one of its hosts: settings of the host stand before those of all.
type ocservFile struct {
	name     string
	settings []fact.Fact
	vhost    string
}

// ocservFiles returns the configurations that were given, one for each host that a file names.
func (c *Case) ocservFiles() []ocservFile {
	var files []ocservFile
	for _, f := range c.All(fact.OcservSetting) {
		at := slices.IndexFunc(files, func(o ocservFile) bool { return o.name == f.Source && o.vhost == f.Get("vhost") })
		if at < 0 {
			files = append(files, ocservFile{name: f.Source, vhost: f.Get("vhost")})
			at = len(files) - 1
		}
		files[at].settings = append(files[at].settings, f)
	}
	for i := range files {
		if files[i].vhost == "" {
			continue
		}
		for _, of := range files {
			if of.name == files[i].name && of.vhost == "" {
				files[i].settings = append(slices.Clone(of.settings), files[i].settings...)
			}
		}
	}
	return files
}

// all returns the settings with this key, in their order.
func (o ocservFile) all(key string) []fact.Fact {
	var found []fact.Fact
	for _, f := range o.settings {
		if f.Get("key") == key {
			found = append(found, f)
		}
	}
	return found
}

// last returns the setting with this key that counts.
func (o ocservFile) last(key string) (fact.Fact, bool) {
	all := o.all(key)
	if len(all) == 0 {
		return fact.Fact{}, false
	}
	return all[len(all)-1], true
}

// whole reports whether the file is there from beginning to end, so that what it lacks says something: without these,
// ocserv does not start.
func (o ocservFile) whole() bool {
	return !slices.ContainsFunc([]string{"auth", "server-cert", "socket-file", "device"}, func(key string) bool {
		_, there := o.last(key)
		return !there
	})
}

// is returns the setting when it stands there with this truth value.
func (o ocservFile) is(key string, value bool) (fact.Fact, bool) {
	f, ok := o.last(key)
	return f, ok && (strings.EqualFold(f.Get("value"), "true") || strings.EqualFold(f.Get("value"), "yes") || f.Get("value") == "1") == value
}

// number returns a setting that is a number.
func (o ocservFile) number(key string) (int, fact.Fact, bool) {
	f, ok := o.last(key)
	n, err := strconv.Atoi(f.Get("value"))
	return n, f, ok && err == nil
}

// pool returns the network of the tunnels' addresses.
func (o ocservFile) pool() (netip.Prefix, fact.Fact, bool) {
	f, ok := o.last("ipv4-network")
	if !ok {
		return netip.Prefix{}, f, false
	}
	if p, err := netip.ParsePrefix(f.Get("value")); err == nil {
		return p.Masked(), f, true
	}
	address, err := netip.ParseAddr(f.Get("value"))
	mask, there := o.last("ipv4-netmask")
	bits, ok := maskBits(mask.Get("value"))
	if err != nil || !there || !ok || !address.Is4() {
		return netip.Prefix{}, f, false
	}
	return netip.PrefixFrom(address, bits).Masked(), f, true
}

// maskBits returns how long a network mask is.
func maskBits(mask string) (int, bool) {
	m, err := netip.ParseAddr(mask)
	if err != nil || !m.Is4() {
		return 0, false
	}
	bits, ended := 0, false
	for _, b := range m.As4() {
		for i := 7; i >= 0; i-- {
			one := b>>i&1 == 1
			if one && ended {
				return 0, false
			}
			if ended = !one; one {
				bits++
			}
		}
	}
	return bits, true
}
