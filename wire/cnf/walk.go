package cnf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/beevik/etree"
)

// walk is one element on the way through a document, in either direction: reading, values go from
// elements into fields; writing, from fields into elements. An element that already says what its field
// says is not touched, so what was read keeps its spelling.
type walk struct {
	*direction
	parent *walk
	name   string
	el     *etree.Element // nil: absent, so far
}

type direction struct {
	writing bool
	all     bool  // writing a new document: elements for every field, also those at their default
	err     error // the first value that could not be read
}

// sparse is the same element, for parts that even a new file has only where they say something.
func (w *walk) sparse() *walk {
	if !w.writing || !w.all {
		return w
	}
	c := *w
	c.direction = &direction{writing: true}
	return &c
}

// whole has a part that is new in an old file written as in a new one.
func (w *walk) whole() *walk {
	w.direction = &direction{writing: true, all: true}
	return w
}

func (w *walk) sparseUnless(full bool) *walk {
	if full {
		return w
	}
	return w.sparse()
}

func (w *walk) child(name string) *walk {
	c := &walk{direction: w.direction, parent: w, name: name}
	if w.el != nil {
		c.el = w.el.SelectElement(name)
	}
	return c
}

// element returns the element, which it makes first when it is absent.
func (w *walk) element() *etree.Element {
	if w.el == nil {
		w.el = w.parent.element().CreateElement(w.name)
	}
	return w.el
}

func (w *walk) remove() {
	if w.el != nil {
		w.el.Parent().RemoveChild(w.el)
		w.el = nil
	}
}

func (w *walk) path() string {
	if w.parent == nil {
		return w.name
	}
	return w.parent.path() + "/" + w.name
}

// content returns the element's text, empty when it is absent.
func (w *walk) content() string {
	if w.el == nil {
		return ""
	}
	return strings.TrimSpace(w.el.Text())
}

// carry moves one value of type T between its field and the child called name. An absent or empty element
// stands for absent.
func carry[T comparable](w *walk, name string, field *T, absent T, parse func(string) (T, error), format func(T) string) {
	c := w.child(name)
	value, text := absent, c.content()
	if text != "" {
		var err error
		if value, err = parse(text); err != nil && w.err == nil {
			w.err = fmt.Errorf("cnf: %s: %v", c.path(), err)
		}
	}
	switch {
	case !w.writing:
		*field = value
	case *field != value || c.el == nil && w.all:
		c.element().SetText(format(*field))
	}
}

func (w *walk) text(name string, field *string) {
	same := func(s string) string { return s }
	carry(w, name, field, "", func(s string) (string, error) { return s, nil }, same)
}

// flag is a truth value written 0 or 1, truth one written false or true. Both spellings are read.
func (w *walk) flag(name string, field *bool, absent bool) {
	carry(w, name, field, absent, parseTruth, func(b bool) string {
		if b {
			return "1"
		}
		return "0"
	})
}

func (w *walk) truth(name string, field *bool) {
	carry(w, name, field, false, parseTruth, strconv.FormatBool)
}

func parseTruth(s string) (bool, error) {
	switch strings.ToLower(s) {
	case "true", "1":
		return true, nil
	case "false", "0":
		return false, nil
	}
	return false, fmt.Errorf("%q is neither true nor false", s)
}

func number[T ~int](w *walk, name string, field *T, absent T) {
	carry(w, name, field, absent, parseNumber[T], func(n T) string { return strconv.Itoa(int(n)) })
}

func parseNumber[T ~int](s string) (T, error) {
	n, err := strconv.Atoi(s)
	if err != nil {
		return 0, fmt.Errorf("%q is not a number", s)
	}
	return T(n), nil
}

// port is a number whose field may be 0 for the usual port.
func (w *walk) port(name string, field *int, usual int) {
	n := *field
	if n == 0 {
		n = usual
	}
	number(w, name, &n, usual)
	if !w.writing {
		*field = n
	}
}

// optional is a part that may be absent as a whole: its field is nil then, and there is nothing to carry.
func optional[T any](w *walk, name string, field **T) *walk {
	c := w.child(name)
	switch {
	case w.writing && *field == nil:
		c.remove()
		return nil
	case !w.writing && c.el == nil:
		return nil
	case w.writing && c.el == nil:
		c.whole().element()
	case w.writing:
	default:
		*field = new(T)
	}
	return c
}

// list carries items and the given elements of the same name, one by one; elements beyond the items go.
func list[T any](w *walk, name string, elements []*etree.Element, items *[]T, each func(w *walk, i int, item *T)) {
	if !w.writing {
		*items = nil
		for i, el := range elements {
			var item T
			each(&walk{w.direction, w, name, el}, i, &item)
			*items = append(*items, item)
		}
		return
	}
	for i := range *items {
		c := &walk{direction: w.direction, parent: w, name: name}
		if i < len(elements) {
			c.el = elements[i]
		} else {
			c.whole()
		}
		c.element()
		each(c, i, &(*items)[i])
	}
	for _, el := range elements[min(len(*items), len(elements)):] {
		w.el.RemoveChild(el)
	}
}

func (w *walk) elements(name string) []*etree.Element {
	if w.el == nil {
		return nil
	}
	return w.el.SelectElements(name)
}

// numbered carries texts in elements name1, name2, … up to limit. Empty ones in between are passed over.
func (w *walk) numbered(name string, field *[]string, limit int) {
	var found []string
	for i := 1; i <= limit; i++ {
		if text := w.child(name + strconv.Itoa(i)).content(); text != "" {
			found = append(found, text)
		}
	}
	if !w.writing {
		*field = found
		return
	}
	if slices.Equal(found, *field) {
		return
	}
	for i := 1; i <= limit; i++ {
		c := w.child(name + strconv.Itoa(i))
		if i > len(*field) {
			c.remove()
			continue
		}
		c.element().SetText((*field)[i-1])
	}
}
