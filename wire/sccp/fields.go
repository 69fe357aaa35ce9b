package sccp

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net/netip"
)

// mode is what is done with the fields that a layout names.
type mode int

const (
	reading mode = iota
	writing
	printing
)

// fields goes through the fields of a message in their order, and reads, writes or prints each. After the first
// error nothing more happens.
type fields struct {
	mode     mode
	version  Version
	b        []byte // what is read, what has been written, or the line
	at       int    // while reading: of the next field
	required int    // size of what must be there
	optional bool   // the next field may be missing, with all behind it
	err      error
}

// mayEnd says that older firmware sends nothing from here on.
func (f *fields) mayEnd() {
	if f.optional {
		return
	}
	f.optional, f.required = true, max(f.at, len(f.b))
}

// next returns the n bytes of the next field to read; nil: there are none.
func (f *fields) next(name string, n int) []byte {
	left := len(f.b) - f.at
	switch {
	case f.err != nil || left == 0 && f.optional:
		return nil
	case left < n:
		f.err = fmt.Errorf("%s at offset %d takes %d bytes, %d are left", name, f.at, n, left)
		return nil
	}
	f.at += n
	return f.b[f.at-n : f.at : f.at]
}

func (f *fields) print(name, format string, value any) {
	f.b = fmt.Appendf(f.b, " "+name+"="+format, value)
}

// raw is a body of which nothing is known.
func (f *fields) raw(v *[]byte) {
	if f.mode == writing {
		f.b = append(f.b, *v...)
	}
}

// skip is bytes that mean nothing. They are written as 0.
func (f *fields) skip(n int) {
	switch f.mode {
	case reading:
		f.next("padding", n)
	case writing:
		f.b = append(f.b, make([]byte, n)...)
	}
}

// blob is bytes of a fixed number.
func (f *fields) blob(name string, v []byte) {
	switch f.mode {
	case reading:
		copy(v, f.next(name, len(v)))
	case writing:
		f.b = append(f.b, v...)
	case printing:
		if len(bytes.Trim(v, "\x00")) > 0 {
			f.print(name, "%x", v)
		}
	}
}

func u32[T ~uint32](f *fields, name string, v *T) {
	switch f.mode {
	case reading:
		if b := f.next(name, 4); b != nil {
			*v = T(binary.LittleEndian.Uint32(b))
		}
	case writing:
		f.b = binary.LittleEndian.AppendUint32(f.b, uint32(*v))
	case printing:
		if *v != 0 {
			f.print(name, "%v", *v)
		}
	}
}

func u16[T ~uint16](f *fields, name string, v *T) {
	switch f.mode {
	case reading:
		if b := f.next(name, 2); b != nil {
			*v = T(binary.LittleEndian.Uint16(b))
		}
	case writing:
		f.b = binary.LittleEndian.AppendUint16(f.b, uint16(*v))
	case printing:
		if *v != 0 {
			f.print(name, "%v", *v)
		}
	}
}

func u8[T ~uint8](f *fields, name string, v *T) {
	switch f.mode {
	case reading:
		if b := f.next(name, 1); b != nil {
			*v = T(b[0])
		}
	case writing:
		f.b = append(f.b, byte(*v))
	case printing:
		if *v != 0 {
			f.print(name, "%v", *v)
		}
	}
}

// text is text in a field of a fixed width, closed by a zero byte. One that fills its field is read without its last
// byte, as a phone would show it.
func (f *fields) text(name string, v *string, width int) {
	switch f.mode {
	case reading:
		if b := f.next(name, width); b != nil {
			*v = upToZero(b[:width-1])
		}
	case writing:
		if len(*v) >= width {
			f.fail(fmt.Errorf("%s %q has %d bytes, at most %d have room", name, *v, len(*v), width-1))
			return
		}
		f.closed(name, *v)
		f.b = append(f.b, make([]byte, width-len(*v))...)
	case printing:
		f.quote(name, *v)
	}
}

// dynamic is text that ends with a zero byte, wherever that is.
func (f *fields) dynamic(name string, v *string) {
	switch f.mode {
	case reading:
		if f.err != nil || f.at == len(f.b) && f.optional {
			return
		}
		n := bytes.IndexByte(f.b[f.at:], 0)
		if n < 0 {
			f.fail(fmt.Errorf("%s at offset %d does not end", name, f.at))
			return
		}
		*v, f.at = string(f.b[f.at:f.at+n]), f.at+n+1
	case writing:
		f.closed(name, *v)
		f.b = append(f.b, 0)
	case printing:
		f.quote(name, *v)
	}
}

// closed writes text that is to be closed by a zero byte.
func (f *fields) closed(name, v string) {
	if bytes.IndexByte([]byte(v), 0) >= 0 {
		f.fail(fmt.Errorf("%s %q has a zero byte", name, v))
	}
	f.b = append(f.b, v...)
}

func (f *fields) quote(name, v string) {
	if v != "" {
		f.print(name, "%q", v)
	}
}

func (f *fields) fail(err error) {
	if f.err == nil {
		f.err = err
	}
}

func upToZero(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// number is a directory number.
func (f *fields) number(name string, v *string) {
	width := 24
	if f.version >= longNumbers {
		width = 25
	}
	f.text(name, v, width)
}

// ipv4 and ipv6 are addresses; none is all zeros.
func (f *fields) ipv4(name string, v *netip.Addr) {
	var b [4]byte
	if v.Is4() {
		b = v.As4()
	}
	f.address(name, v, b[:])
}

func (f *fields) ipv6(name string, v *netip.Addr) {
	var b [16]byte
	if v.IsValid() {
		b = v.As16()
	}
	f.address(name, v, b[:])
}

func (f *fields) address(name string, v *netip.Addr, b []byte) {
	if f.mode == printing {
		if v.IsValid() {
			f.print(name, "%v", *v)
		}
		return
	}
	f.blob(name, b)
	if f.mode == reading {
		if *v, _ = netip.AddrFromSlice(b); v.IsUnspecified() {
			*v = netip.Addr{}
		}
	}
}

// addr is an address of a kind that newer versions name.
func (f *fields) addr(name string, v *netip.Addr) {
	if f.version < dynamicLines || f.mode == printing {
		f.ipv4(name, v)
		return
	}
	kind := uint32(0)
	if v.Is6() {
		kind = 1
	}
	u32(f, name+" kind", &kind)
	if kind == 1 {
		f.ipv6(name, v)
		return
	}
	f.ipv4(name, v)
	f.skip(12)
}

// list is entries whose number is known.
func list[T any](f *fields, name string, v *[]T, n uint32, most int, entry func(*T)) {
	if f.mode == reading && f.err == nil {
		if n > uint32(most) {
			f.fail(fmt.Errorf("%d %s, at most %d are taken", n, name, most))
			return
		}
		*v = make([]T, n)
	}
	if f.mode == writing && len(*v) > most {
		f.fail(fmt.Errorf("%d %s, at most %d have room", len(*v), name, most))
		return
	}
	for i := range *v {
		if f.mode == printing {
			f.b = fmt.Appendf(f.b, " %s[%d]", name, i)
		}
		entry(&(*v)[i])
	}
}

// fill writes what phones expect behind the entries of a table that is not full.
func (f *fields) fill(n int, entry ...byte) {
	for range n {
		if f.mode == writing {
			f.b = append(f.b, entry...)
		}
	}
}
