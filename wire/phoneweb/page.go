package phoneweb

import (
	"fmt"
	"net/url"
)

// Page is one of a phone's pages.
type Page int

// The pages in the order of the phone's own menu. Stream returns those of streams.
const (
	DeviceInformation Page = iota
	NetworkSetup
	EthernetStatistics
	AccessPort
	NetworkPort
	ConsoleLogs
	CoreDumps
	StatusMessages
	DebugDisplay
	firstStream
)

// Streams is how many streams a phone shows.
const Streams = 5

// Stream returns the page of a stream, 1 to Streams.
func Stream(n int) Page { return firstStream + Page(n-1) }

// Pages returns all pages in the order of the menu.
func Pages() []Page {
	all := make([]Page, int(firstStream)+Streams)
	for i := range all {
		all[i] = Page(i)
	}
	return all
}

// Form is how a phone serves a page.
type Form int

// The forms in the order in which they are to be tried.
const (
	Serviceability Form = iota // HTML; 79xx, 78xx, 88xx, 8961, 99xx
	Alias                      // HTML; 6921, 894x, 7940 and more
	XML                        // most loads
)

// serviceability is the path of all pages in that form; the query says which.
const serviceability = "/CGI/Java/Serviceability"

type addresses struct {
	title   [2]string // as 79xx write it, and as 78xx and 88xx do
	adapter string
	alias   string
	xml     string // empty: there is none
	root    string // of the XML
}

var pages = [...]addresses{
	DeviceInformation: {
		[2]string{"Device Information", "Device information"}, "device.statistics.device", "/DeviceInformation", "/DeviceInformationX", "DeviceInformation",
	},
	NetworkSetup: {
		[2]string{"Network Configuration", "Network setup"}, "device.statistics.configuration", "/NetworkConfiguration", "/NetworkConfigurationX", "NetworkConfiguration",
	},
	EthernetStatistics: {
		[2]string{"Ethernet Information", "Ethernet information"}, "device.statistics.ethernet", "/EthernetInformation", "/EthernetInformationX", "EthernetInformation",
	},
	AccessPort:     {[2]string{"Access", "Access"}, "device.statistics.port.access", "/PortInformation?2", "/PortInformationX?2", "PortInformation"},
	NetworkPort:    {[2]string{"Network", "Network"}, "device.statistics.port.network", "/PortInformation?1", "/PortInformationX?1", "PortInformation"},
	ConsoleLogs:    {[2]string{"Console Logs", "Console logs"}, "device.statistics.consolelog", "/console.html", "/DeviceLogX?0", "DeviceLog"},
	CoreDumps:      {[2]string{"Core Dumps", "Core dumps"}, "device.statistics.coredumps", "/coredump.html", "", ""},
	StatusMessages: {[2]string{"Status Messages", "Status messages"}, "device.settings.status.messages", "/status.html", "", ""},
	DebugDisplay:   {[2]string{"Debug Display", "Debug display"}, "device.trace.display.alarm", "/debug.html", "", ""},
}

func (p Page) addresses() addresses {
	if p < firstStream {
		return pages[p]
	}
	n := int(p-firstStream) + 1
	title := fmt.Sprintf("Stream %d", n)
	return addresses{
		[2]string{title, title}, fmt.Sprintf("device.statistics.streaming.%d", n-1),
		fmt.Sprintf("/StreamingStatistics?%d", n), fmt.Sprintf("/StreamingStatisticsX?%d", n), "StreamingStatistics",
	}
}

// Path returns where a phone serves the page in a form, with the query; empty when it does not.
func (p Page) Path(form Form) string {
	a := p.addresses()
	switch form {
	case Serviceability:
		return serviceability + "?adapter=" + a.adapter
	case Alias:
		return a.alias
	}
	return a.xml
}

// String returns the page's title as 78xx and 88xx write it.
func (p Page) String() string { return p.addresses().title[1] }

// Find returns the page that a request asks for, and in which form. Where a number is missing the first is
// meant; the root is the device information, as on 6921.
func Find(path, rawQuery string) (Page, Form, bool) {
	if path == "/" {
		return DeviceInformation, Alias, true
	}
	asked := path
	if rawQuery != "" {
		asked += "?" + rawQuery
	}
	if path == serviceability {
		values, err := url.ParseQuery(rawQuery)
		if err != nil {
			return 0, 0, false
		}
		asked = path + "?adapter=" + values.Get("adapter")
	}
	for _, page := range Pages() {
		for _, form := range []Form{Serviceability, Alias, XML} {
			at := page.Path(form)
			if at != "" && (at == asked || rawQuery == "" && (at == path+"?1" || at == path+"?0")) {
				return page, form, true
			}
		}
	}
	return 0, 0, false
}
