package phoneweb

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// In the shapes of pages that real phones have served: rows and cells left open, entities for punctuation,
// the table nested in the page's, states behind call managers.
const (
	page88 = "<HTML>\n<HEAD><TITLE>Cisco Systems, Inc.</TITLE></HEAD>\n<BODY><TABLE><TR>\n" +
		`<td><A HREF="http://www.cisco.com"><IMG SRC="/FS/Logo.png"></A></TD><td><B>Network setup</B><p><B>Cisco IP Phone CP-8861 ( SEP001122334455 )</FONT></B></TD>` + "\n</TR>\n" +
		`<TR><td><TABLE><TR><TD><a href="/CGI/Java/Serviceability?adapter=device.statistics.device">Device information</A></TD></TR>` +
		`<TR><TD>&nbsp;&nbsp;&nbsp;<a href="/x">Console logs</A></TD><TR></TABLE></TD>` + "\n<td><DIV><TABLE>" +
		"<TR><TD><B> MAC address</B></TD><td width=20></TD><TD><B>001122334455</B></TD></TR><TR><TD><B> Host name</B></TD><td width=20></TD><TD><B>SEP001122334455</B></TD></TR>" +
		"<TR><TD><B> IP address</B></TD><td width=20></TD><TD><B>10.99.0.2</B></TD></TR><TR><TD><B> Alternate TFTP</B></TD><td width=20></TD><TD><B>Yes</B></TD></TR>" +
		"<TR><TD><B> TFTP server 1</B></TD><td width=20></TD><TD><B>10.20.0.1</B></TD></TR><TR><TD><B> TFTP server 2</B></TD><td width=20></TD><TD><B></B></TD></TR>" +
		"<TR><TD><B> CUCM server1</B></TD><td width=20></TD><TD><B>cucm&#x2D;pub.example.com  Active</B></TD></TR><TR><TD><B> CUCM server2</B></TD><td width=20></TD><TD><B>cucm&#x2D;sub.example.com  Standby</B></TD></TR>" +
		"<TR><TD><B> CUCM server3</B></TD><td width=20></TD><TD><B>   </B></TD></TR><TR><TD><B> Authentication URL</B></TD><td width=20></TD><TD><B>http:&#x2F;&#x2F;10.20.0.1&#x2F;auth</B></TD></TR>" +
		"<TR><TD><B> CTL file</B></TD><td width=20></TD><TD><B>Not installed</B></TD></TR><TR><TD><B> ITL file</B></TD><td width=20></TD><TD><B>Installed</B></TD></TR>" +
		"<TR><TD><B> ITL signature</B></TD><td width=20></TD><TD><B>20 8C 50 B7 55 98 B7 2F 91 7A 39 48 1D AB 40 40 CF B0 43 11 </B></TD></TR>" +
		"<TR><TD><B> TFTP server</B></TD><td width=20></TD><TD><B>somebody.example.com</B></TD></TR><TR><TD><B> Web access enabled</B></TD><td width=20></TD><TD><B>Yes</B></TD></TR>" +
		"</TABLE></DIV></TD></TR></TABLE></BODY></HTML>"
	page79 = `<html><body><table><tbody><tr><td>x</td></tr><tr><td><div><table><tbody>` +
		`<tr><td><b> MAC Address</b></td><td width="20"></td><td><b>0C8525000001</b></td></tr><tr><td><b> TFTP Server 1</b></td><td width="20"></td><td><b>10.20.0.1</b></td></tr>` +
		`<tr><td><b> Unified CM 1</b></td><td width="20"></td><td><b>cucm1.example.com   Active</b></td></tr><tr><td><b> Unified CM 4</b></td><td width="20"></td><td><b>10.20.0.4   </b></td></tr>` +
		`<tr><td><b> Alternate TFTP</b></td><td width="20"></td><td><b>No</b></td></tr><tr><td><b> Security Mode</b></td><td width="20"></td><td><b>Non Secure</b></td></tr>` +
		`</tbody></table></div></td></tr></tbody></table></body></html>`
	device = `<?xml version="1.0" encoding="iso-8859-1"?><DeviceInformation><MACAddress>001122334455</MACAddress><HostName>SEP001122334455</HostName>` +
		`<phoneDN>1002</phoneDN><appLoadID>sip88xx.14-1-1</appLoadID><serialNumber>FCH1234</serialNumber><modelNumber>CP-8861</modelNumber></DeviceInformation>`
)

func TestReadInfo(t *testing.T) {
	t.Parallel()
	read := func(page string) Rows {
		rows, err := Parse([]byte(page))
		if err != nil {
			t.Fatal(err)
		}
		return rows
	}
	want := Info{
		Model: "CP-8861", Load: "sip88xx.14-1-1", SerialNumber: "FCH1234", MAC: "001122334455", HostName: "SEP001122334455", Number: "1002",
		IPAddress: "10.99.0.2", TFTPServers: [2]string{"10.20.0.1", ""}, AlternateTFTP: "Yes",
		CallManagers: []CallManager{{"cucm-pub.example.com", "Active"}, {"cucm-sub.example.com", "Standby"}},
		CTL:          "Not installed", ITL: "Installed", ITLSignature: "208C50B75598B72F917A39481DAB4040CFB04311",
		WebAccess: "Yes", AuthenticationURL: "http://10.20.0.1/auth",
	}
	if got := ReadInfo(read(device), read(page88)); !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v,\nwant %+v", got, want)
	}
	want = Info{
		MAC: "0C8525000001", TFTPServers: [2]string{"10.20.0.1", ""}, AlternateTFTP: "No", SecurityMode: "Non Secure",
		CallManagers: []CallManager{{"cucm1.example.com", "Active"}, {"10.20.0.4", ""}},
	}
	got := ReadInfo(nil, read(page79))
	if !reflect.DeepEqual(got, want) {
		t.Errorf("read %+v,\nwant %+v", got, want)
	}
	if yes, known := got.HasAlternateTFTP(); yes || !known {
		t.Errorf("alternate TFTP is %v, known %v", yes, known)
	}
	if _, known := (Info{}).HasAlternateTFTP(); known {
		t.Error("a phone that says nothing is known to have no alternate TFTP")
	}
}

// A row that was cut is no row: a page gives what had come whole, or nothing.
func TestCut(t *testing.T) {
	t.Parallel()
	for name, page := range map[string]string{"88xx": page88, "79xx": page79, "XML": device} {
		whole, err := Parse([]byte(page))
		if err != nil {
			t.Fatal(err)
		}
		for cut := range page {
			rows, err := Parse([]byte(page[:cut]))
			if err != nil {
				continue
			}
			if len(rows) > len(whole) {
				t.Fatalf("%s cut at %d has %d rows of %d", name, cut, len(rows), len(whole))
			}
			for i, row := range rows {
				if row != whole[i] {
					t.Errorf("%s cut at %d: row %q, want %q", name, cut, row, whole[i])
				}
			}
		}
	}
}

// What DeviceLogX is reported to hold: declarations inside the document.
func TestDeclarationsInside(t *testing.T) {
	t.Parallel()
	rows, err := Parse([]byte(`<?xml version="1.0"?><DeviceLog><?xml version="1.0"?><status>9:54:34p TFTP timeout : a.xml</status><?xml version="1.0"?><status>10:00:00a b.xml</status></DeviceLog>`))
	want := Rows{{"status", "9:54:34p TFTP timeout : a.xml"}, {"status", "10:00:00a b.xml"}}
	if err != nil || !reflect.DeepEqual(rows, want) {
		t.Errorf("%v (%v), want %v", rows, err, want)
	}
}

func TestNotAPage(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"", "not found", "<html><body><table><tr><td>one cell</td></tr></table></body></html>", "<?xml?>", strings.Repeat(" ", MaxPage+1)} {
		if rows, err := Parse([]byte(page)); err == nil {
			t.Errorf("%.40q has rows %v", page, rows)
		}
	}
}

// What we write, we read; every page is found where it says that it is.
func TestWrittenPages(t *testing.T) {
	t.Parallel()
	rows := Rows{{"MAC address", "001122334455"}, {"Idle URL", ""}, {"Domain name", `a<b>&"c"`}}
	elements := Rows{{"MACAddress", "001122334455"}, {"IdleURL", ""}, {"DomainName", `a<b>&"c"`}}
	for _, page := range Pages() {
		for _, style := range []Style{{}, {Old: true}} {
			got, err := Parse(style.AppendHTML(nil, page, Head{"CP-8861", "SEP001122334455"}, Content{rows, []string{"a line"}, []string{FilesFolder + "messages"}}))
			if err != nil || !reflect.DeepEqual(got, rows) {
				t.Errorf("%s: %v (%v), want %v", page, got, err, rows)
			}
		}
		if page.Path(XML) != "" {
			b, err := AppendXML(nil, page, elements)
			if err != nil {
				t.Fatal(err)
			}
			if got, err := Parse(b); err != nil || !reflect.DeepEqual(got, elements) {
				t.Errorf("%s: %v (%v), want %v", page, got, err, elements)
			}
		}
		for _, form := range []Form{Serviceability, Alias, XML} {
			at := page.Path(form)
			if at == "" {
				continue
			}
			u, err := url.Parse(at)
			if err != nil {
				t.Fatal(err)
			}
			if got, as, ok := Find(u.Path, u.RawQuery); !ok || got != page || as != form {
				t.Errorf("%s is %s in form %d (%v), want %s in %d", at, got, as, ok, page, form)
			}
		}
	}
	for asked, want := range map[string]Page{"/": DeviceInformation, "/StreamingStatistics": Stream(1), "/PortInformationX": NetworkPort, "/DeviceLogX": ConsoleLogs} {
		if got, _, ok := Find(asked, ""); !ok || got != want {
			t.Errorf("%s is %s (%v), want %s", asked, got, ok, want)
		}
	}
	if page, _, ok := Find("/CGI/Java/Serviceability", "adapter=device.secrets"); ok {
		t.Errorf("an unknown adapter is %s", page)
	}
	if _, err := AppendXML(nil, DeviceInformation, Rows{{"a><b", "x"}}); err == nil {
		t.Error("a label that is no name is written as an element")
	}
	if _, err := AppendXML(nil, StatusMessages, nil); err == nil {
		t.Error("status messages have an XML form")
	}
}

// The page of console logs leads to files; the menu's links are none.
func TestFiles(t *testing.T) {
	t.Parallel()
	page := Style{}.AppendHTML(nil, ConsoleLogs, Head{}, Content{Files: []string{FilesFolder + "messages", FilesFolder + "a&b"}})
	if got, want := Files(page), []string{FilesFolder + "messages", FilesFolder + "a&b"}; !reflect.DeepEqual(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	if got := Text(Style{}.AppendHTML(nil, StatusMessages, Head{}, Content{Text: []string{"9:54:34p TFTP Timeout : a.xml", "b < c"}})); !reflect.DeepEqual(got, []string{"9:54:34p TFTP Timeout : a.xml", "b < c"}) {
		t.Errorf("text %q", got)
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Status{
		"9:54:34p TFTP Timeout : SEP001122334455.cnf.xml": {"9:54:34p", "TFTP Timeout", "SEP001122334455.cnf.xml"},
		"12:00:01a No Trust List installed":               {"12:00:01a", "No Trust List installed", ""},
		"1:02:03p SEP001122334455.cnf.xml":                {"1:02:03p", "", "SEP001122334455.cnf.xml"},
	} {
		if got, ok := ParseStatus(text); !ok || got != want || got.String() != text {
			t.Errorf("%q is %+v (%v), written as %q", text, got, ok, got)
		}
	}
	for _, text := range []string{"", "hello", "9:54:34p", "9:54:34 TFTP Timeout", "9:54:34x TFTP Timeout"} {
		if got, ok := ParseStatus(text); ok {
			t.Errorf("%q is %+v", text, got)
		}
	}
	if got := StatusTime(time.Date(2026, 1, 2, 21, 4, 5, 0, time.UTC)); got != "9:04:05p" {
		t.Errorf("the time is written as %s", got)
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	line := Line{7, "NOT", time.Date(2026, 1, 2, 3, 4, 5, 678901000, time.UTC), "SECD", "Hash was found in the trust list"}
	for style, want := range map[Style]string{
		{Old: true}: "7: NOT 03:04:05.678901 SECD: Hash was found in the trust list",
		{}:          "0007 NOT Jan 02 03:04:05.678901 [1:1] SECD-Hash was found in the trust list",
	} {
		if got := style.Console(line); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{page88, page79, device, "<?xml version='1.0'?><a><b>c</b></a>"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, page []byte) {
		rows, err := Parse(page)
		if err != nil {
			return
		}
		_, _, _ = ReadInfo(rows, rows), Files(page), Text(page)
		var whole Rows // what can be written back: one row a line
		for i, row := range rows {
			whole = append(whole, Row{fmt.Sprintf("label %d", i), row.Value})
		}
		again, err := Parse(Style{}.AppendHTML(nil, NetworkSetup, Head{}, Content{Rows: whole}))
		if len(again) != len(whole) && err == nil && len(Style{}.AppendHTML(nil, NetworkSetup, Head{}, Content{Rows: whole})) < MaxPage {
			t.Errorf("%d rows written, %d read", len(whole), len(again))
		}
	})
}

func FuzzParseStatus(f *testing.F) {
	f.Add("9:54:34p TFTP Timeout : SEP001122334455.cnf.xml")
	f.Add("1:02:03p a.b")
	f.Fuzz(func(t *testing.T, text string) {
		s, ok := ParseStatus(text)
		if !ok {
			return
		}
		if again, ok := ParseStatus(s.String()); ok && again.Time != s.Time {
			t.Errorf("%q is %+v, and then %+v", text, s, again)
		}
	})
}
