package gateway

import (
	"maps"
	"slices"
	"sync"

	"github.com/longcord/longcord/inventory"
)

// filters are the access lists in use. A list that does not change keeps its counts when others do.
type filters struct {
	mu     sync.Mutex
	set    *inventory.Set        // that shared was compiled from
	shared map[string]*filter    // by access list, where all sessions are treated alike
	counts map[string]*listCount // by access list
}

type listCount struct {
	entries []inventory.AccessEntry
	hits    hits
}

// of returns a list's filter for a session.
func (fs *filters) of(set *inventory.Set, list *inventory.AccessList, m member) (*filter, error) {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	if fs.set != set {
		fs.set, fs.shared = set, map[string]*filter{}
	}
	if f := fs.shared[list.Name]; f != nil {
		return f, nil
	}
	f, err := compileFilter(list, m, fs.count(list))
	if err == nil && plain(list) {
		fs.shared[list.Name] = f
	}
	return f, err
}

// count returns the counters of a list, which begin anew when its entries change. mu is held.
func (fs *filters) count(list *inventory.AccessList) hits {
	if fs.counts == nil {
		fs.counts = map[string]*listCount{}
	}
	c := fs.counts[list.Name]
	if c == nil || !slices.EqualFunc(c.entries, list.Entries, inventory.AccessEntry.Equal) {
		c = &listCount{list.Entries, make(hits, len(list.Entries)+1)}
		fs.counts[list.Name] = c
	}
	return c.hits
}

// AccessHits is how often each entry of an access list decided about a packet since it was declared so.
type AccessHits struct {
	Name    string
	Entries []inventory.AccessEntry
	Hits    []uint64 // of each entry
	Denied  uint64   // what no entry matched
}

// AccessLists returns the access lists that sessions were held to, by name.
func (g *Gateway) AccessLists() []AccessHits {
	fs := &g.filters
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var all []AccessHits
	for _, name := range slices.Sorted(maps.Keys(fs.counts)) {
		c := fs.counts[name]
		a := AccessHits{Name: name, Entries: c.entries, Denied: c.hits[len(c.entries)].Load()}
		for i := range c.entries {
			a.Hits = append(a.Hits, c.hits[i].Load())
		}
		all = append(all, a)
	}
	return all
}
