// Package reader reads the web pages of phones, real ones and ours, and presses their keys: what can be
// learnt of a phone, and done to it, where another call manager has it.
//
// A page is asked for in the forms that phones have, Serviceability first, then its short name, then XML; the
// first that holds anything counts. Visit reads what a phone is, Execute sends an order to its keys. Nothing is
// kept here, and no phone is visited unasked.
package reader

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/phoneweb"
)

// Times. Phones answer slowly, and those outside through a tunnel.
const (
	dialTime = 3 * time.Second
	pageTime = 10 * time.Second
)

var (
	// ErrClosed: nobody listens there. The phone is away, or its web access is off.
	ErrClosed = errors.New("reader: the phone's web pages do not answer")
	// ErrForbidden: it listens and does not let us.
	ErrForbidden = errors.New("reader: the phone does not let us read its pages")
	// ErrNoPage: what answers has no page of a phone.
	ErrNoPage = errors.New("reader: no page of a phone")
)

// Reader reads pages.
type Reader struct {
	http http.Client
	port uint16
}

// Config is how a Reader reads. The zero value is good.
type Config struct {
	Port uint16 // 0 means 80
}

// New makes a reader.
func New(config Config) *Reader {
	if config.Port == 0 {
		config.Port = 80
	}
	dialer := net.Dialer{Timeout: dialTime}
	return &Reader{port: config.Port, http: http.Client{
		Timeout:       pageTime,
		Transport:     &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Visit is what a phone showed.
type Visit struct {
	Info   phoneweb.Info     `json:"info"`
	Status []phoneweb.Status `json:"status"` // messages, as the phone orders them
	At     time.Time         `json:"at"`
	Pages  []Raw             `json:"pages,omitempty"` // as they came
}

// Raw is a page as it came.
type Raw struct {
	Page string `json:"page"`
	Path string `json:"path"`
	Body string `json:"body"`
}

// Visit reads a phone's device information, network setup and status messages. It is an error when neither of
// the first two can be read; the third is extra.
func (r *Reader) Visit(ctx context.Context, phone netip.Addr) (Visit, error) {
	v := Visit{At: time.Now(), Status: []phoneweb.Status{}}
	var rows [2]phoneweb.Rows
	var failed error
	for i, page := range []phoneweb.Page{phoneweb.DeviceInformation, phoneweb.NetworkSetup} {
		raw, err := r.page(ctx, phone, page, func(b []byte) (err error) { rows[i], err = phoneweb.Parse(b); return err })
		if err != nil {
			failed = errors.Join(failed, err)
			if errors.Is(err, ErrClosed) {
				return v, err
			}
			continue
		}
		v.Pages = append(v.Pages, raw)
	}
	if len(v.Pages) == 0 {
		return v, failed
	}
	v.Info = phoneweb.ReadInfo(rows[0], rows[1])
	raw, err := r.page(ctx, phone, phoneweb.StatusMessages, func(b []byte) error {
		for _, line := range phoneweb.Text(b) {
			if message, ok := phoneweb.ParseStatus(line); ok {
				v.Status = append(v.Status, message)
			}
		}
		return nil
	})
	if err == nil {
		v.Pages = append(v.Pages, raw)
	}
	return v, nil
}

// Console returns a phone's console log: the files that its page of logs leads to, one after the other.
func (r *Reader) Console(ctx context.Context, phone netip.Addr) (string, error) {
	var files []string
	_, err := r.page(ctx, phone, phoneweb.ConsoleLogs, func(b []byte) error {
		if files = phoneweb.Files(b); len(files) == 0 {
			return phoneweb.ErrNoRows
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	var all bytes.Buffer
	for _, file := range files {
		b, err := r.get(ctx, phone, file, maxLog)
		if err != nil {
			return all.String(), err
		}
		all.Write(b)
	}
	return all.String(), nil
}

// maxLog bounds a file of a console log.
const maxLog = 4 << 20

// page gets a page in the first form in which it can be read.
func (r *Reader) page(ctx context.Context, phone netip.Addr, page phoneweb.Page, read func([]byte) error) (Raw, error) {
	failed := fmt.Errorf("%w: %s", ErrNoPage, page)
	for _, form := range []phoneweb.Form{phoneweb.Serviceability, phoneweb.Alias, phoneweb.XML} {
		path := page.Path(form)
		if path == "" {
			continue
		}
		b, err := r.get(ctx, phone, path, phoneweb.MaxPage)
		if errors.Is(err, ErrClosed) || ctx.Err() != nil {
			return Raw{}, err
		}
		if err == nil {
			err = read(b)
		}
		if err == nil {
			return Raw{page.String(), path, string(b)}, nil
		}
		if errors.Is(err, ErrForbidden) {
			failed = err
		}
	}
	return Raw{}, failed
}

func (r *Reader) get(ctx context.Context, phone netip.Addr, path string, most int64) ([]byte, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, r.address(phone)+path, nil)
	if err != nil {
		return nil, fmt.Errorf("reader: %w", err)
	}
	return r.do(request, most)
}

func (r *Reader) address(phone netip.Addr) string {
	return "http://" + netip.AddrPortFrom(phone, r.port).String()
}

func (r *Reader) do(request *http.Request, most int64) ([]byte, error) {
	response, err := r.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrClosed, err)
	}
	defer response.Body.Close()
	b, err := io.ReadAll(io.LimitReader(response.Body, most+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reader: %s: %w", request.URL.Path, err)
	case response.StatusCode == http.StatusUnauthorized, response.StatusCode == http.StatusForbidden:
		return b, fmt.Errorf("%w: %s answers %s", ErrForbidden, request.URL.Path, response.Status)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("%w: %s answers %s", ErrNoPage, request.URL.Path, response.Status)
	case int64(len(b)) > most:
		return nil, fmt.Errorf("reader: %s exceeds %d bytes", request.URL.Path, most)
	}
	return b, nil
}

// Execute has a phone do something, as a user whom its authentication URL authorizes. An ExecuteNumber is the
// phone's refusal.
func (r *Reader) Execute(ctx context.Context, phone netip.Addr, user string, password secret.String, items ...phoneweb.ExecuteItem) ([]phoneweb.ExecuteResult, error) {
	order, err := phoneweb.AppendExecute(nil, items...)
	if err != nil {
		return nil, err
	}
	form := url.Values{"XML": {string(order)}}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, r.address(phone)+phoneweb.ExecutePath, bytes.NewReader([]byte(form)))
	if err != nil {
		return nil, fmt.Errorf("reader: %w", err)
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if user != "" {
		request.SetBasicAuth(user, password.Reveal())
	}
	b, err := r.do(request, phoneweb.MaxPage)
	if len(b) > 0 {
		results, said := phoneweb.ParseExecuteResponse(b)
		if number := phoneweb.ExecuteNumber(0); err == nil || errors.As(said, &number) {
			return results, said
		}
	}
	return nil, err
}

// Restart has a phone restart by the keys that a user would press: Settings and then **#**. Only 79xx are
// known to have these keys.
func (r *Reader) Restart(ctx context.Context, phone netip.Addr, user string, password secret.String) error {
	star, pound := phoneweb.ExecuteItem{URL: "Key:KeyPadStar"}, phoneweb.ExecuteItem{URL: "Key:KeyPadPound"}
	for _, keys := range [][]phoneweb.ExecuteItem{{{URL: "Key:Settings"}, star, star}, {pound, star, star}} {
		results, err := r.Execute(ctx, phone, user, password, keys...)
		if err != nil {
			return err
		}
		for _, result := range results {
			if result.Status != 0 {
				return fmt.Errorf("reader: %s: status %d %s", result.Item.URL, result.Status, result.Data)
			}
		}
	}
	return nil
}
