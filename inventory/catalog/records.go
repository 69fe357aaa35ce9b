package catalog

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/url"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/store"
)

// What the catalog keeps in the store, all of it for good:
//
//	inventory/<Kind>/<name>       one object, name escaped as in a URL's path
//	inventory/.head               the head, part of every commit
//	inventory/.staged/<id>/<n>    parts of a change that is too large for one commit
const (
	prefix       = "inventory/"
	headKey      = prefix + ".head"
	stagedPrefix = prefix + ".staged/"
)

const recordVersion = 1

// object is the record of one object.
type object struct {
	Version int             `json:"version"`
	Object  json.RawMessage `json:"object"`           // with secrets redacted
	Sealed  []byte          `json:"sealed,omitempty"` // JSON list of the secrets in the order of Secrets, sealed for this key
}

// head counts the changes and guards them: whoever changes anything rewrites the head that they read.
type head struct {
	Version    int    `json:"version"`
	Generation int64  `json:"generation"`        // changes so far
	Staging    string `json:"staging,omitempty"` // id of a large change that is being written aside; it does not count yet
	Pending    string `json:"pending,omitempty"` // id of a large change that counts and is not carried over yet
}

// write is one put or, with a null value, delete of an object's record. A staged part is a list of them.
type write struct {
	Key   string          `json:"key"`
	Value json.RawMessage `json:"value"`
}

func (w write) deletes() bool { return len(w.Value) == 0 || string(w.Value) == "null" }

func (w write) op() store.Op {
	if w.deletes() {
		return store.Op{Key: w.Key, Delete: true, Read: store.Any}
	}
	return store.Op{Key: w.Key, Value: w.Value, Read: store.Any}
}

func keyOf(ref Ref) string {
	return prefix + string(ref.Kind) + "/" + url.PathEscape(ref.Name)
}

func (h head) op(read store.Revision) (store.Op, error) {
	h.Version = recordVersion
	value, err := json.Marshal(h)
	return store.Op{Key: headKey, Value: value, Read: read}, err
}

func decodeHead(value []byte) (h head, err error) {
	if err := json.Unmarshal(value, &h); err != nil {
		return h, fmt.Errorf("catalog: %s: %w", headKey, err)
	}
	if h.Version != recordVersion {
		return h, fmt.Errorf("catalog: %s has version %d, this program knows %d", headKey, h.Version, recordVersion)
	}
	return h, nil
}

// encode returns the record of an object.
func (c *Catalog) encode(o inventory.Object) (write, error) {
	key := keyOf(refOf(o))
	text, err := json.Marshal(o)
	if err != nil {
		return write{}, fmt.Errorf("catalog: encode %s: %w", refOf(o), err)
	}
	record := object{Version: recordVersion, Object: text}
	if secrets, some := reveal(o); some {
		list, err := json.Marshal(secrets)
		if err != nil {
			return write{}, fmt.Errorf("catalog: encode %s: %w", refOf(o), err)
		}
		record.Sealed = c.config.Sealer.Seal(list, []byte(key))
	}
	value, err := json.Marshal(record)
	if err != nil {
		return write{}, fmt.Errorf("catalog: encode %s: %w", refOf(o), err)
	}
	return write{key, value}, nil
}

// reveal returns an object's secrets and whether there is any.
func reveal(o inventory.Object) (secrets []string, some bool) {
	for _, s := range o.Secrets() {
		secrets = append(secrets, s.Reveal())
		some = some || !s.IsZero()
	}
	return secrets, some
}

// decoded is an object with the record it came from, kept so that a fresh inventory decodes only what
// changed.
type decoded struct {
	value  []byte
	object inventory.Object
}

// decode returns the object in a record. The object is shared and not to be changed.
func (c *Catalog) decode(key string, value []byte) (inventory.Object, error) {
	c.mu.Lock()
	known, ok := c.decoded[key]
	c.mu.Unlock()
	if ok && bytes.Equal(known.value, value) {
		return known.object, nil
	}
	o, err := c.decodeObject(key, value)
	if err != nil {
		return nil, fmt.Errorf("catalog: %s: %w", key, err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.decoded[key] = decoded{value, o}
	return o, nil
}

func (c *Catalog) decodeObject(key string, value []byte) (inventory.Object, error) {
	var record object
	if err := json.Unmarshal(value, &record); err != nil {
		return nil, err
	}
	if record.Version != recordVersion {
		return nil, fmt.Errorf("record has version %d, this program knows %d", record.Version, recordVersion)
	}
	kind, _, _ := bytes.Cut([]byte(key[len(prefix):]), []byte("/"))
	o, ok := inventory.New(inventory.Kind(kind))
	if !ok {
		return nil, fmt.Errorf("kind %q is not known to this program", kind)
	}
	if err := json.Unmarshal(record.Object, o); err != nil {
		return nil, err
	}
	if keyOf(refOf(o)) != key {
		return nil, fmt.Errorf("record holds %s", refOf(o))
	}
	if record.Sealed == nil {
		return o, nil
	}
	return o, c.unseal(o, key, record.Sealed)
}

func (c *Catalog) unseal(o inventory.Object, key string, sealed []byte) error {
	list, err := c.config.Sealer.Open(sealed, []byte(key))
	if err != nil {
		return err
	}
	var texts []string
	if err := json.Unmarshal(list, &texts); err != nil {
		return err
	}
	secrets := o.Secrets()
	if len(texts) > len(secrets) {
		return fmt.Errorf("%d secrets are sealed, this program knows %d", len(texts), len(secrets))
	}
	for i, text := range texts {
		*secrets[i] = secret.New(text)
	}
	return nil
}

// clone returns a copy of an object, secrets included.
func clone(o inventory.Object) (inventory.Object, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, fmt.Errorf("catalog: copy %s: %w", refOf(o), err)
	}
	c, ok := inventory.New(o.Kind())
	if !ok {
		return nil, fmt.Errorf("catalog: kind %q is not known", o.Kind())
	}
	if err := json.Unmarshal(text, c); err != nil {
		return nil, fmt.Errorf("catalog: copy %s: %w", refOf(o), err)
	}
	from := o.Secrets()
	for i, to := range c.Secrets() {
		*to = *from[i]
	}
	return c, nil
}

// same reports whether two objects hold the same, secrets included.
func same(a, b inventory.Object) bool {
	textA, errA := json.Marshal(a)
	textB, errB := json.Marshal(b)
	if errA != nil || errB != nil || !bytes.Equal(textA, textB) {
		return false
	}
	other := b.Secrets()
	for i, s := range a.Secrets() {
		if *s != *other[i] {
			return false
		}
	}
	return true
}
