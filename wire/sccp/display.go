package sccp

// Tone is a sound that the phone makes.
type Tone uint32

// ToneReorder says that what was asked for cannot be had.
const ToneReorder Tone = 0x25

// StartTone has the phone make it.
type StartTone struct {
	Tone       Tone
	Direction  uint32 // 0: for the user
	Line, Call uint32
}

func (m *StartTone) layout(f *fields) {
	u32(f, "tone", &m.Tone)
	f.mayEnd()
	u32(f, "direction", &m.Direction)
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}

// StopTone ends it.
type StopTone struct {
	Line, Call uint32
	Tone       Tone
}

// tonedStop is the version from which on StopTone names the tone.
const tonedStop Version = 11

func (m *StopTone) layout(f *fields) {
	f.mayEnd()
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
	if f.version >= tonedStop {
		u32(f, "tone", &m.Tone)
	}
}

// DisplayPromptStatus shows a text for some seconds, on phones below version 8; 0 means for ever.
type DisplayPromptStatus struct {
	Seconds    uint32
	Text       string
	Line, Call uint32
}

func (m *DisplayPromptStatus) layout(f *fields) {
	u32(f, "seconds", &m.Seconds)
	f.text("text", &m.Text, PromptSize)
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}

// DynamicDisplayPromptStatus does so on the others.
type DynamicDisplayPromptStatus struct {
	Seconds    uint32
	Line, Call uint32
	Text       string
}

func (m *DynamicDisplayPromptStatus) layout(f *fields) {
	u32(f, "seconds", &m.Seconds)
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
	f.dynamic("text", &m.Text)
}

// ClearPromptStatus takes it away.
type ClearPromptStatus struct{ Line, Call uint32 }

func (m *ClearPromptStatus) layout(f *fields) {
	u32(f, "line", &m.Line)
	u32(f, "call", &m.Call)
}
