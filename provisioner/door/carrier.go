package door

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
)

// Errors of a carrier.
var (
	// ErrSpent: the link was used, has expired, or was never made. Ask the office for another.
	ErrSpent = errors.New("door: the office does not know this link any more")
	// ErrStranger: who answers is not the gateway of the link. Do not go on.
	ErrStranger = errors.New("door: who answers there is not the gateway of the link")
)

// Carrier is a laptop that brings one phone its starter file.
type Carrier struct {
	link   Link
	http   http.Client
	log    *slog.Logger
	ticket string
}

// Limits of what the office sends.
const (
	carrierTime = 20 * time.Second // for one question to the office
	maxCarried  = 64 << 10
)

// NewCarrier returns a carrier for a link. It believes the certificates whose hashes the link holds, and no
// others.
func NewCarrier(link Link, log *slog.Logger) *Carrier {
	verify := func(raw [][]byte, _ [][]*x509.Certificate) error {
		if len(raw) > 0 && slices.Contains(link.Hashes, sha256.Sum256(raw[0])) {
			return nil
		}
		return ErrStranger
	}
	return &Carrier{link: link, log: logging.Or(log), http: http.Client{
		Timeout: carrierTime,
		Transport: &http.Transport{
			TLSClientConfig:   &tls.Config{InsecureSkipVerify: true, VerifyPeerCertificate: verify, MinVersion: tls.VersionTLS12}, // by hash instead
			DisableKeepAlives: true,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// Fetch uses the link up and returns what it brings.
func (c *Carrier) Fetch(ctx context.Context) (Carried, error) {
	carried, err := c.ask(ctx, http.MethodPost, "")
	if err != nil {
		return Carried{}, err
	}
	if err := carried.check(); err != nil {
		return Carried{}, err
	}
	c.ticket = carried.Ticket
	return carried, nil
}

// Connected asks whether the phone has come through the tunnel since.
func (c *Carrier) Connected(ctx context.Context) (bool, error) {
	carried, err := c.ask(ctx, http.MethodGet, c.ticket)
	return carried.Connected, err
}

func (c *Carrier) ask(ctx context.Context, method, ticket string) (Carried, error) {
	r, err := http.NewRequestWithContext(ctx, method, "https://"+c.link.Host+inventory.ReservedPath+c.link.Token, strings.NewReader(""))
	if err != nil {
		return Carried{}, fmt.Errorf("door: %w", err)
	}
	r.Header.Set("Content-Type", jsonType)
	if ticket != "" {
		r.Header.Set("Authorization", ticketScheme+ticket)
	}
	response, err := c.http.Do(r)
	if err != nil {
		return Carried{}, fmt.Errorf("door: %w", err)
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK || response.Header.Get("Content-Type") != jsonType {
		return Carried{}, ErrSpent
	}
	body, err := io.ReadAll(io.LimitReader(response.Body, maxCarried))
	if err != nil {
		return Carried{}, fmt.Errorf("door: %w", err)
	}
	return parseCarried(body)
}

var deviceName = regexp.MustCompile(`^SEP[0-9A-F]{12}$`)

func parseCarried(body []byte) (c Carried, err error) {
	if err := json.Unmarshal(body, &c); err != nil {
		return Carried{}, fmt.Errorf("door: answer of the office: %w", err)
	}
	if !deviceName.MatchString(c.Device) {
		return Carried{}, fmt.Errorf("door: answer of the office: %q is no device name", c.Device)
	}
	return c, nil
}

// check refuses a file that the phone could not use.
func (c Carried) check() error {
	d, err := cnf.Parse(c.File)
	if err == nil {
		err = provision.Usable(d)
	}
	if err == nil && d.VPN == nil {
		err = errors.New("it names no VPN gateway")
	}
	if err != nil {
		return fmt.Errorf("door: the file that the office gave: %w", err)
	}
	return nil
}

// Delivery says how the file got to the phone.
type Delivery struct {
	Phone     netip.AddrPort
	Transport provision.Transport
}

// Stall is a carrier's file server beside the phone.
type Stall struct {
	server  *server
	counter *counter
}

// Spread opens a file server at an address of the laptop that has nothing to give yet. A port that is taken is a
// *net.OpError in the chain. Close it.
func (c *Carrier) Spread(ctx context.Context, tftp, http netip.AddrPort) (*Stall, error) {
	s := &Stall{counter: &counter{delivered: make(chan Delivery, 1), log: c.log, phones: map[netip.Addr]*provision.Door{}}}
	var err error
	if s.server, err = listen(ctx, tftp, http, s.counter, c.log); err != nil {
		return nil, err
	}
	if err := s.server.admitAll(); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// Offer gives the file from now on, to the phone that it is for, from whatever address that asks for it.
func (s *Stall) Offer(carried Carried) {
	s.counter.offer(provision.File{Name: provision.ConfigFile(carried.Device), Device: carried.Device, Content: carried.File})
}

// Addresses returns where it listens.
func (s *Stall) Addresses() (tftp, http netip.AddrPort) { return s.server.addresses() }

// Delivered receives when the file has arrived at the phone.
func (s *Stall) Delivered() <-chan Delivery { return s.counter.delivered }

// Close ends it.
func (s *Stall) Close() error {
	err := s.server.close()
	s.server.wait()
	return err
}

// LocalAddress is the laptop's address on the way to the office, which mostly is the one that a phone on the
// same network reaches.
func (c *Carrier) LocalAddress(ctx context.Context) (netip.Addr, error) {
	host := c.link.Host
	if _, _, err := net.SplitHostPort(host); err != nil {
		host += ":443"
	}
	conn, err := new(net.Dialer).DialContext(ctx, "udp4", host) // sends nothing
	if err != nil {
		return netip.Addr{}, fmt.Errorf("door: own address: %w", err)
	}
	defer conn.Close()
	return conn.LocalAddr().(*net.UDPAddr).AddrPort().Addr().Unmap(), nil
}
