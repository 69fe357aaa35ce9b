// Package ocserv reads ocserv's configuration: ocserv.conf, and the files of single users and groups, which
// have the same form.
//
//	key = value        # spaces do not matter; quotes around a value are taken away
//	[vhost:name]       a section of another host; settings before the first are of all
//
// It says what stands there. What a setting means is for others to know. Sources:
// docs/wire/foreign-settings.md#ocservconf.
package ocserv

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
)

// Limits of a file that is read.
const (
	MaxSize = 4 << 20 // bytes
	maxLine = 16 << 10
)

// Setting is one line.
type Setting struct {
	Line       int // 1-based
	VHost      string
	Key, Value string
}

// Configuration is a file of settings, in its order.
type Configuration struct{ Settings []Setting }

// Parse reads a file. A line that is no setting is refused with its number.
func Parse(text []byte) (*Configuration, error) {
	switch {
	case len(text) > MaxSize:
		return nil, fmt.Errorf("ocserv: has %d bytes; at most %d are read", len(text), MaxSize)
	case bytes.IndexByte(text, 0) >= 0:
		return nil, errors.New("ocserv: is not text")
	}
	c := new(Configuration)
	number, vhost := 0, ""
	for raw := range bytes.Lines(text) {
		number++
		line := strings.TrimSpace(string(raw))
		switch {
		case len(raw) > maxLine:
			return nil, fmt.Errorf("ocserv: line %d has %d bytes; at most %d are read", number, len(raw), maxLine)
		case line == "" || line[0] == '#':
			continue
		case line[0] == '[':
			name, closed := strings.CutSuffix(line[1:], "]")
			host, ok := strings.CutPrefix(name, "vhost:")
			if vhost = host; !closed || !ok {
				return nil, fmt.Errorf("ocserv: line %d: a section that is no [vhost:name]", number)
			}
			continue
		}
		key, value, ok := strings.Cut(line, "=")
		key = strings.TrimSpace(key)
		if !ok || key == "" || strings.ContainsAny(key, " \t") {
			return nil, fmt.Errorf("ocserv: line %d is no key = value", number)
		}
		c.Settings = append(c.Settings, Setting{Line: number, VHost: vhost, Key: key, Value: unquoted(strings.TrimSpace(value))})
	}
	return c, nil
}

func unquoted(value string) string {
	if len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"' {
		return value[1 : len(value)-1]
	}
	return value
}

// Get returns the last value of a key outside of all sections, and whether there is one.
func (c *Configuration) Get(key string) (value string, found bool) {
	for _, s := range c.Settings {
		if s.Key == key && s.VHost == "" {
			value, found = s.Value, true
		}
	}
	return value, found
}
