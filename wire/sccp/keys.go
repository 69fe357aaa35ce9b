package sccp

// Sizes of the tables that phones expect, full or not.
const (
	buttonSlots  = 42
	softKeySlots = 32
	setSlots     = 16
)

// ButtonType is what a key beside the display is.
type ButtonType uint8

// The types used here.
const (
	ButtonLine ButtonType = 0x09
	ButtonNone ButtonType = 0xff
)

// Button is one of these keys. Instances number each type from 1.
type Button struct {
	Instance uint8
	Type     ButtonType
}

// ButtonTemplateReq asks for them.
type ButtonTemplateReq struct{ empty }

// ButtonTemplate tells them.
type ButtonTemplate struct {
	Offset  uint32 // of the first one in the whole template
	Total   uint32 // in the whole template
	Buttons []Button
}

func (m *ButtonTemplate) layout(f *fields) {
	n := uint32(len(m.Buttons))
	u32(f, "offset", &m.Offset)
	u32(f, "count", &n)
	u32(f, "total", &m.Total)
	list(f, "buttons", &m.Buttons, n, buttonSlots, func(b *Button) {
		u8(f, "instance", &b.Instance)
		u8(f, "type", &b.Type)
	})
	f.fill(buttonSlots-len(m.Buttons), 0, byte(ButtonNone))
}

// SoftKeyEventNumber is what a phone sends when a soft key is pressed.
type SoftKeyEventNumber uint32

// The events used here.
const (
	NewCall SoftKeyEventNumber = 2
	EndCall SoftKeyEventNumber = 9
)

// SoftKey is a key below the display.
type SoftKey struct {
	Label string
	Event SoftKeyEventNumber
}

// BuiltIn returns the label for which phones have a word of their own language.
func BuiltIn(index byte) string { return string([]byte{0x80, index}) }

// SoftKeyTemplateReq asks for them.
type SoftKeyTemplateReq struct{ empty }

// SoftKeyTemplate tells them.
type SoftKeyTemplate struct {
	Offset, Total uint32
	Keys          []SoftKey
}

const softKeySize = 16

func (m *SoftKeyTemplate) layout(f *fields) {
	n := uint32(len(m.Keys))
	u32(f, "offset", &m.Offset)
	u32(f, "count", &n)
	u32(f, "total", &m.Total)
	list(f, "keys", &m.Keys, n, softKeySlots, func(k *SoftKey) {
		f.text("label", &k.Label, softKeySize)
		u32(f, "event", &k.Event)
	})
	f.fill(softKeySlots-len(m.Keys), make([]byte, softKeySize+4)...)
}

// KeySet numbers the sets of soft keys, by the state of a call.
type KeySet uint32

// The sets used here.
const (
	KeysOnHook  KeySet = 0
	KeysOffHook KeySet = 4
)

// SoftKeySet is one of them: places in the template, from 1.
type SoftKeySet struct {
	Keys [16]uint8
	Info [16]uint16
}

// Set makes one.
func Set(keys ...uint8) SoftKeySet {
	var s SoftKeySet
	for i, key := range keys {
		s.Keys[i], s.Info[i] = key, infoBase+uint16(key)
	}
	return s
}

const infoBase = 300

// SoftKeySetReq asks for the sets.
type SoftKeySetReq struct{ empty }

// SoftKeySets tells them.
type SoftKeySets struct {
	Offset, Total uint32
	Sets          []SoftKeySet
}

func (m *SoftKeySets) layout(f *fields) {
	n := uint32(len(m.Sets))
	u32(f, "offset", &m.Offset)
	u32(f, "count", &n)
	u32(f, "total", &m.Total)
	list(f, "sets", &m.Sets, n, setSlots, func(s *SoftKeySet) {
		f.blob("keys", s.Keys[:])
		for i := range s.Info {
			u16(f, "info", &s.Info[i])
		}
	})
	f.fill(setSlots-len(m.Sets), make([]byte, 48)...)
}

// SelectSoftKeys shows one of the sets.
type SelectSoftKeys struct {
	Line, Call uint32
	Set        KeySet
	Mask       uint32 // of the places that are shown
}

func (m *SelectSoftKeys) layout(f *fields) {
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
	u32(f, "set", &m.Set)
	u32(f, "mask", &m.Mask)
}

// SoftKeyEvent tells that one was pressed.
type SoftKeyEvent struct {
	Event      SoftKeyEventNumber
	Line, Call uint32
}

func (m *SoftKeyEvent) layout(f *fields) {
	u32(f, "event", &m.Event)
	f.mayEnd()
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}

// Stimulus tells that another key was pressed.
type Stimulus struct{ Code, Instance, Call, Status uint32 }

func (m *Stimulus) layout(f *fields) {
	u32(f, "code", &m.Code)
	u32(f, "instance", &m.Instance)
	f.mayEnd()
	u32(f, "call", &m.Call)
	u32(f, "status", &m.Status)
}

// KeypadButton is a digit: 0 to 9, 14 for * and 15 for #.
type KeypadButton struct{ Key, Line, Call uint32 }

func (m *KeypadButton) layout(f *fields) {
	u32(f, "key", &m.Key)
	f.mayEnd()
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}

// EnblocCall is a whole number, dialled at once. From version 18 on, firmware disagrees about where the line stands
// (docs/wire/sccp.md#keys): it is not to be relied on there.
type EnblocCall struct {
	Number string
	Line   uint32
}

func (m *EnblocCall) layout(f *fields) {
	f.number("number", &m.Number)
	f.mayEnd()
	u32(f, "line", &m.Line)
}

// OffHook tells that the handset was lifted.
type OffHook struct{ Line, Call uint32 }

func (m *OffHook) layout(f *fields) {
	f.mayEnd()
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}

// OnHook tells that it was put back.
type OnHook struct{ Line, Call uint32 }

func (m *OnHook) layout(f *fields) {
	f.mayEnd()
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}
