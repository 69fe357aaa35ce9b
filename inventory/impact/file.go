package impact

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"maps"
	"slices"

	"github.com/longcord/longcord/inventory"
)

// maxElements bounds how many changed elements are named.
const maxElements = 40

// fileChanges returns the elements of a device's file that change, without their values, of which some are
// secret.
func (j judge) fileChanges(was, will *inventory.Device) []string {
	if will == nil {
		return nil
	}
	now, then := j.elements(j.before, was), j.elements(j.after, will)
	changed := map[string]bool{}
	for path, value := range now {
		if other, ok := then[path]; !ok || other != value {
			changed[path] = true
		}
	}
	for path := range then {
		if _, ok := now[path]; !ok {
			changed[path] = true
		}
	}
	names := slices.Sorted(maps.Keys(changed))
	if len(names) > maxElements {
		names = append(names[:maxElements], "…")
	}
	return names
}

// elements returns the values of a file by the path of their element; of several of one name the second
// is counted as name[2].
func (j judge) elements(set *inventory.Set, device *inventory.Device) map[string]string {
	values := map[string]string{}
	file, err := j.facts.File(set, device)
	if err != nil {
		return values
	}
	content, err := file.Bytes()
	if err != nil {
		return values
	}
	decoder := xml.NewDecoder(bytes.NewReader(content))
	counts := []map[string]int{{}}
	path := []string{""}
	for {
		token, err := decoder.RawToken()
		if err != nil {
			return values
		}
		switch token := token.(type) {
		case xml.StartElement:
			name := token.Name.Local
			counts[len(counts)-1][name]++
			if n := counts[len(counts)-1][name]; n > 1 {
				name = fmt.Sprintf("%s[%d]", name, n)
			}
			switch above := path[len(path)-1]; {
			case len(path) > 2:
				name = above + "/" + name
			}
			path, counts = append(path, name), append(counts, map[string]int{})
			for _, a := range token.Attr {
				values[name+"@"+a.Name.Local] = a.Value
			}
		case xml.EndElement:
			path, counts = path[:len(path)-1], counts[:len(counts)-1]
		case xml.CharData:
			if text := string(bytes.TrimSpace(token)); text != "" && path[len(path)-1] != "versionStamp" {
				values[path[len(path)-1]] += text
			}
		}
	}
}
