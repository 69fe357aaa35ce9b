package cstp

import (
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/wire/dtls"
)

// The constructors below make the fields of a table out of the place where the value lives.

// always is a header with a fixed value that nobody reads.
func always[T any](name, value string) field[T] {
	return field[T]{name,
		func(*T) []string { return []string{value} },
		func(*T, string) error { return nil },
	}
}

// text is a header with any value; it is left out when empty.
func text[T any](name string, at func(*T) *string) field[T] {
	return field[T]{name,
		func(v *T) []string { return unlessEmpty(*at(v)) },
		func(v *T, s string) error { *at(v) = s; return nil },
	}
}

// texts is a header that repeats.
func texts[T any](name string, at func(*T) *[]string) field[T] {
	return field[T]{name,
		func(v *T) []string { return *at(v) },
		func(v *T, s string) error { *at(v) = append(*at(v), s); return nil },
	}
}

// list is a header with several values in one line, in order of preference.
func list[T any](name, separator string, at func(*T) *[]string) field[T] {
	return field[T]{name,
		func(v *T) []string { return unlessEmpty(strings.Join(*at(v), separator)) },
		func(v *T, s string) error {
			for part := range strings.SplitSeq(s, separator) {
				if part = strings.TrimSpace(part); part != "" {
					*at(v) = append(*at(v), part)
				}
			}
			return nil
		},
	}
}

// flag is a header whose value is true or false; it is left out when false.
func flag[T any](name string, at func(*T) *bool) field[T] {
	return field[T]{name,
		func(v *T) []string {
			if *at(v) {
				return []string{"true"}
			}
			return nil
		},
		func(v *T, s string) error { *at(v) = strings.EqualFold(s, "true"); return nil },
	}
}

// statement is a flag that is written in both cases.
func statement[T any](name string, at func(*T) *bool) field[T] {
	f := flag(name, at)
	f.get = func(v *T) []string { return []string{strconv.FormatBool(*at(v))} }
	return f
}

// number is a header with a count of bytes or a port; it is left out when zero.
func number[T any](name string, at func(*T) *int) field[T] {
	return field[T]{name,
		func(v *T) []string {
			if *at(v) == 0 {
				return nil
			}
			return []string{strconv.Itoa(*at(v))}
		},
		func(v *T, s string) (err error) {
			if s == "" {
				return nil
			}
			n, err := strconv.ParseUint(s, 10, 16)
			if err != nil {
				return fmt.Errorf("%q is not a number up to 65535", s)
			}
			*at(v) = int(n)
			return nil
		},
	}
}

// maxSeconds is the longest time we read; it is far above every use and far below an overflow.
const maxSeconds = 1 << 31

// seconds is a header with a time; it is left out when zero.
func seconds[T any](name string, at func(*T) *time.Duration) field[T] {
	return field[T]{name,
		func(v *T) []string {
			if *at(v) == 0 {
				return nil
			}
			return []string{strconv.FormatInt(int64(*at(v)/time.Second), 10)}
		},
		func(v *T, s string) error {
			if s == "" || strings.EqualFold(s, "none") {
				*at(v) = 0
				return nil
			}
			n, err := strconv.ParseUint(s, 10, 64)
			if err != nil || n > maxSeconds {
				return fmt.Errorf("%q is not a number of seconds", s)
			}
			*at(v) = time.Duration(n) * time.Second
			return nil
		},
	}
}

// limit is a time that is written as "none" when zero.
func limit[T any](name string, at func(*T) *time.Duration) field[T] {
	f := seconds(name, at)
	get := f.get
	f.get = func(v *T) []string {
		if *at(v) == 0 {
			return []string{"none"}
		}
		return get(v)
	}
	return f
}

// address is a header with one IPv4 address. IPv6 stands here only in the form for clients that cannot
// say what they understand; such a line is kept among the others.
func address[T any](name string, at func(*T) *netip.Addr) field[T] {
	return field[T]{name,
		func(v *T) []string {
			if !at(v).IsValid() {
				return nil
			}
			return []string{at(v).String()}
		},
		func(v *T, s string) error {
			a, err := netip.ParseAddr(s)
			if err == nil && a.Is4() {
				*at(v) = a
				return nil
			}
			if strings.Contains(s, ":") {
				return errOther
			}
			return fmt.Errorf("%q is not an address", s)
		},
	}
}

// addresses is a header that repeats, with addresses of one family; an address of the other is read all the
// same. What is no address is skipped: one bad name server must not cost the tunnel.
func addresses[T any](name string, family func(netip.Addr) bool, at func(*T) *[]netip.Addr) field[T] {
	return field[T]{name,
		func(v *T) (lines []string) {
			for _, a := range *at(v) {
				if family(a) {
					lines = append(lines, a.String())
				}
			}
			return lines
		},
		func(v *T, s string) error {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return errOther
			}
			*at(v) = append(*at(v), a)
			return nil
		},
	}
}

// networks is a header that repeats: IPv4 networks as address/mask.
func networks[T any](name string, at func(*T) *[]netip.Prefix) field[T] {
	return networksOf(name, netip.Addr.Is4, networkText, parseNetwork, at)
}

// networks6 is a header that repeats: IPv6 networks as address/length.
func networks6[T any](name string, at func(*T) *[]netip.Prefix) field[T] {
	return networksOf(name, netip.Addr.Is6, netip.Prefix.String, parseNetwork6, at)
}

func networksOf[T any](name string, family func(netip.Addr) bool, text func(netip.Prefix) string, parse func(string) (netip.Prefix, error),
	at func(*T) *[]netip.Prefix) field[T] {
	return field[T]{name,
		func(v *T) (lines []string) {
			for _, p := range *at(v) {
				if family(p.Addr()) {
					lines = append(lines, text(p))
				}
			}
			return lines
		},
		func(v *T, s string) error {
			p, err := parse(s)
			if err != nil {
				return err
			}
			*at(v) = append(*at(v), p)
			return nil
		},
	}
}

func parseNetwork6(s string) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(s)
	if err != nil || !p.Addr().Is6() {
		return netip.Prefix{}, fmt.Errorf("%q is not an IPv6 network, want address/length", s)
	}
	return p, nil
}

func networkText(p netip.Prefix) string {
	return p.Addr().String() + "/" + maskOf(p.Bits()).String()
}

func parseNetwork(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil && p.Addr().Is4() {
		return p, nil
	}
	base, mask, _ := strings.Cut(s, "/")
	a, err := netip.ParseAddr(base)
	m, merr := netip.ParseAddr(mask)
	if err != nil || merr != nil || !a.Is4() {
		return netip.Prefix{}, fmt.Errorf("%q is not a network, want address/mask", s)
	}
	bits, err := maskBits(m)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a, bits), nil
}

// maskOf returns the IPv4 netmask with the given number of leading ones.
func maskOf(bits int) netip.Addr {
	m := ^uint32(0) << (32 - bits)
	return netip.AddrFrom4([4]byte{byte(m >> 24), byte(m >> 16), byte(m >> 8), byte(m)})
}

// maskBits is the inverse of maskOf.
func maskBits(mask netip.Addr) (int, error) {
	for bits := range 33 {
		if maskOf(bits) == mask {
			return bits, nil
		}
	}
	return 0, fmt.Errorf("%v is not a netmask", mask)
}

// escaped is text with percent escapes, so that it may hold line breaks.
func escaped[T any](name string, at func(*T) *string) field[T] {
	f := text(name, at)
	f.get = func(v *T) []string { return unlessEmpty(url.PathEscape(*at(v))) }
	f.set = func(v *T, s string) error {
		plain, err := url.PathUnescape(s)
		if err != nil {
			plain = s
		}
		*at(v) = plain
		return nil
	}
	return f
}

// suites is a list of suite names, under the header's own spelling.
func suites[T any](h dtls.Header, at func(*T) *[]string) field[T] {
	return list(h.String(), ":", at)
}

func unlessEmpty(s string) []string {
	if s == "" {
		return nil
	}
	return []string{s}
}
