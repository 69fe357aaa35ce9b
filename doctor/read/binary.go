package read

import (
	"bufio"
	"bytes"
	"context"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Binary knows a format that is not text, by how it begins. Add one by declaring it in a file of its own:
// var _ = recogniseBinary(Binary{…}).
type Binary struct {
	Format   string                 // in words for people, such as "recording of packets"
	Platform finding.Platform       // whose equipment writes it; empty: cannot be told from the format
	Is       func(head []byte) bool // head is the first headSize bytes, or all there are
	// Read reads r as far as it needs, in bounded memory. What is wrong with the content it notes in the source; an
	// error is for r and ctx.
	Read func(ctx context.Context, in *fact.Input, r *bufio.Reader, o Options) error
}

var binaries []Binary

func recogniseBinary(b Binary) struct{} {
	binaries = append(binaries, b)
	return struct{}{}
}

func binaryOf(head []byte) (Binary, bool) {
	for _, b := range binaries {
		if b.Is(head) {
			return b, true
		}
	}
	return Binary{}, false
}

// What people send by mistake, by its first bytes, and what to do instead.
var mistakes = []struct{ magic, says string }{
	{"\x7fELF", "this is a program for Linux"},
	{"MZ", "this is a program for Windows"},
	{"%PDF", "this is a PDF document; copy its text into a file and give that"},
	{"\x89PNG\r\n\x1a\n", "this is a picture (PNG); type the words in it into a file and give that"},
	{"\xff\xd8\xff", "this is a picture (JPEG); type the words in it into a file and give that"},
	{"GIF8", "this is a picture (GIF); type the words in it into a file and give that"},
	{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "this is a document of an office program; save it as plain text and give that"},
	{"{\\rtf", "this is a document of an office program; save it as plain text and give that"},
	{"\xfd7zXZ\x00", "this is packed with xz; unpack it with `xz -d` and give what comes out"},
	{"\x28\xb5\x2f\xfd", "this is packed with zstd; unpack it with `zstd -d` and give what comes out"},
	{"7z\xbc\xaf\x27\x1c", "this is packed with 7-Zip; unpack it and give what comes out"},
	{"Rar!\x1a\x07", "this is packed with RAR; unpack it and give what comes out"},
	{"Salted__", "this is encrypted; decrypt it and give what comes out"},
	{"SQLite format 3\x00", "this is a database (SQLite)"},
	{"-----BEGIN PGP MESSAGE-----", "this is encrypted; decrypt it and give what comes out"},
}

// foreign says what an input is that is no text and that nobody reads, or nothing.
func foreign(head []byte) string {
	for _, m := range mistakes {
		if bytes.HasPrefix(head, []byte(m.magic)) && (m.magic != "MZ" || bytes.IndexByte(head, 0) >= 0) {
			return m.says
		}
	}
	if utf16Order(head) != nil {
		return ""
	}
	odd := 0
	for _, c := range head {
		if c < ' ' && c != 0 && c != '\t' && c != '\n' && c != '\r' && c != 0x1b && c != '\b' && c != '\a' && c != '\f' {
			odd++
		}
	}
	zeros := bytes.Count(head, []byte{0})
	// Text has next to no control characters; random bytes have a tenth of them, tables of numbers many zeros.
	if len(head) > 0 && (odd*33 > len(head)-zeros || zeros*4 > len(head) && odd > 0) {
		return "this is neither text nor anything binary that is known here"
	}
	return ""
}
