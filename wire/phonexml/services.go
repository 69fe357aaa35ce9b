package phonexml

import "fmt"

// Page is what every object of a phone service has.
type Page struct {
	Title    string       `xml:"Title,omitempty"`
	Prompt   string       `xml:"Prompt,omitempty"`
	SoftKeys []ServiceKey `xml:"SoftKeyItem"`
}

// ServiceKey is a soft key of a service's page.
type ServiceKey struct {
	Name     string `xml:"Name"`
	URL      string `xml:"URL"`
	Position Number `xml:"Position"`
	Rest
}

// Menu is a list of things to open.
type Menu struct {
	Page
	Items []MenuItem `xml:"MenuItem"`
	Rest
}

// MenuItem is one of them.
type MenuItem struct {
	Name string `xml:"Name"`
	URL  string `xml:"URL"`
	Rest
}

// Text is a page to read.
type Text struct {
	Page
	Text string `xml:"Text"`
	Rest
}

// Directory is a list of numbers to dial.
type Directory struct {
	Page
	Entries []DirectoryEntry `xml:"DirectoryEntry"`
	Rest
}

// DirectoryEntry is one number.
type DirectoryEntry struct {
	Name      string `xml:"Name"`
	Telephone string `xml:"Telephone"`
	Rest
}

// Input is a form.
type Input struct {
	Page
	URL   string      `xml:"URL"`
	Items []InputItem `xml:"InputItem"`
	Rest
}

// InputItem is one field of a form.
type InputItem struct {
	DisplayName string `xml:"DisplayName"`
	Parameter   string `xml:"QueryStringParam"`
	Flags       string `xml:"InputFlags"` // A text, T telephone number, N number, E equation, U upper case, L lower case, and P for passwords
	Default     string `xml:"DefaultValue,omitempty"`
	Rest
}

// Execute makes a phone do things: Key:Services, Dial:1001, Init:Services, http://….
type Execute struct {
	Items []ExecuteItem `xml:"ExecuteItem"`
	Rest
}

// ExecuteItem is one of them.
type ExecuteItem struct {
	URL      string  `xml:"URL,attr"`
	Priority *Number `xml:"Priority,attr,omitempty"` // 0 now, 1 when idle, 2 only if idle
	Rest
}

// Failure is CiscoIPPhoneError, what a phone answers when it cannot do what it was told.
type Failure struct {
	Number Number `xml:"Number,attr"`
	Rest
}

func (*Menu) root() string      { return "CiscoIPPhoneMenu" }
func (*Text) root() string      { return "CiscoIPPhoneText" }
func (*Directory) root() string { return "CiscoIPPhoneDirectory" }
func (*Input) root() string     { return "CiscoIPPhoneInput" }
func (*Execute) root() string   { return "CiscoIPPhoneExecute" }
func (*Failure) root() string   { return "CiscoIPPhoneError" }

// String describes the menu on one line.
func (m *Menu) String() string { return fmt.Sprintf("menu %q, %d items", m.Title, len(m.Items)) }

// String describes the page on one line.
func (t *Text) String() string { return fmt.Sprintf("text %q, %d bytes", t.Title, len(t.Text)) }

// String describes the directory on one line.
func (d *Directory) String() string {
	return fmt.Sprintf("directory %q, %d entries", d.Title, len(d.Entries))
}

// String describes the form on one line.
func (i *Input) String() string { return fmt.Sprintf("form %q, %d fields", i.Title, len(i.Items)) }

// String describes the orders on one line.
func (e *Execute) String() string { return fmt.Sprintf("execute, %d items", len(e.Items)) }

// String describes the error on one line.
func (f *Failure) String() string { return fmt.Sprintf("error %d", f.Number) }
