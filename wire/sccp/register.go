package sccp

import "net/netip"

// Widths of texts, with their closing zero byte.
const (
	DeviceNameSize = 16
	NameSize       = 40 // of people, lines and their labels
	PromptSize     = 32
	serverSize     = 48
	LoadSize       = 32
	StampSize      = 48
	AlarmSize      = 80
	VersionSize    = 16
	urlSize        = 256
)

// DeviceType is Cisco's number of a model.
type DeviceType uint32

// RegisterReq asks for registration.
type RegisterReq struct {
	Device            string
	User, Instance    uint32
	Address           netip.Addr // as the phone knows it
	Type              DeviceType
	MaxStreams        uint32
	ActiveStreams     uint32 // from here on, old firmware sends nothing
	Version           Version
	Features          [3]byte
	MaxConferences    uint32
	ActiveConferences uint32
	MAC               [6]byte
	Scope             uint32
	MaxLines          uint32
	Address6          netip.Addr
	Scope6            uint32
	Load              string // of firmware
	Stamp             string // version stamp of the phone's file
}

func (m *RegisterReq) layout(f *fields) {
	f.text("device", &m.Device, DeviceNameSize)
	u32(f, "user", &m.User)
	u32(f, "instance", &m.Instance)
	f.ipv4("address", &m.Address)
	u32(f, "type", &m.Type)
	u32(f, "max_streams", &m.MaxStreams)
	f.mayEnd()
	u32(f, "active_streams", &m.ActiveStreams)
	u8(f, "version", &m.Version)
	f.blob("features", m.Features[:])
	u32(f, "max_conferences", &m.MaxConferences)
	u32(f, "active_conferences", &m.ActiveConferences)
	f.blob("mac", m.MAC[:])
	f.skip(6)
	u32(f, "scope", &m.Scope)
	u32(f, "max_lines", &m.MaxLines)
	f.ipv6("address6", &m.Address6)
	u32(f, "scope6", &m.Scope6)
	f.text("load", &m.Load, LoadSize)
	f.text("stamp", &m.Stamp, StampSize)
}

// RegisterAck grants it.
type RegisterAck struct {
	KeepAlive    uint32 // seconds
	DateTemplate string // such as D.M.Y or M/D/YA; A stands for a clock of 12 hours
	Secondary    uint32 // seconds between keep-alives to the standby server
	Version      Version
	Features     [3]byte
}

func (m *RegisterAck) layout(f *fields) {
	u32(f, "keep_alive", &m.KeepAlive)
	f.text("date", &m.DateTemplate, 8)
	u32(f, "secondary", &m.Secondary)
	f.mayEnd()
	u8(f, "version", &m.Version)
	f.blob("features", m.Features[:])
}

// RegisterReject refuses it, with a text for the phone's display.
type RegisterReject struct{ Text string }

func (m *RegisterReject) layout(f *fields) { f.text("text", &m.Text, PromptSize) }

// UnregisterReq takes a registration back.
type UnregisterReq struct{ Reason uint32 } // 1: to save power

func (m *UnregisterReq) layout(f *fields) {
	f.mayEnd()
	u32(f, "reason", &m.Reason)
}

// UnregisterStatus says whether that was done.
type UnregisterStatus uint32

// The statuses.
const (
	Unregistered     UnregisterStatus = 0
	UnregisterFailed UnregisterStatus = 1
	UnregisterInCall UnregisterStatus = 2
)

// UnregisterAck answers UnregisterReq.
type UnregisterAck struct{ Status UnregisterStatus }

func (m *UnregisterAck) layout(f *fields) { u32(f, "status", &m.Status) }

// RegisterTokenReq asks, of a phone that is registered elsewhere, whether it may come.
type RegisterTokenReq struct {
	Device         string
	User, Instance uint32
	Address        netip.Addr
	Type           DeviceType
	Address6       netip.Addr // from here on, old firmware sends nothing
	Reserved       uint32
}

func (m *RegisterTokenReq) layout(f *fields) {
	f.text("device", &m.Device, DeviceNameSize)
	u32(f, "user", &m.User)
	u32(f, "instance", &m.Instance)
	f.ipv4("address", &m.Address)
	u32(f, "type", &m.Type)
	f.mayEnd()
	f.ipv6("address6", &m.Address6)
	u32(f, "reserved", &m.Reserved)
}

// RegisterTokenAck lets it come.
type RegisterTokenAck struct{ empty }

// RegisterTokenReject has it ask again later.
type RegisterTokenReject struct{ Seconds uint32 }

func (m *RegisterTokenReject) layout(f *fields) { u32(f, "seconds", &m.Seconds) }

// KeepAliveReq says that the phone is there.
type KeepAliveReq struct{ empty }

// KeepAliveAck says so of the call manager.
type KeepAliveAck struct{ empty }

// Alarm tells why the phone restarted, before it registers.
type Alarm struct {
	Severity               AlarmSeverity
	Text                   string
	Parameter1, Parameter2 uint32
}

// AlarmSeverity is how grave an alarm is.
type AlarmSeverity uint32

// Informational is the severity of a start without a fault.
const Informational AlarmSeverity = 2

func (m *Alarm) layout(f *fields) {
	u32(f, "severity", &m.Severity)
	f.text("text", &m.Text, AlarmSize)
	f.mayEnd()
	u32(f, "parameter1", &m.Parameter1)
	u32(f, "parameter2", &m.Parameter2)
}

// ResetType is what a phone is to do.
type ResetType uint32

// The types.
const (
	ResetPhone   ResetType = 1 // boot
	RestartPhone ResetType = 2 // read its files again and register anew
	ApplyConfig  ResetType = 3 // read its files again, and do what they ask for
)

// String returns CUCM's word.
func (t ResetType) String() string {
	switch t {
	case ResetPhone:
		return "reset"
	case RestartPhone:
		return "restart"
	case ApplyConfig:
		return "apply-config"
	}
	return "unknown"
}

// Reset tells the phone to do so. It is not answered.
type Reset struct{ Type ResetType }

func (m *Reset) layout(f *fields) { u32(f, "type", &m.Type) }

// CapabilitiesReq asks for codecs.
type CapabilitiesReq struct{ empty }

// maxCapabilities is how many codecs a phone tells.
const maxCapabilities = 18

// Capability is one codec.
type Capability struct {
	Payload    uint32
	MaxPacket  uint32 // milliseconds
	Parameters [8]byte
}

// CapabilitiesRes tells them.
type CapabilitiesRes struct{ Capabilities []Capability }

func (m *CapabilitiesRes) layout(f *fields) {
	n := uint32(len(m.Capabilities))
	u32(f, "count", &n)
	list(f, "capabilities", &m.Capabilities, n, maxCapabilities, func(c *Capability) {
		u32(f, "payload", &c.Payload)
		u32(f, "max_packet", &c.MaxPacket)
		f.blob("parameters", c.Parameters[:])
	})
}
