package tftp

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Names of the options that mean something here. Others are kept and not agreed to.
const (
	OptBlksize    = "blksize"    // bytes of a block
	OptTsize      = "tsize"      // bytes of the file; 0 in a read request asks for it
	OptTimeout    = "timeout"    // seconds until a packet is sent again
	OptWindowsize = "windowsize" // blocks until one is acknowledged
)

// Limits of the options' values.
const (
	MinBlksize     = 8
	MaxBlksize     = 65464
	DefaultBlksize = 512 // when blksize is not negotiated
	MinTimeout     = 1 * time.Second
	MaxTimeout     = 255 * time.Second
	MaxWindowsize  = 65535
)

// Option is one option as it stands in a packet.
type Option struct {
	Name, Value string
}

// Options are a packet's options in order.
type Options []Option

// Get returns the value of the first option with this name, without regard to case.
func (o Options) Get(name string) (string, bool) {
	for _, option := range o {
		if strings.EqualFold(option.Name, name) {
			return option.Value, true
		}
	}
	return "", false
}

// Blksize returns the block size in bytes. It is false when the option is absent or no number from
// MinBlksize to MaxBlksize.
func (o Options) Blksize() (int, bool) {
	n, ok := o.number(OptBlksize, MinBlksize, MaxBlksize)
	return int(n), ok
}

// Tsize returns the file's size in bytes, false when absent or not a number.
func (o Options) Tsize() (int64, bool) { return o.number(OptTsize, 0, 1<<62) }

// Timeout returns the time after which a packet is sent again, false when absent or out of bounds.
func (o Options) Timeout() (time.Duration, bool) {
	n, ok := o.number(OptTimeout, int64(MinTimeout/time.Second), int64(MaxTimeout/time.Second))
	return time.Duration(n) * time.Second, ok
}

// Windowsize returns how many blocks are acknowledged at once, false when absent or no number from 1 to
// MaxWindowsize.
func (o Options) Windowsize() (int, bool) {
	n, ok := o.number(OptWindowsize, 1, MaxWindowsize)
	return int(n), ok
}

func (o Options) number(name string, low, high int64) (int64, bool) {
	value, ok := o.Get(name)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(value, 10, 64)
	if err != nil || n < low || n > high {
		return 0, false
	}
	return n, true
}

// Number returns an option with a number for its value.
func Number(name string, value int64) Option {
	return Option{Name: name, Value: strconv.FormatInt(value, 10)}
}

// String writes the options as " name=value", one after the other.
func (o Options) String() string {
	var s strings.Builder
	for _, option := range o {
		fmt.Fprintf(&s, " %s=%s", option.Name, option.Value)
	}
	return s.String()
}

func (o Options) appendBinary(b []byte) ([]byte, error) {
	var err error
	for _, option := range o {
		if option.Name == "" {
			return nil, fmt.Errorf("tftp: option without a name")
		}
		if b, err = appendTexts(b, option.Name, option.Value); err != nil {
			return nil, err
		}
	}
	return b, nil
}

func parseOptions(b []byte, at int) (Options, error) {
	var options Options
	for at < len(b) {
		name, next, err := text(b, at, "option")
		if err != nil {
			return nil, err
		}
		if name == "" {
			return nil, fmt.Errorf("tftp: option at offset %d has no name", at)
		}
		value, next, err := text(b, next, "value of option "+strconv.Quote(name))
		if err != nil {
			return nil, err
		}
		options, at = append(options, Option{Name: name, Value: value}), next
	}
	return options, nil
}
