package judge

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// One ASA has one configuration that runs. Where two files have some of it, and differ, it is asked which: they are judged as if
// they were one.
var _ = rule(func(c *Case) {
	for _, b := range c.asas() {
		var sources []string
		for _, f := range b.facts[fact.ASAConfiguration] {
			if !slices.Contains(sources, f.Source) {
				sources = append(sources, f.Source)
			}
		}
		for i, one := range sources {
			for _, other := range sources[i+1:] {
				setting, in := b.more(one, other)
				if setting == "" {
					setting, in = b.more(other, one)
				}
				if setting != "" {
					c.Need(fmt.Sprintf("say which configuration of %s runs, that in %s or that in %s: %s stands in %s alone", b.name, one, other, setting, in))
				}
			}
		}
	}
})

// more returns a setting that the configuration in one source has, and the other one's has not, in a block that is whole in both;
// and that source.
func (b *asaBox) more(one, other string) (setting, in string) {
	blocks, others := b.listings(one), b.listings(other)
	for _, name := range slices.Sorted(maps.Keys(blocks)) {
		has, lacks := blocks[name], others[name]
		if !has.whole() || !lacks.whole() {
			continue
		}
		for _, s := range has.settings {
			if !slices.Contains(lacks.settings, s) {
				return "`" + s + "` of " + name, one
			}
		}
	}
	return "", ""
}

// asaListing is what a configuration has in one block. It is all of it if the block was listed, and nowhere cut.
type asaListing struct {
	listed, cut bool
	settings    []string
}

func (l asaListing) whole() bool { return l.listed && !l.cut }

// listings returns the blocks of the configuration in one source.
func (b *asaBox) listings(source string) map[string]asaListing {
	listings := map[string]asaListing{}
	for _, each := range []struct {
		kind         fact.Kind
		block, named string
	}{{fact.ASAWebVPN, "webvpn", ""}, {fact.ASAPolicy, "group-policy ", "policy"}, {fact.ASAGroup, "tunnel-group ", "group"}} {
		for _, f := range b.facts[each.kind] {
			if f.Source != source {
				continue
			}
			name := each.block + f.Get(each.named)
			listing := listings[name]
			switch setting := f.Get("setting"); {
			case setting == "block", strings.HasSuffix(setting, "attributes"):
				listing.listed, listing.cut = true, listing.cut || f.Get("listed") != "whole"
			case setting != "":
				listing.settings = append(listing.settings, strings.TrimSpace(setting+" "+f.Get("value")))
			}
			listings[name] = listing
		}
	}
	return listings
}
