package phone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phoneweb"
	"github.com/longcord/longcord/wire/sip"
)

// Limits of the phone's web server.
const (
	webTime   = 10 * time.Second
	webConns  = 16
	webForm   = 4 << 10 // bytes of a request's body
	webExpire = 2 * time.Second
)

// consoleFile is where the page of console logs leads to.
const consoleFile = phoneweb.FilesFolder + "messages"

// serveWeb opens the phone's web pages; they are up until stop is called.
func (p *Phone) serveWeb() (stop func(), err error) {
	if !p.config.Web.IsValid() {
		return func() {}, nil
	}
	listener, err := net.Listen("tcp4", p.config.Web.String())
	if err != nil {
		return nil, fmt.Errorf("phone: web pages: %w", err)
	}
	server := &http.Server{
		Handler: http.HandlerFunc(p.web), ReadTimeout: webTime, WriteTimeout: webTime, MaxHeaderBytes: 8 << 10,
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			p.log.Warn("web pages end", logging.Err, err)
		}
	}()
	p.log.Info("web pages", "listen", listener.Addr())
	return func() {
		ctx, cancel := context.WithTimeout(context.Background(), webExpire)
		defer cancel()
		if server.Shutdown(ctx) != nil {
			_ = server.Close() // whoever still reads is cut off
		}
		<-done
	}, nil
}

// web answers one request, if the phone's file lets it.
func (p *Phone) web(w http.ResponseWriter, r *http.Request) {
	access := "0"
	if file := p.newestFile(); file != nil {
		access, _ = file.Setting("webAccess")
	}
	page, form, found := phoneweb.Find(r.URL.Path, r.URL.RawQuery)
	switch {
	case access == "1":
		http.Error(w, "Forbidden", http.StatusForbidden)
	case r.URL.Path == phoneweb.ExecutePath && access != "2":
		p.execute(w, r)
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
	case r.URL.Path == consoleFile:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		_, _ = io.WriteString(w, strings.Join(p.panel.show().console, "\n")+"\n") // the reader may leave
	case !found:
		http.NotFound(w, r)
	case form == phoneweb.XML:
		p.writeXML(w, page)
	default:
		p.writeHTML(w, page)
	}
}

func (p *Phone) writeXML(w http.ResponseWriter, page phoneweb.Page) {
	var rows phoneweb.Rows
	for _, f := range p.fieldsOf(page) {
		if f.element != "" {
			rows = append(rows, phoneweb.Row{Label: f.element, Value: f.value})
		}
	}
	if page == phoneweb.ConsoleLogs {
		for _, message := range p.panel.show().status {
			rows = append(rows, phoneweb.Row{Label: "status", Value: message})
		}
	}
	b, err := phoneweb.AppendXML(nil, page, rows)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(b) // the reader may leave
}

func (p *Phone) writeHTML(w http.ResponseWriter, page phoneweb.Page) {
	var content phoneweb.Content
	for _, f := range p.fieldsOf(page) {
		label := f.label
		if p.panel.style.Old {
			label = f.old
		}
		content.Rows = append(content.Rows, phoneweb.Row{Label: label, Value: f.value})
	}
	switch page {
	case phoneweb.StatusMessages:
		content.Text = p.panel.show().status
	case phoneweb.ConsoleLogs:
		content.Files = []string{consoleFile}
	case phoneweb.DebugDisplay:
		console := p.panel.show().console
		content.Text = console[max(0, len(console)-phoneweb.MaxStatus):]
	}
	w.Header().Set("Content-Type", "text/html; charset=UTF-8")
	head := phoneweb.Head{Model: p.config.Model.Name, Name: p.config.Name}
	_, _ = w.Write(p.panel.style.AppendHTML(nil, page, head, content)) // the reader may leave
}

// resetKeys is what a user types in the settings to restart a phone.
var resetKeys = []string{"Key:KeyPadStar", "Key:KeyPadStar", "Key:KeyPadPound", "Key:KeyPadStar", "Key:KeyPadStar"}

// execute does what a CiscoIPPhoneExecute asks for: keys, as far as this phone has them.
func (p *Phone) execute(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	r.Body = http.MaxBytesReader(w, r.Body, webForm)
	answer := phoneweb.ExecuteError(phoneweb.ExecuteParse)
	switch order, err := phoneweb.ParseExecute([]byte(r.PostFormValue("XML"))); {
	case !p.mayExecute(r):
		w.Header().Set("WWW-Authenticate", `Basic realm="user"`)
		w.WriteHeader(http.StatusUnauthorized)
		answer = phoneweb.ExecuteError(phoneweb.ExecuteDenied)
	case err == nil:
		answer = p.press(order)
	}
	w.Header().Set("Content-Type", "text/xml")
	_, _ = w.Write(answer) // the reader may leave
}

// mayExecute asks the authentication URL of the phone's file about a request's user. Without one everybody
// may.
func (p *Phone) mayExecute(r *http.Request) bool {
	file := p.newestFile()
	if file == nil || file.URLs.Authentication == "" {
		return true
	}
	user, password, ok := r.BasicAuth()
	if !ok {
		return false
	}
	query := url.Values{"UserID": {user}, "Password": {password}, "devicename": {p.config.Name}}
	return p.authorized(r.Context(), file, query)
}

// authorized asks with the phone's own sockets: through its tunnel, when it is in one.
func (p *Phone) authorized(ctx context.Context, file *cnf.Device, query url.Values) bool {
	target, err := url.Parse(file.URLs.Authentication)
	if err != nil {
		return false
	}
	for key, values := range target.Query() {
		if _, own := query[key]; !own {
			query[key] = values
		}
	}
	target.RawQuery = query.Encode()
	ctx, cancel := context.WithTimeout(ctx, webTime/2)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, target.String(), nil)
	if err != nil {
		return false
	}
	dialer := p.onNetwork().dialer(nil, 0)
	client := http.Client{Transport: &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		p.log.Warn("authentication URL does not answer", logging.Err, err)
		return false
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, 100))
	return err == nil && response.StatusCode == http.StatusOK && string(said) == "AUTHORIZED"
}

// press presses keys. Key:Settings and then **#** restart the phone, whether they come in one request or in
// several; of other keys nothing comes, as on a phone that shows something else.
func (p *Phone) press(order []phoneweb.ExecuteItem) []byte {
	var done []phoneweb.ExecuteResult
	for _, item := range order {
		result := phoneweb.ExecuteResult{Item: item}
		if !strings.HasPrefix(item.URL, "Key:") && !strings.HasPrefix(item.URL, "Init:") {
			result.Status, result.Data = 1, "not supported"
		}
		done = append(done, result)
		p.key(item.URL)
	}
	return phoneweb.AppendExecuteResponse(nil, done)
}

// key remembers the keys that were pressed in the settings.
func (p *Phone) key(key string) {
	p.mu.Lock()
	p.keys = append(p.keys, key)
	if key == "Key:Settings" || len(p.keys) > len(resetKeys)+1 {
		p.keys = p.keys[len(p.keys)-1:]
	}
	restarts := len(p.keys) > 0 && p.keys[0] == "Key:Settings" && slices.Equal(p.keys[1:], resetKeys)
	line := p.onLine
	if restarts {
		p.keys = nil
	}
	p.mu.Unlock()
	if restarts && line != nil {
		line.at().event(func(time.Time) {
			line.at().held = &register.Order{Action: sip.Restart}
			line.release()
		})
	}
}

// onNetwork is the network that the phone lives on.
func (p *Phone) onNetwork() network {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.onLine == nil {
		return network{}
	}
	return p.onLine.at().network
}

// newestFile returns the file that the phone lives by, or nil before it has one.
func (p *Phone) newestFile() *cnf.Device {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.running
}

// lives remembers the line that the phone lives on, nil when it has none.
func (p *Phone) lives(line line) {
	p.mu.Lock()
	p.onLine = line
	p.mu.Unlock()
	if line != nil {
		p.panel.at(line.at().local.String())
	}
}
