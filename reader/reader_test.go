package reader

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/phoneweb"
)

// pages is a phone that serves some paths.
type pages map[string]string

func (p pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if r.URL.RawQuery != "" {
		path += "?" + r.URL.RawQuery
	}
	switch body, ok := p[path]; {
	case !ok:
		http.NotFound(w, r)
	case body == "":
		w.WriteHeader(http.StatusForbidden)
	default:
		_, _ = w.Write([]byte(body))
	}
}

func at(t *testing.T, phone http.Handler) (*Reader, netip.Addr) {
	t.Helper()
	server := httptest.NewServer(phone)
	t.Cleanup(server.Close)
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	address := netip.MustParseAddrPort(u.Host)
	return New(Config{Port: address.Port()}), address.Addr()
}

func written(page phoneweb.Page, rows phoneweb.Rows) string {
	return string(phoneweb.Style{}.AppendHTML(nil, page, phoneweb.Head{}, phoneweb.Content{Rows: rows}))
}

// Each page is read in the first form in which the phone has it.
func TestVisit(t *testing.T) {
	t.Parallel()
	device := phoneweb.Rows{{Label: "Model Number", Value: "CP-7941G"}, {Label: "Serial Number", Value: "F1"}}
	network := phoneweb.Rows{{Label: "Alternate TFTP", Value: "Yes"}, {Label: "TFTP Server 1", Value: "10.20.0.1"}}
	xml, err := phoneweb.AppendXML(nil, phoneweb.DeviceInformation, phoneweb.Rows{{Label: "modelNumber", Value: "CP-7941G"}, {Label: "serialNumber", Value: "F1"}})
	if err != nil {
		t.Fatal(err)
	}
	status := string(phoneweb.Style{}.AppendHTML(nil, phoneweb.StatusMessages, phoneweb.Head{}, phoneweb.Content{Text: []string{"9:54:34p TFTP timeout : a.xml"}}))
	full := phoneweb.Info{Model: "CP-7941G", SerialNumber: "F1", AlternateTFTP: "Yes", TFTPServers: [2]string{"10.20.0.1", ""}}
	for name, c := range map[string]struct {
		phone pages
		info  phoneweb.Info
		read  []string // paths
		err   error
	}{
		"Serviceability": {
			pages{
				"/CGI/Java/Serviceability?adapter=device.statistics.device":        written(phoneweb.DeviceInformation, device),
				"/CGI/Java/Serviceability?adapter=device.statistics.configuration": written(phoneweb.NetworkSetup, network),
				"/CGI/Java/Serviceability?adapter=device.settings.status.messages": status,
				"/NetworkConfiguration": written(phoneweb.NetworkSetup, device),
			},
			full, []string{
				"/CGI/Java/Serviceability?adapter=device.statistics.device", "/CGI/Java/Serviceability?adapter=device.statistics.configuration",
				"/CGI/Java/Serviceability?adapter=device.settings.status.messages",
			}, nil,
		},
		"alias and XML": {
			pages{"/DeviceInformationX": string(xml), "/NetworkConfiguration": written(phoneweb.NetworkSetup, network), "/DeviceInformation": "<html>sign in</html>"},
			full, []string{"/DeviceInformationX", "/NetworkConfiguration"}, nil,
		},
		"one page": {
			pages{"/DeviceInformationX": string(xml)}, phoneweb.Info{Model: "CP-7941G", SerialNumber: "F1"}, []string{"/DeviceInformationX"}, nil,
		},
		"no phone": {pages{"/": "hello"}, phoneweb.Info{}, nil, ErrNoPage},
		"closed to us": {
			pages{"/CGI/Java/Serviceability?adapter=device.statistics.device": "", "/CGI/Java/Serviceability?adapter=device.statistics.configuration": ""},
			phoneweb.Info{}, nil, ErrForbidden,
		},
	} {
		reader, phone := at(t, c.phone)
		visit, err := reader.Visit(t.Context(), phone)
		var read []string
		for _, raw := range visit.Pages {
			read = append(read, raw.Path)
			if raw.Body != c.phone[raw.Path] {
				t.Errorf("%s: %s was not kept as it came", name, raw.Path)
			}
		}
		if !errors.Is(err, c.err) || visit.Info.Model != c.info.Model || !reflect.DeepEqual(visit.Info, c.info) || !reflect.DeepEqual(read, c.read) {
			t.Errorf("%s: %+v out of %v (%v), want %+v out of %v (%v)", name, visit.Info, read, err, c.info, c.read, c.err)
		}
		if want := []phoneweb.Status{{Time: "9:54:34p", Text: "TFTP timeout", File: "a.xml"}}; len(c.read) == 3 && !reflect.DeepEqual(visit.Status, want) {
			t.Errorf("%s: messages %v, want %v", name, visit.Status, want)
		}
	}
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(pages{})
	u, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	server.Close()
	address := netip.MustParseAddrPort(u.Host)
	reader := New(Config{Port: address.Port()})
	if _, err := reader.Visit(t.Context(), address.Addr()); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed port is %v", err)
	}
	if err := reader.Restart(t.Context(), address.Addr(), "", secret.String{}); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed port is told: %v", err)
	}
}

func TestConsole(t *testing.T) {
	t.Parallel()
	logs := string(phoneweb.Style{}.AppendHTML(nil, phoneweb.ConsoleLogs, phoneweb.Head{}, phoneweb.Content{Files: []string{"/FS/a", "/FS/b"}}))
	reader, phone := at(t, pages{"/console.html": logs, "/FS/a": "1: one\n", "/FS/b": "2: two\n"})
	if got, err := reader.Console(t.Context(), phone); err != nil || got != "1: one\n2: two\n" {
		t.Errorf("console %q (%v)", got, err)
	}
}

// oldPhone takes orders of one user and remembers them.
type oldPhone struct {
	mu   sync.Mutex
	keys []string
}

func (p *oldPhone) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	items, err := phoneweb.ParseExecute([]byte(r.PostFormValue("XML")))
	user, password, _ := r.BasicAuth()
	if err != nil || r.URL.Path != phoneweb.ExecutePath || user != "u" || password != "p" {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write(phoneweb.ExecuteError(phoneweb.ExecuteDenied))
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	var results []phoneweb.ExecuteResult
	for _, item := range items {
		p.keys = append(p.keys, item.URL)
		results = append(results, phoneweb.ExecuteResult{Item: item})
	}
	_, _ = w.Write(phoneweb.AppendExecuteResponse(nil, results))
}

func TestRestart(t *testing.T) {
	t.Parallel()
	old := &oldPhone{}
	reader, phone := at(t, old)
	err := reader.Restart(t.Context(), phone, "u", secret.New("q"))
	var number phoneweb.ExecuteNumber
	if !errors.As(err, &number) || number != phoneweb.ExecuteDenied || len(old.keys) != 0 {
		t.Errorf("a wrong password is %v, keys %v", err, old.keys)
	}
	if err := reader.Restart(t.Context(), phone, "u", secret.New("p")); err != nil {
		t.Fatal(err)
	}
	want := "Key:Settings Key:KeyPadStar Key:KeyPadStar Key:KeyPadPound Key:KeyPadStar Key:KeyPadStar"
	if got := strings.Join(old.keys, " "); got != want {
		t.Errorf("pressed %s, want %s", got, want)
	}
	if _, err := reader.Execute(t.Context(), phone, "u", secret.New("p")); err == nil {
		t.Error("an order of nothing was sent")
	}
}
