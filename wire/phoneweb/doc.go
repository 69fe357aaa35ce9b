// Package phoneweb reads and writes the pages of a phone's own web server, by which a phone shows what it
// is, where it stands and what it has logged.
//
//	page                 Serviceability, adapter=             alias                    XML
//	device information   device.statistics.device             /DeviceInformation       /DeviceInformationX
//	network setup        device.statistics.configuration      /NetworkConfiguration    /NetworkConfigurationX
//	ports, statistics    device.statistics.port.network …     /PortInformation?1 …     /PortInformationX?1 …
//	logs                 device.statistics.consolelog …       /console.html …          /DeviceLogX?0
//	streams              device.statistics.streaming.0 …      /StreamingStatistics?1 … /StreamingStatisticsX?1 …
//
// Whatever the form, a page is Rows of label and value. Labels differ by model and load; Rows.Value finds
// one under any of its spellings, and ReadInfo reads what is worth knowing. ParseStatus reads lines of the
// status messages, Console writes lines of the console log.
//
// Shapes and labels are those of saved pages of real phones and of published clients
// (docs/wire/phone-web.md). Nothing here opens a connection.
package phoneweb
