package strictyaml

import (
	"encoding"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/goccy/go-yaml/ast"

	"github.com/longcord/longcord/internal/nearest"
)

// Decode fills the struct that into points at, by its json tags. Keys named in except are passed over.
// It returns every problem it meets, as Problems, and fills what it can.
func (d *Document) Decode(into any, except ...string) error {
	fields := slices.DeleteFunc(slices.Clone(d.fields), func(f field) bool { return slices.Contains(except, f.key) })
	return d.source.fill(reflect.ValueOf(into).Elem(), fields).OrNil()
}

// fill sets the fields of a struct.
func (s *source) fill(target reflect.Value, fields []field) Problems {
	var problems Problems
	known := structFields(target)
	for _, f := range fields {
		value, ok := known.find(f.key)
		if !ok {
			problems = append(problems, s.problem(f.line, known.hint(f.key), "%q is not a key here", f.key))
			continue
		}
		problems = append(problems, s.set(value, f.key, f.line, f.value)...)
	}
	return problems
}

// set gives one value to one variable.
func (s *source) set(target reflect.Value, key string, line int, node ast.Node) Problems {
	if _, null := node.(*ast.NullNode); null {
		return nil // "key:" with nothing behind it is the same as leaving it out
	}
	if target.Kind() == reflect.Pointer {
		target.Set(reflect.New(target.Type().Elem()))
		return s.set(target.Elem(), key, line, node)
	}
	if text, ok := target.Addr().Interface().(encoding.TextUnmarshaler); ok {
		return s.setText(text, key, line, node)
	}
	switch target.Kind() {
	case reflect.Struct:
		fields, problems := s.mapping(node)
		return append(problems, s.fill(target, fields)...)
	case reflect.Slice:
		return s.setSlice(target, key, line, node)
	case reflect.Map:
		return s.setMap(target, node)
	}
	return s.setPlain(target, key, line, node)
}

func (s *source) setText(target encoding.TextUnmarshaler, key string, line int, node ast.Node) Problems {
	text, ok := scalar(node)
	if !ok {
		return Problems{s.problem(line, "", "%s has %s where one value is expected", key, describe(node))}
	}
	if err := target.UnmarshalText([]byte(text)); err != nil {
		return Problems{s.problem(line, "", "%s: %v", key, err)}
	}
	return nil
}

func (s *source) setSlice(target reflect.Value, key string, line int, node ast.Node) Problems {
	list, ok := node.(*ast.SequenceNode)
	if !ok {
		return Problems{s.problem(line, fmt.Sprintf("write %s: [first, second], or one \"- value\" a line below it", key),
			"%s has %s where a list is expected", key, describe(node))}
	}
	var problems Problems
	target.Set(reflect.MakeSlice(target.Type(), len(list.Values), len(list.Values)))
	for i, node := range list.Values {
		problems = append(problems, s.set(target.Index(i), key, lineOf(node), node)...)
	}
	return problems
}

// setMap fills a map with plain text for keys: what the keys may be is for others to say.
func (s *source) setMap(target reflect.Value, node ast.Node) Problems {
	fields, problems := s.mapping(node)
	target.Set(reflect.MakeMap(target.Type()))
	for _, f := range fields {
		value := reflect.New(target.Type().Elem()).Elem()
		problems = append(problems, s.set(value, f.key, f.line, f.value)...)
		target.SetMapIndex(reflect.ValueOf(f.key).Convert(target.Type().Key()), value)
	}
	return problems
}

func (s *source) setPlain(target reflect.Value, key string, line int, node ast.Node) Problems {
	text, ok := scalar(node)
	if !ok {
		return Problems{s.problem(line, "", "%s has %s where one value is expected", key, describe(node))}
	}
	switch target.Kind() {
	case reflect.String:
		target.SetString(text)
	case reflect.Bool:
		value, err := strconv.ParseBool(text)
		if _, isBool := node.(*ast.BoolNode); !isBool || err != nil {
			return Problems{s.problem(line, "write true or false", "%s: %q is neither true nor false", key, text)}
		}
		target.SetBool(value)
	case reflect.Int, reflect.Int64:
		value, err := strconv.ParseInt(text, 10, target.Type().Bits())
		if err != nil {
			return Problems{s.problem(line, "", "%s: %q is no whole number", key, text)}
		}
		target.SetInt(value)
	case reflect.Uint16:
		value, err := strconv.ParseUint(text, 10, 16)
		if err != nil {
			return Problems{s.problem(line, "", "%s: %q is no whole number from 0 to 65535", key, text)}
		}
		target.SetUint(value)
	default:
		panic(fmt.Sprintf("strictyaml: no reading into %s", target.Type()))
	}
	return nil
}

// named is a struct's field under its key.
type named struct {
	key       string
	value     reflect.Value
	omitEmpty bool
}

type namedFields []named

// structFields lists a struct's fields by their json keys; embedded structs' fields stand among them.
func structFields(value reflect.Value) namedFields {
	var all namedFields
	for i := range value.NumField() {
		f := value.Type().Field(i)
		if f.Anonymous {
			all = append(all, structFields(value.Field(i))...)
			continue
		}
		key, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		if key == "-" || key == "" {
			continue
		}
		all = append(all, named{key: key, value: value.Field(i), omitEmpty: strings.Contains(options, "omit")})
	}
	return all
}

func (all namedFields) find(key string) (reflect.Value, bool) {
	for _, f := range all {
		if f.key == key {
			return f.value, true
		}
	}
	return reflect.Value{}, false
}

func (all namedFields) hint(key string) string {
	keys := make([]string, len(all))
	for i, f := range all {
		keys[i] = f.key
	}
	if near := nearest.Word(key, keys); near != "" {
		return fmt.Sprintf("did you mean %q?", near)
	}
	return "the keys are: " + strings.Join(keys, ", ")
}
