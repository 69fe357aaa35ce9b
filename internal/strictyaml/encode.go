package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"

	"github.com/longcord/longcord/internal/secret"
)

// Encoding says how Encode writes.
type Encoding struct {
	Secrets bool // write secrets in clear; else they are left out
}

// Pair is a key with a plain value.
type Pair struct{ Key, Value string }

// Encode returns the struct that value points at as one YAML document, its keys in the struct's order,
// led by the given pairs. Empty fields are left out where the json tag says so.
func (e Encoding) Encode(value any, lead ...Pair) ([]byte, error) {
	var document yaml.MapSlice
	for _, pair := range lead {
		document = append(document, yaml.MapItem{Key: pair.Key, Value: pair.Value})
	}
	document = append(document, e.mapping(reflect.ValueOf(value).Elem())...)
	text, err := yaml.MarshalWithOptions(document, yaml.UseLiteralStyleIfMultiline(true), yaml.IndentSequence(true))
	if err != nil {
		return nil, fmt.Errorf("strictyaml: %T: %w", value, err)
	}
	return text, nil
}

func (e Encoding) mapping(value reflect.Value) yaml.MapSlice {
	var items yaml.MapSlice
	for _, f := range structFields(value) {
		if f.omitEmpty && isEmpty(f.value) {
			continue
		}
		if _, isSecret := f.value.Interface().(secret.String); isSecret && !e.Secrets {
			continue
		}
		items = append(items, yaml.MapItem{Key: f.key, Value: e.plain(f.value)})
	}
	return items
}

func isEmpty(value reflect.Value) bool {
	return value.IsZero() || (value.Kind() == reflect.Slice || value.Kind() == reflect.Map) && value.Len() == 0
}

// plain turns a value into what the YAML encoder writes without further rules.
func (e Encoding) plain(value reflect.Value) any {
	if s, ok := value.Interface().(secret.String); ok {
		return s.Reveal()
	}
	if text, ok := value.Interface().(encoding.TextMarshaler); ok {
		written, err := text.MarshalText()
		if err == nil {
			return string(written)
		}
	}
	switch value.Kind() {
	case reflect.Pointer:
		return e.plain(value.Elem())
	case reflect.Struct:
		return e.mapping(value)
	case reflect.Map:
		var items yaml.MapSlice
		for _, key := range slices.SortedFunc(slices.Values(value.MapKeys()), func(a, b reflect.Value) int { return strings.Compare(a.String(), b.String()) }) {
			items = append(items, yaml.MapItem{Key: key.String(), Value: e.plain(value.MapIndex(key))})
		}
		return items
	case reflect.Slice:
		list := make([]any, value.Len())
		for i := range list {
			list[i] = e.plain(value.Index(i))
		}
		return list
	case reflect.String:
		return value.String() // drops a named type, which the encoder need not know
	}
	return value.Interface()
}
