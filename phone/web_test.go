package phone

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phoneweb"
	"github.com/longcord/longcord/wire/sip"
)

// webPhone is a phone with its web pages, which has a file and no life.
func webPhone(t *testing.T, model Model, change func(*cnf.Device)) (*Phone, *httptest.Server) {
	t.Helper()
	p, err := New(Config{
		Name: aPhone, Servers: []string{"10.20.0.1"}, StateDir: t.TempDir(), Model: model,
		OpenTUN: func(tun.Settings) (tun.Device, error) { return nil, errors.New("no tunnel here") },
	})
	if err != nil {
		t.Fatal(err)
	}
	file := &cnf.Device{Load: "sip88xx.14-1-1", SIPProfile: &cnf.SIPProfile{Lines: []cnf.Line{{Name: "1001"}}}}
	file.Pool.CallManagers = []cnf.CallManager{{Host: "10.20.0.1"}}
	change(file)
	if err := keepLoad(p.config.StateDir, Load{Name: file.Load}); err != nil {
		t.Fatal(err)
	}
	p.runs(file)
	server := httptest.NewServer(http.HandlerFunc(p.web))
	t.Cleanup(server.Close)
	return p, server
}

func unchanged(*cnf.Device) {}

func fetch(t *testing.T, server *httptest.Server, path string) (int, []byte) {
	t.Helper()
	response, err := http.Get(server.URL + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	b, err := readBounded(response.Body, maxFile)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, b
}

// Whatever the form and the model, the pages say the same.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, model := range []Model{{Name: "CP-8861", Number: 685}, {Name: "CP-7975G", Number: 437, Old: true}} {
		p, server := webPhone(t, model, unchanged)
		p.config.ByDHCP = model.Old
		alternate := map[bool]string{true: "No", false: "Yes"}[p.config.ByDHCP]
		p.tell(Event{Event: "session", Session: &Session{InnerAddress: "10.99.0.2", CertificateSHA1: "ABCD"}})
		p.tell(Event{Event: "registered", OK: true})
		for _, form := range []phoneweb.Form{phoneweb.Serviceability, phoneweb.Alias, phoneweb.XML} {
			var rows [2]phoneweb.Rows
			for i, page := range []phoneweb.Page{phoneweb.DeviceInformation, phoneweb.NetworkSetup} {
				status, b := fetch(t, server, page.Path(form))
				parsed, err := phoneweb.Parse(b)
				if status != http.StatusOK || err != nil {
					t.Fatalf("%s: %d, %v", page.Path(form), status, err)
				}
				rows[i] = parsed
			}
			info := phoneweb.ReadInfo(rows[0], rows[1])
			if info.Model != model.Name || info.MAC != "001122334455" || info.HostName != aPhone || info.Load != "sip88xx.14-1-1" ||
				info.IPAddress != "10.99.0.2" || info.TFTPServers[0] != "10.20.0.1" || info.AlternateTFTP != alternate || info.Number != "1001" ||
				len(info.CallManagers) != 1 || info.CallManagers[0] != (phoneweb.CallManager{Host: "10.20.0.1", State: "Active"}) || info.ITL != "Not installed" {
				t.Errorf("%s in form %d: %+v", model.Name, form, info)
			}
		}
		for _, page := range phoneweb.Pages() {
			if status, _ := fetch(t, server, page.Path(phoneweb.Serviceability)); status != http.StatusOK {
				t.Errorf("%s: %d", page, status)
			}
		}
		_, logs := fetch(t, server, phoneweb.ConsoleLogs.Path(phoneweb.Serviceability))
		files := phoneweb.Files(logs)
		if len(files) != 1 {
			t.Fatalf("console logs lead to %v", files)
		}
		_, console := fetch(t, server, files[0])
		if want := map[bool]string{true: " SECD: Leaf cert hash = ABCD", false: " SECD-Leaf cert hash = ABCD"}[model.Old]; !strings.Contains(string(console), want) {
			t.Errorf("%s logs %s, want %q in it", model.Name, console, want)
		}
		if status, _ := fetch(t, server, "/nowhere"); status != http.StatusNotFound {
			t.Errorf("a page that is none: %d", status)
		}
	}
}

func TestStatusMessages(t *testing.T) {
	t.Parallel()
	p, server := webPhone(t, Model{Name: "CP-8861"}, unchanged)
	for range 3 * phoneweb.MaxStatus {
		p.tell(Event{Event: "status", Detail: "Trust List updated"})
	}
	f := finding.TFTPUnreachable.With("10.20.0.1")
	p.tell(Event{Event: "finding", Finding: &f})
	p.tell(Event{Event: "order", Order: &Order{Action: "restart"}})
	_, b := fetch(t, server, phoneweb.StatusMessages.Path(phoneweb.Serviceability))
	var messages []phoneweb.Status
	for _, line := range phoneweb.Text(b) {
		if m, ok := phoneweb.ParseStatus(line); ok {
			messages = append(messages, m)
		}
	}
	if len(messages) != phoneweb.MaxStatus {
		t.Fatalf("%d messages are kept, want %d", len(messages), phoneweb.MaxStatus)
	}
	last := messages[len(messages)-2:]
	if last[0].Text != phoneweb.StatusTFTPTimeout || last[0].File != aPhone+".cnf.xml" || last[1].Text != phoneweb.StatusRestart {
		t.Errorf("the newest messages are %v", last)
	}
}

func TestWebAccess(t *testing.T) {
	t.Parallel()
	order := url.Values{"XML": {`<CiscoIPPhoneExecute><ExecuteItem URL="Key:Settings"/></CiscoIPPhoneExecute>`}}
	for access, want := range map[string][2]int{"0": {200, 200}, "1": {403, 403}, "2": {200, 405}} {
		_, server := webPhone(t, Model{Name: "CP-8861"}, func(d *cnf.Device) { d.Vendor.Set("webAccess", access) })
		status, _ := fetch(t, server, "/DeviceInformationX")
		response, err := http.PostForm(server.URL+phoneweb.ExecutePath, order)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if got := [2]int{status, response.StatusCode}; got != want {
			t.Errorf("web access %s: pages and orders answer %v, want %v", access, got, want)
		}
	}
}

// The phone asks its authentication URL about whoever gives it orders.
func TestExecuteIsAuthenticated(t *testing.T) {
	t.Parallel()
	office := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if q.Get("UserID") == "u" && q.Get("Password") == "p" && q.Get("devicename") == aPhone && q.Get("own") == "1" {
			_, _ = w.Write([]byte("AUTHORIZED"))
			return
		}
		_, _ = w.Write([]byte("UN-AUTHORIZED"))
	}))
	defer office.Close()
	_, server := webPhone(t, Model{Name: "CP-8861"}, func(d *cnf.Device) { d.URLs.Authentication = office.URL + "/auth?own=1" })
	for _, c := range []struct {
		user, password, xml string
		status              int
		number              phoneweb.ExecuteNumber
	}{
		{"u", "p", `<CiscoIPPhoneExecute><ExecuteItem URL="Key:Settings"/></CiscoIPPhoneExecute>`, 200, 0},
		{"u", "q", `<CiscoIPPhoneExecute><ExecuteItem URL="Key:Settings"/></CiscoIPPhoneExecute>`, 401, phoneweb.ExecuteDenied},
		{"", "", `<CiscoIPPhoneExecute><ExecuteItem URL="Key:Settings"/></CiscoIPPhoneExecute>`, 401, phoneweb.ExecuteDenied},
		{"u", "p", `<CiscoIPPhoneExecute>`, 200, phoneweb.ExecuteParse},
	} {
		request, err := http.NewRequest(http.MethodPost, server.URL+phoneweb.ExecutePath, strings.NewReader(url.Values{"XML": {c.xml}}.Encode()))
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		if c.user != "" {
			request.SetBasicAuth(c.user, c.password)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		b, err := readBounded(response.Body, maxFile)
		response.Body.Close()
		if err != nil {
			t.Fatal(err)
		}
		_, said := phoneweb.ParseExecuteResponse(b)
		var number phoneweb.ExecuteNumber
		errors.As(said, &number)
		if response.StatusCode != c.status || number != c.number {
			t.Errorf("%s:%s %s: %d, %v", c.user, c.password, c.xml, response.StatusCode, said)
		}
	}
}

// Settings and **#** restart the phone, as when its user types them.
func TestKeysRestart(t *testing.T) {
	leavesNothingRunning(t)
	w := serve(t, twoLines(), memory.New(), ownLoopback())
	line, _ := w.phone(t, func(*sipConfig) {})
	mustRegister(t, line)
	p, _ := webPhone(t, Model{Name: "CP-7975G", Old: true}, unchanged)
	p.lives(line)
	for _, key := range []string{"Key:KeyPadStar", "Key:Settings", "Key:KeyPadStar", "Key:Settings", "Key:KeyPadStar", "Key:KeyPadStar", "Key:KeyPadPound", "Key:KeyPadStar"} {
		p.key(key)
	}
	if len(line.orders) != 0 {
		t.Fatal("it restarts before the last key")
	}
	p.key("Key:KeyPadStar")
	if got := orderOf(t, line); got != (register.Order{Action: sip.Restart}) {
		t.Errorf("it is to do %v", got)
	}
}

func TestWebAddressTaken(t *testing.T) {
	t.Parallel()
	_, server := webPhone(t, Model{Name: "CP-8861"}, unchanged)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	p, _ := webPhone(t, Model{Name: "CP-8861"}, unchanged)
	p.config.Web = netip.MustParseAddrPort(u.Host)
	if err := p.Run(t.Context()); err == nil || !strings.Contains(err.Error(), "web pages") {
		t.Errorf("a phone whose web address is taken runs: %v", err)
	}
}
