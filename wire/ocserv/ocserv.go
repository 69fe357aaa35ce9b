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
		if len(raw) > maxLine {
			return nil, fmt.Errorf("ocserv: line %d has %d bytes; at most %d are read", number, len(raw), maxLine)
		}
		s, err := ParseLine(string(raw))
		if err != nil {
			return nil, fmt.Errorf("ocserv: line %d %w", number, err)
		}
		switch {
		case s.VHost != "":
			vhost = s.VHost
		case s.Key != "":
			s.Line, s.VHost = number, vhost
			c.Settings = append(c.Settings, s)
		}
	}
	return c, nil
}

var (
	errNoSection = errors.New("is a section that is no [vhost:name]")
	errNoSetting = errors.New("is no key = value")
)

// ParseLine reads one line alone, as who reads a mixture of texts does: a setting, or the vhost whose settings begin,
// or nothing of both in a comment and an empty line. The number of the line is not known to it.
func ParseLine(text string) (Setting, error) {
	line := strings.TrimSpace(text)
	switch {
	case line == "" || line[0] == '#':
		return Setting{}, nil
	case line[0] == '[':
		name, closed := strings.CutSuffix(line[1:], "]")
		host, ok := strings.CutPrefix(name, "vhost:")
		if !closed || !ok || host == "" {
			return Setting{}, errNoSection
		}
		return Setting{VHost: host}, nil
	}
	key, value, ok := strings.Cut(line, "=")
	key = strings.TrimSpace(key)
	if !ok || key == "" || strings.ContainsAny(key, " \t") {
		return Setting{}, errNoSetting
	}
	return Setting{Key: key, Value: unquoted(strings.TrimSpace(value))}, nil
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
