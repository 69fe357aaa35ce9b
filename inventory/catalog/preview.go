package catalog

import (
	"context"

	"github.com/longcord/longcord/inventory"
)

// Preview is what Apply would do. Neither set may be changed.
type Preview struct {
	Before, After *inventory.Set
	Changes       Changes
	Objections    []inventory.Problem // the guard's: Apply refuses for them, unless forced
}

// Preview returns what Apply would do with objects, and changes nothing. It refuses what would not be
// valid as Apply does; what the guard objects to it tells.
func (c *Catalog) Preview(ctx context.Context, objects []inventory.Object, options Options) (Preview, error) {
	s, err := c.settled(ctx, true)
	if err != nil {
		return Preview{}, err
	}
	old, err := c.build(s)
	if err != nil {
		return Preview{}, err
	}
	p, err := applying(objects, options)(old)
	if err != nil {
		return Preview{}, err
	}
	if err := c.check(old, p, true); err != nil {
		return Preview{}, err
	}
	after, err := p.after(old)
	if err != nil {
		return Preview{}, err
	}
	changes, _, err := c.differences(old, p)
	return Preview{Before: old, After: after, Changes: changes, Objections: c.objections(old, after)}, err
}
