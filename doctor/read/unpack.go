package read

import (
	"archive/tar"
	"archive/zip"
	"bufio"
	"bytes"
	"compress/bzip2"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
)

// Bounds of what is packed. A problem report of a phone is a tar.gz with some dozens of files, some of them packed.
const (
	maxDepth   = 5
	maxMembers = 2000
	// maxZip bounds a zip archive that does not come from a file: its table of contents stands at its end.
	maxZip = 64 << 20
)

// unpacking is one input while it and what is packed in it are read.
type unpacking struct {
	ctx     context.Context
	to      *fact.Collector
	options Options
	left    int64 // bytes that may still be read, at all depths together
	members int   // files that may still come out of archives
	read    int64 // of the input itself
	failed  error // the input itself cannot be read any further
}

var errLimit = errors.New("the limit is reached")

// metered counts and ends what is read.
type metered struct {
	u     *unpacking
	r     io.Reader
	outer bool // the input itself, not what comes out of it
}

func (m *metered) Read(p []byte) (int, error) {
	if err := m.u.ctx.Err(); err != nil {
		m.u.failed = err
		return 0, err
	}
	if m.u.left <= 0 {
		return 0, errLimit
	}
	if int64(len(p)) > m.u.left {
		p = p[:m.u.left]
	}
	n, err := m.r.Read(p)
	m.u.left -= int64(n)
	if !m.outer {
		return n, err
	}
	if err != nil && !errors.Is(err, io.EOF) {
		m.u.failed = err
	}
	const now = 1 << 20
	if before := m.u.read / now; m.u.options.Progress != nil && (m.u.read+int64(n))/now != before {
		m.u.options.Progress(m.u.read + int64(n))
	}
	m.u.read += int64(n)
	return n, err
}

// unpacker opens what is packed; whole is the reader below b, for formats that must be read from their end.
type unpacker func(u *unpacking, name string, b *bufio.Reader, whole io.Reader, depth int) error

// packing returns who opens what begins like this, or nil.
func packing(head []byte) unpacker {
	switch {
	case bytes.HasPrefix(head, []byte{0x1f, 0x8b, 8}):
		return (*unpacking).gzip
	case len(head) > 9 && bytes.HasPrefix(head, []byte("BZh")) && bytes.Equal(head[4:10], []byte{0x31, 0x41, 0x59, 0x26, 0x53, 0x59}):
		return (*unpacking).bzip2
	case bytes.HasPrefix(head, []byte("PK\x03\x04")):
		return (*unpacking).zip
	case len(head) > 262 && bytes.HasPrefix(head[257:], []byte("ustar")):
		return (*unpacking).tar
	}
	return nil
}

func (u *unpacking) gzip(name string, b *bufio.Reader, _ io.Reader, depth int) error {
	if depth == maxDepth {
		return u.tooDeep(name)
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return u.problem(u.to.Open(name), err)
	}
	return u.open(name, z, depth+1)
}

func (u *unpacking) bzip2(name string, b *bufio.Reader, _ io.Reader, depth int) error {
	if depth == maxDepth {
		return u.tooDeep(name)
	}
	return u.open(name, bzip2.NewReader(b), depth+1)
}

func (u *unpacking) tar(name string, b *bufio.Reader, _ io.Reader, depth int) error {
	if depth == maxDepth {
		return u.tooDeep(name)
	}
	for t := tar.NewReader(b); ; {
		header, err := t.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return u.problem(u.to.Open(name), fmt.Errorf("this archive is damaged, and was read up to there: %w", err))
		}
		if header.Typeflag != tar.TypeReg || header.Size == 0 {
			continue
		}
		if err := u.member(name, header.Name, t, depth); err != nil {
			return errorOrEnd(err)
		}
	}
}

func (u *unpacking) zip(name string, b *bufio.Reader, whole io.Reader, depth int) error {
	if depth == maxDepth {
		return u.tooDeep(name)
	}
	z, err := zipReader(b, whole, depth)
	if err != nil {
		return u.problem(u.to.Open(name), err)
	}
	for _, f := range z.File {
		if f.Name == "[Content_Types].xml" {
			u.to.Open(name).Source().Problem = "this is a document of an office program; save it as plain text and give that"
			return nil
		}
	}
	for _, f := range z.File {
		if !f.Mode().IsRegular() || f.UncompressedSize64 == 0 {
			continue
		}
		if f.Flags&1 != 0 {
			u.to.Open(path.Join(name, f.Name)).Partly("this is encrypted; unpack it and give what comes out")
			continue
		}
		r, err := f.Open()
		if err != nil {
			u.to.Open(path.Join(name, f.Name)).Source().Problem = err.Error()
			continue
		}
		err = u.member(name, f.Name, r, depth)
		r.Close() // says again what was wrong with the content
		if err != nil {
			return errorOrEnd(err)
		}
	}
	return nil
}

// zipReader opens a zip archive: a file where it lies, anything else in memory.
func zipReader(b *bufio.Reader, whole io.Reader, depth int) (*zip.Reader, error) {
	if file, ok := whole.(*os.File); ok && depth == 0 {
		if info, err := file.Stat(); err == nil && info.Mode().IsRegular() {
			return zip.NewReader(file, info.Size())
		}
	}
	all, err := io.ReadAll(io.LimitReader(b, maxZip+1))
	if err != nil {
		return nil, err
	}
	if len(all) > maxZip {
		return nil, fmt.Errorf("a zip archive in a stream is opened up to %d MB; unpack it and give what comes out", maxZip>>20)
	}
	return zip.NewReader(bytes.NewReader(all), int64(len(all)))
}

var errEnough = errors.New("enough files")

// errorOrEnd is the error of a member as the one of its archive.
func errorOrEnd(err error) error {
	if errors.Is(err, errEnough) {
		return nil
	}
	return err
}

func (u *unpacking) member(archive, name string, r io.Reader, depth int) error {
	full := archive + "/" + strings.TrimLeft(path.Clean("/"+name), "/")
	if u.members == 0 {
		u.to.Open(archive).Partly(fmt.Sprintf("it holds more than %d files; the rest was not read", maxMembers))
		return errEnough
	}
	u.members--
	return u.open(full, r, depth+1)
}

func (u *unpacking) tooDeep(name string) error {
	u.to.Open(name).Partly(fmt.Sprintf("it is packed more than %d times; unpack it and give what comes out", maxDepth))
	return nil
}
