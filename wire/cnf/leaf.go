package cnf

import (
	"bytes"
	"encoding/xml"
	"io"
	"strings"
)

// Leaf is an element that holds text alone.
type Leaf struct {
	Path string // of the elements from the root, such as device/vpnGroup/mtu
	Text string // as it stands, spaces included
	Line int    // 1-based, of its end
}

// maxDepth bounds how deep elements may lie within each other. Phones' files have nine.
const maxDepth = 32

// Leaves returns what a file or a part of one holds, in its order, for people who have to be told where something
// stands. It forgives what phones would not: missing ends, several roots, values of the wrong kind. After the first
// place that is no XML at all nothing more is read; the error says what is wrong there, and what came before counts.
func Leaves(b []byte) ([]Leaf, error) {
	var (
		leaves []Leaf
		path   []string
		text   strings.Builder
		leaf   bool // the last token began an element
	)
	decoder := xml.NewDecoder(bytes.NewReader(b))
	decoder.Strict = false
	decoder.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	for {
		token, err := decoder.RawToken()
		if err == io.EOF {
			return leaves, nil
		}
		if err != nil {
			return leaves, err
		}
		switch t := token.(type) {
		case xml.StartElement:
			if len(path) < maxDepth {
				path = append(path, t.Name.Local)
			}
			text.Reset()
			leaf = true
		case xml.CharData:
			text.Write(t)
		case xml.EndElement:
			at := lastIndex(path, t.Name.Local)
			if at < 0 {
				leaf = false
				continue // the end of what has not begun
			}
			if leaf && at == len(path)-1 {
				line, _ := decoder.InputPos()
				leaves = append(leaves, Leaf{strings.Join(path, "/"), text.String(), line})
			}
			path, leaf = path[:at], false
		}
	}
}

func lastIndex(path []string, name string) int {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == name {
			return i
		}
	}
	return -1
}
