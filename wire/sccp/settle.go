package sccp

import (
	"net/netip"
	"time"
)

// What a phone asks for once it is registered, and the answers.

// TimeDateReq asks for the time.
type TimeDateReq struct{ empty }

// TimeDate is the time on the phone's display.
type TimeDate struct {
	Year, Month, Weekday, Day, Hour, Minute, Second, Millisecond uint32 // Sunday is 0
	Unix                                                         uint32 // seconds since 1970
}

// TimeDateOf returns a time as phones in its zone show it.
func TimeDateOf(t time.Time) *TimeDate {
	return &TimeDate{
		uint32(t.Year()), uint32(t.Month()), uint32(t.Weekday()), uint32(t.Day()), uint32(t.Hour()), uint32(t.Minute()),
		uint32(t.Second()), uint32(t.Nanosecond() / 1e6), uint32(t.Unix()),
	}
}

func (m *TimeDate) layout(f *fields) {
	u32(f, "year", &m.Year)
	u32(f, "month", &m.Month)
	u32(f, "weekday", &m.Weekday)
	u32(f, "day", &m.Day)
	u32(f, "hour", &m.Hour)
	u32(f, "minute", &m.Minute)
	u32(f, "second", &m.Second)
	u32(f, "millisecond", &m.Millisecond)
	u32(f, "unix", &m.Unix)
}

// VersionReq asks for the load that the phone should run.
type VersionReq struct{ empty }

// VersionRes names it.
type VersionRes struct{ Load string }

func (m *VersionRes) layout(f *fields) { f.text("load", &m.Load, VersionSize) }

// ServerReq asks for the call managers.
type ServerReq struct{ empty }

// maxServers is how many call managers a phone knows.
const maxServers = 5

// Server is one of them.
type Server struct {
	Name    string
	Port    uint32
	Address netip.Addr
}

// ServerRes names them.
type ServerRes struct{ Servers [maxServers]Server }

func (m *ServerRes) layout(f *fields) {
	for i := range m.Servers {
		f.text("name", &m.Servers[i].Name, serverSize)
	}
	for i := range m.Servers {
		u32(f, "port", &m.Servers[i].Port)
	}
	for i := range m.Servers {
		f.addr("address", &m.Servers[i].Address)
	}
}

// ConfigStatReq asks how many lines there are.
type ConfigStatReq struct{ empty }

// ConfigStat tells.
type ConfigStat struct {
	Device            string
	User, Instance    uint32
	UserName, Server  string
	Lines, SpeedDials uint32
}

func (m *ConfigStat) layout(f *fields) {
	f.text("device", &m.Device, DeviceNameSize)
	u32(f, "user", &m.User)
	u32(f, "instance", &m.Instance)
	f.text("user_name", &m.UserName, NameSize)
	f.text("server", &m.Server, NameSize)
	u32(f, "lines", &m.Lines)
	u32(f, "speed_dials", &m.SpeedDials)
}

// LineStatReq asks for a line.
type LineStatReq struct{ Line uint32 }

func (m *LineStatReq) layout(f *fields) { u32(f, "line", &m.Line) }

// LineStat tells its number and names, to phones below version 17.
type LineStat struct {
	Line                uint32
	Number, Name, Label string
	Options             uint32 // 15 shows all
}

func (m *LineStat) layout(f *fields) {
	u32(f, "line", &m.Line)
	f.text("number", &m.Number, 24)
	f.text("name", &m.Name, NameSize)
	f.text("label", &m.Label, NameSize)
	f.mayEnd()
	u32(f, "options", &m.Options)
}

// DynamicLineStat does so to the others.
type DynamicLineStat struct {
	Line, Options       uint32
	Number, Name, Label string
}

func (m *DynamicLineStat) layout(f *fields) {
	u32(f, "line", &m.Line)
	u32(f, "options", &m.Options)
	f.dynamic("number", &m.Number)
	f.dynamic("name", &m.Name)
	f.dynamic("label", &m.Label)
}

// ForwardStatReq asks whether a line is forwarded.
type ForwardStatReq struct{ Line uint32 }

func (m *ForwardStatReq) layout(f *fields) { u32(f, "line", &m.Line) }

// Forward is where calls go in one case.
type Forward struct {
	Active uint32
	Number string
}

// ForwardStat tells.
type ForwardStat struct {
	Active, Line        uint32
	All, Busy, NoAnswer Forward
}

func (m *ForwardStat) layout(f *fields) {
	u32(f, "active", &m.Active)
	u32(f, "line", &m.Line)
	for _, forward := range []*Forward{&m.All, &m.Busy, &m.NoAnswer} {
		u32(f, "forward", &forward.Active)
		f.number("number", &forward.Number)
	}
}

// SpeedDialStatReq asks for a speed dial.
type SpeedDialStatReq struct{ Index uint32 }

func (m *SpeedDialStatReq) layout(f *fields) { u32(f, "index", &m.Index) }

// SpeedDialStat tells it, to phones below version 17.
type SpeedDialStat struct {
	Index         uint32
	Number, Label string
}

func (m *SpeedDialStat) layout(f *fields) {
	u32(f, "index", &m.Index)
	f.text("number", &m.Number, 24)
	f.text("label", &m.Label, NameSize)
}

// DynamicSpeedDialStat does so to the others.
type DynamicSpeedDialStat struct {
	Index         uint32
	Number, Label string
}

func (m *DynamicSpeedDialStat) layout(f *fields) {
	u32(f, "index", &m.Index)
	f.dynamic("number", &m.Number)
	f.dynamic("label", &m.Label)
}

// FeatureStatReq asks for a feature key.
type FeatureStatReq struct{ Index uint32 }

func (m *FeatureStatReq) layout(f *fields) { u32(f, "index", &m.Index) }

// FeatureStat tells it, to phones below version 17.
type FeatureStat struct {
	Index, Type uint32
	Label       string
	Status      uint32
}

func (m *FeatureStat) layout(f *fields) {
	u32(f, "index", &m.Index)
	u32(f, "type", &m.Type)
	f.text("label", &m.Label, NameSize)
	u32(f, "status", &m.Status)
}

// DynamicFeatureStat does so to the others.
type DynamicFeatureStat struct {
	Index, Type, Status uint32
	Label               string
}

func (m *DynamicFeatureStat) layout(f *fields) {
	u32(f, "index", &m.Index)
	u32(f, "type", &m.Type)
	u32(f, "status", &m.Status)
	f.dynamic("label", &m.Label)
}

// ServiceURLStatReq asks for a service key.
type ServiceURLStatReq struct{ Index uint32 }

func (m *ServiceURLStatReq) layout(f *fields) { u32(f, "index", &m.Index) }

// ServiceURLStat tells it, to phones below version 8.
type ServiceURLStat struct {
	Index      uint32
	URL, Label string
}

func (m *ServiceURLStat) layout(f *fields) {
	u32(f, "index", &m.Index)
	f.text("url", &m.URL, urlSize)
	f.text("label", &m.Label, NameSize)
}

// DynamicServiceURLStat does so to the others.
type DynamicServiceURLStat struct {
	Index      uint32
	URL, Label string
}

func (m *DynamicServiceURLStat) layout(f *fields) {
	u32(f, "index", &m.Index)
	f.dynamic("url", &m.URL)
	f.dynamic("label", &m.Label)
}

// RegisterAvailableLines tells how many lines the phone can take. It is not answered.
type RegisterAvailableLines struct{ Lines uint32 }

func (m *RegisterAvailableLines) layout(f *fields) {
	f.mayEnd()
	u32(f, "lines", &m.Lines)
}
