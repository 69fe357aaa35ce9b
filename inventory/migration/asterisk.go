package migration

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/wire/asterisk"
)

// Asterisk makes lines of Asterisk's extensions, with their secrets: sip.conf, pjsip.conf, sccp.conf with
// what they include, and lists of extensions that FreePBX exports as CSV. Phones of sccp.conf become
// devices.
func Asterisk(sources []Source) (Result, error) {
	m := &asteriskMigration{builder: newBuilder(), sources: sources, read: map[string]bool{}}
	included := m.included()
	for _, s := range sources {
		switch base := strings.ToLower(baseName(s.Name)); {
		case strings.HasSuffix(base, ".csv"):
			if err := m.table(s); err != nil {
				return Result{}, err
			}
		case strings.HasSuffix(base, ".conf") || len(sources) == 1:
			if included[baseName(s.Name)] {
				continue // it is read where it is included
			}
			if err := m.configuration(s); err != nil {
				return Result{}, err
			}
		default:
			m.remark(Other, position{file: s.Name, text: baseName(s.Name)}, "neither a .conf nor a .csv file")
		}
	}
	for _, d := range m.devices {
		m.device(d)
	}
	if len(m.set.Lines)+len(m.set.Devices) == 0 {
		return Result{}, errors.New("no extension was found: give sip.conf, pjsip.conf or sccp.conf with what they include, or FreePBX's list of extensions as CSV")
	}
	return m.result(), nil
}

type asteriskMigration struct {
	*builder
	sources []Source
	read    map[string]bool
	devices []*asterisk.Section
}

var includes = regexp.MustCompile(`(?m)^\s*#(?:try)?include\s+["<]?([^">\s]+)`)

// included are the names of files that others include.
func (m *asteriskMigration) included() map[string]bool {
	names := map[string]bool{}
	for _, s := range m.sources {
		for _, found := range includes.FindAllSubmatch(s.Content, -1) {
			if name := baseName(string(found[1])); name != baseName(s.Name) {
				names[name] = true
			}
		}
	}
	return names
}

// find returns the source of an included file by its name alone: folders differ from machine to machine.
func (m *asteriskMigration) find(name string) (string, []byte, bool) {
	for _, s := range m.sources {
		if baseName(s.Name) == baseName(name) {
			return s.Name, s.Content, true
		}
	}
	return "", nil, false
}

func (m *asteriskMigration) configuration(s Source) error {
	file, err := asterisk.Read(s.Name, s.Content, m.find)
	if err != nil {
		return err
	}
	for _, r := range file.Remarks {
		m.remark(Lost, position{r.File, r.Line, r.Text}, "%s", r.Says)
	}
	for _, section := range file.Sections {
		if !section.Template {
			m.section(file, section)
		}
	}
	return nil
}

func (m *asteriskMigration) at(s *asterisk.Section) position {
	return position{s.File, s.Line, "[" + s.Name + "]"}
}

// section takes one that is an extension or a phone.
func (m *asteriskMigration) section(file *asterisk.File, s *asterisk.Section) {
	kind, _ := s.Get("type")
	switch kind {
	case "friend", "peer", "user":
		m.peer(s)
	case "endpoint":
		m.endpoint(file, s)
	case "wizard":
		m.extension(s, first(s, "inbound_auth/username", ""), first(s, "inbound_auth/password", ""), first(s, "endpoint/callerid", ""), "")
	case "line":
		m.add(&inventory.Line{Name: s.Name, DisplayName: cmpText(first(s, "cid_name", ""), first(s, "label", ""), first(s, "description", ""))}, m.at(s))
	case "device":
		m.devices = append(m.devices, s)
	case "auth", "aor":
		// endpoint takes them
	default:
		m.remark(Other, m.at(s), "")
	}
}

func first(s *asterisk.Section, key, otherwise string) string {
	if value, ok := s.Get(key); ok {
		return value
	}
	return otherwise
}

func cmpText(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// peer takes a section of sip.conf. One with a host of its own is a trunk.
func (m *asteriskMigration) peer(s *asterisk.Section) {
	if host := first(s, "host", "dynamic"); host != "dynamic" {
		m.remark(Lost, m.at(s), "is a trunk to %s, or a phone at a fixed address; neither registers", host)
		return
	}
	m.extension(s, cmpText(first(s, "defaultuser", ""), first(s, "username", "")), first(s, "secret", ""), first(s, "callerid", ""), first(s, "md5secret", ""))
}

// endpoint takes a section of pjsip.conf with the auth that it names.
func (m *asteriskMigration) endpoint(file *asterisk.File, s *asterisk.Section) {
	name, _, _ := strings.Cut(first(s, "auth", ""), ",")
	i := slices.IndexFunc(file.Sections, func(a *asterisk.Section) bool {
		kind, _ := a.Get("type")
		return a.Name == name && kind == "auth"
	})
	if i < 0 {
		m.remark(Lost, m.at(s), "is a trunk, or an endpoint without auth; phones register with a password")
		return
	}
	auth := file.Sections[i]
	m.extension(s, first(auth, "username", ""), first(auth, "password", ""), first(s, "callerid", ""), first(auth, "md5_cred", ""))
}

// extension declares a line.
func (m *asteriskMigration) extension(s *asterisk.Section, user, password, callerID, md5 string) {
	at := m.at(s)
	switch {
	case password == "" && md5 != "":
		m.remark(Lost, at, "its secret is kept as a hash for Asterisk's own realm: give the line a new one, and its phone too")
	case password == "":
		m.remark(Lost, at, "has no secret; a line without one cannot register")
	}
	if user != "" && user != s.Name {
		m.remark(Lost, at, "logs in as %q; lines log in by their number here", user)
	}
	m.add(&inventory.Line{Name: s.Name, DisplayName: displayName(callerID), Secret: secret.New(password)}, at)
}

// displayName is the name in "Name" <number>.
func displayName(callerID string) string {
	name, _, _ := strings.Cut(callerID, "<")
	return strings.Trim(strings.TrimSpace(name), `"`)
}

// device declares a phone of sccp.conf.
func (m *asteriskMigration) device(s *asterisk.Section) {
	at := m.at(s)
	model, known := inventory.ModelByName(first(s, "devicetype", ""))
	if !known {
		m.remark(Lost, at, "devicetype %q is no model known here", first(s, "devicetype", ""))
		return
	}
	d := &inventory.Device{Name: strings.ToUpper(s.Name), Model: model.Name, Protocol: inventory.SCCP, Description: first(s, "description", ""), Load: first(s, "imageversion", "")}
	for _, each := range s.Settings {
		if !strings.EqualFold(each.Key, "button") {
			continue
		}
		kind, rest, _ := strings.Cut(each.Value, ",")
		number, _, _ := strings.Cut(strings.TrimSpace(rest), ",")
		number, _, _ = strings.Cut(number, "@")
		if strings.TrimSpace(kind) != "line" {
			m.remark(Lost, position{each.File, each.Line, "button = " + each.Value}, "only lines are carried over")
			continue
		}
		if number = strings.TrimSuffix(strings.TrimSpace(number), "!"); !slices.Contains(d.Lines, number) {
			d.Lines = append(d.Lines, number)
		}
	}
	m.add(d, at)
}

// maxRows bounds a table that is read.
const maxRows = 100_000

// table takes FreePBX's list of extensions. Its columns are found by their names.
func (m *asteriskMigration) table(s Source) error {
	rows := csv.NewReader(bytes.NewReader(s.Content))
	rows.FieldsPerRecord, rows.LazyQuotes = -1, true
	head, err := rows.Read()
	if err != nil {
		return fmt.Errorf("%s: %w", s.Name, err)
	}
	columns := columnsOf(head)
	if _, ok := columns["extension"]; !ok {
		return fmt.Errorf("%s: the first line names no column extension: give FreePBX's list of extensions with its headings", s.Name)
	}
	for n := 0; n < maxRows; n++ {
		row, err := rows.Read()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", s.Name, err)
		}
		m.row(s.Name, rows, columns, row)
	}
	return fmt.Errorf("%s: has more than %d rows", s.Name, maxRows)
}

func (m *asteriskMigration) row(name string, rows *csv.Reader, columns map[string]int, row []string) {
	line, _ := rows.FieldPos(0)
	extension := cell(columns, row, "extension")
	at := position{name, line, extension}
	if extension == "" {
		return
	}
	password := cell(columns, row, "secret", "sipsecret", "devinfo_secret")
	if password == "" {
		m.remark(Lost, at, "has no secret in the list; a line without one cannot register")
	}
	m.add(&inventory.Line{Name: extension, DisplayName: cell(columns, row, "name", "description"), Secret: secret.New(password)}, at)
}

// columnsOf returns where columns are, by their names without case and with single spaces.
func columnsOf(head []string) map[string]int {
	columns := map[string]int{}
	for i, name := range head {
		name = strings.ToLower(strings.Join(strings.Fields(strings.TrimPrefix(name, "\ufeff")), " "))
		if _, there := columns[name]; !there {
			columns[name] = i
		}
	}
	return columns
}

// cell returns what stands in the first of some columns that holds something.
func cell(columns map[string]int, row []string, names ...string) string {
	for _, name := range names {
		if i, ok := columns[name]; ok && i < len(row) && strings.TrimSpace(row[i]) != "" {
			return strings.TrimSpace(row[i])
		}
	}
	return ""
}
