package catalog

import (
	"context"
	"errors"
	"fmt"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
)

// Options of Apply and Delete.
type Options struct {
	Prune  bool // Apply: delete what objects does not name, of the kinds it contains
	DryRun bool // check and say what would change, change nothing
	Force  bool // also what the guard objects to
}

// Changes says what a change did, in the order of inventory.Kinds and by name within a kind.
type Changes struct {
	Created []Ref `json:"created"`
	Changed []Ref `json:"changed"`
	Deleted []Ref `json:"deleted"`
}

// Empty reports whether nothing changed.
func (c Changes) Empty() bool { return len(c.Created)+len(c.Changed)+len(c.Deleted) == 0 }

// Apply creates and changes objects, all or nothing. A secret that an object leaves out keeps its stored
// value; a user's password is kept as its hash. It returns an *InvalidError when the inventory as a whole
// would not be valid.
func (c *Catalog) Apply(ctx context.Context, objects []inventory.Object, options Options) (Changes, error) {
	return c.change(ctx, options, applying(objects, options))
}

// applying plans what Apply does.
func applying(objects []inventory.Object, options Options) func(old *inventory.Set) (plan, error) {
	return func(old *inventory.Set) (plan, error) {
		p := plan{puts: inventory.NewSet()}
		stored := index(old)
		kinds := map[inventory.Kind]bool{}
		for _, o := range objects {
			kinds[o.Kind()] = true
			copied, err := clone(o)
			if err != nil {
				return plan{}, err
			}
			keepSecrets(copied, stored[refOf(o)])
			if err := p.puts.Add(copied); err != nil {
				return plan{}, invalid(err)
			}
		}
		if options.Prune {
			named := index(p.puts)
			p.deletes = refsWhere(old, func(ref Ref) bool { return kinds[ref.Kind] && named[ref] == nil })
		}
		return p, nil
	}
}

// Delete deletes objects, all or nothing. One that does not exist is store.ErrNotFound; one that others
// refer to an *InvalidError.
func (c *Catalog) Delete(ctx context.Context, refs []Ref, options Options) (Changes, error) {
	return c.change(ctx, options, func(old *inventory.Set) (plan, error) {
		stored := index(old)
		wanted := map[Ref]bool{}
		for _, ref := range refs {
			if _, ok := stored[ref]; !ok {
				return plan{}, fmt.Errorf("catalog: delete %s: %w", ref, store.ErrNotFound)
			}
			wanted[ref] = true
		}
		return plan{puts: inventory.NewSet(), deletes: refsWhere(old, func(ref Ref) bool { return wanted[ref] })}, nil
	})
}

// RenewPasswordHash puts a new hash of the same password in the place of an old one. It does nothing when
// the user is gone or the hash is another by now.
func (c *Catalog) RenewPasswordHash(ctx context.Context, user string, old, renewed secret.String) error {
	_, err := c.change(ctx, Options{}, func(set *inventory.Set) (plan, error) {
		p := plan{puts: inventory.NewSet()}
		stored, ok := set.Users[user]
		if !ok || stored.PasswordHash != old {
			return p, nil
		}
		changed := *stored
		changed.PasswordHash = renewed
		return p, p.puts.Add(&changed)
	})
	return err
}

// plan is a change before it is checked.
type plan struct {
	puts    *inventory.Set
	deletes []Ref
}

func invalid(err error) error {
	var problem inventory.Problem
	if errors.As(err, &problem) {
		return &InvalidError{[]inventory.Problem{problem}}
	}
	return err
}

func index(set *inventory.Set) map[Ref]inventory.Object {
	objects := map[Ref]inventory.Object{}
	for _, o := range set.Objects() {
		objects[refOf(o)] = o
	}
	return objects
}

// keepSecrets fills what o leaves out from what is stored, if anything is. A password that is given
// stands for the hash.
func keepSecrets(o, stored inventory.Object) {
	if stored == nil {
		return
	}
	user, _ := o.(*inventory.User)
	kept := stored.Secrets()
	for i, s := range o.Secrets() {
		if s.IsZero() && !(user != nil && s == &user.PasswordHash && !user.Password.IsZero()) {
			*s = *kept[i]
		}
	}
}

// refsWhere returns the objects of a set for which a condition holds, in the set's order.
func refsWhere(set *inventory.Set, holds func(Ref) bool) (refs []Ref) {
	for _, o := range set.Objects() {
		if holds(refOf(o)) {
			refs = append(refs, refOf(o))
		}
	}
	return refs
}

// change plans a change from what is stored, checks it, and writes it; when somebody else was quicker it
// begins again.
func (c *Catalog) change(ctx context.Context, options Options, planned func(old *inventory.Set) (plan, error)) (Changes, error) {
	c.changing.Lock()
	defer c.changing.Unlock()
	for {
		changes, err := c.tryChange(ctx, options, planned)
		if !errors.Is(err, store.ErrConflict) {
			return changes, err
		}
		if ctx.Err() != nil {
			return Changes{}, ctx.Err()
		}
	}
}

func (c *Catalog) tryChange(ctx context.Context, options Options, planned func(old *inventory.Set) (plan, error)) (Changes, error) {
	s, err := c.settled(ctx, options.DryRun)
	if err != nil {
		return Changes{}, err
	}
	old, err := c.build(s)
	if err != nil {
		return Changes{}, err
	}
	p, err := planned(old)
	if err != nil {
		return Changes{}, err
	}
	if err := c.check(old, p, options.Force); err != nil {
		return Changes{}, err
	}
	changes, writes, err := c.differences(old, p)
	if err != nil || options.DryRun || changes.Empty() {
		return changes, err
	}
	if err := c.write(ctx, s, writes); err != nil {
		return Changes{}, err
	}
	// The change is made: that Current cannot be read now is for Run to find out.
	_, _ = c.refresh(ctx)
	return changes, nil
}

// check validates the inventory as it would be, asks the guard unless forced, then turns passwords into
// hashes; in this order, because there are rules about passwords.
func (c *Catalog) check(old *inventory.Set, p plan, force bool) error {
	set, err := p.after(old)
	if err != nil {
		return err
	}
	if problems := set.Validate(); len(problems) > 0 {
		return &InvalidError{problems}
	}
	if problems := c.objections(old, set); len(problems) > 0 && !force {
		return &InvalidError{problems}
	}
	for _, user := range p.puts.Users {
		if err := c.hashPassword(user, old.Users[user.Name]); err != nil {
			return &InvalidError{[]inventory.Problem{{Kind: inventory.KindUser, Name: user.Name, Field: "password", Says: err.Error()}}}
		}
	}
	return nil
}

// objections are what the guard has against a change.
func (c *Catalog) objections(before, after *inventory.Set) []inventory.Problem {
	guard := c.guard.Load()
	if guard == nil {
		return nil
	}
	return (*guard)(before, after)
}

// after returns the inventory as it would be. It shares its objects with old and the plan.
func (p plan) after(old *inventory.Set) (*inventory.Set, error) {
	after := index(old)
	for ref, o := range index(p.puts) {
		after[ref] = o
	}
	for _, ref := range p.deletes {
		delete(after, ref)
	}
	set := inventory.NewSet()
	for _, o := range after {
		if err := set.Add(o); err != nil {
			return nil, invalid(err)
		}
	}
	return set, nil
}

// hashPassword replaces a user's password by its hash, which is the stored one if it fits: a file applied
// twice changes nothing.
func (c *Catalog) hashPassword(user, stored *inventory.User) error {
	if user.Password.IsZero() {
		return nil
	}
	if stored != nil && c.config.VerifyPassword(stored.PasswordHash, user.Password) {
		user.Password, user.PasswordHash = secret.String{}, stored.PasswordHash
		return nil
	}
	text, err := c.config.HashPassword(user.Password)
	if err != nil {
		return err
	}
	user.Password, user.PasswordHash = secret.String{}, secret.New(text)
	return nil
}

// differences compares a plan with what is stored and returns what has to be written.
func (c *Catalog) differences(old *inventory.Set, p plan) (changes Changes, writes []write, err error) {
	stored := index(old)
	for _, o := range p.puts.Objects() {
		before, ok := stored[refOf(o)]
		switch {
		case !ok:
			changes.Created = append(changes.Created, refOf(o))
		case same(before, o):
			continue
		default:
			changes.Changed = append(changes.Changed, refOf(o))
		}
		w, err := c.encode(o)
		if err != nil {
			return Changes{}, nil, err
		}
		writes = append(writes, w)
	}
	for _, ref := range p.deletes {
		changes.Deleted = append(changes.Deleted, ref)
		writes = append(writes, write{Key: keyOf(ref)})
	}
	return changes, writes, nil
}
