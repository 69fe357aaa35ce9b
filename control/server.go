// Package control is what an operator can do with the running system, as typed operations: an HTTP API
// with an OpenAPI document, served over a local socket, and its client. The command line and other
// people's scripts use only that.
//
// Changes to the inventory all go one way: objects are sent as an inventory file, and are applied all or
// not at all. The server asks the rest of the system through the small interfaces below. Whoever may
// open the socket may do everything; there is no login here.
package control

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humago"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/fitness"
	"github.com/longcord/longcord/inventory/impact"
)

// Catalog keeps the inventory; *catalog.Catalog is one.
type Catalog interface {
	Current() *inventory.Set
	Apply(ctx context.Context, objects []inventory.Object, o catalog.Options) (catalog.Changes, error)
	Delete(ctx context.Context, objects []catalog.Ref, o catalog.Options) (catalog.Changes, error)
	Preview(ctx context.Context, objects []inventory.Object, o catalog.Options) (catalog.Preview, error)
}

// Sessions are the gateway's.
type Sessions interface {
	// List returns the sessions, oldest first.
	List() []Session
	// Logoff logs sessions off by their ids and returns how many there were.
	Logoff(ctx context.Context, ids []uint64, how Logoff) (int, error)
	// Totals returns how many there are and were.
	Totals() Totals
	// AccessLists returns the access lists that sessions were held to, with what each entry decided.
	AccessLists() []AccessList
	// Capture begins to look into a session for somebody. What it returns writes pcapng until its context
	// or the session ends; it must be run.
	Capture(id uint64, by string) (func(context.Context, io.Writer) error, error)
}

// Config is what a Server is made of. Sessions, Registrations and Deliveries may be nil where no gateway, no
// call manager or no provisioner runs, Findings where nobody keeps any.
type Config struct {
	Socket        string // path
	Catalog       Catalog
	Status        func() Status
	Sessions      Sessions
	Registrations func() []Registration
	Deliveries    func() map[string][]Delivery // by device, newest first
	Strangers     func() []Stranger            // the last to ask first; nil: nobody meets any
	Invitations   Invitations                  // nil: nobody can be invited
	// Fitness judges whether a phone is fit to go home, with a name server outside if one is named.
	Fitness      func(ctx context.Context, device *inventory.Device, resolver string) []fitness.Check
	Certificates func() []Certificate
	Rollovers    Rollovers
	Enrolments   Enrolments                                          // nil: no certificates for phones are made here
	Impact       func(before, after *inventory.Set) []impact.Touched // what a change does to phones; nil: nobody knows
	Trust        Trust                                               // nil: there are no keys here
	// Stamps returns the version stamps of phones' files as an inventory makes them. Nil: nobody makes files.
	Stamps func(*inventory.Set) map[string]string
	Teller Teller // nil where no call manager runs
	// Live reads a phone's own web pages. Its error may be a *Refusal. Nil: nobody does.
	Live     func(ctx context.Context, phone string) (Live, error)
	Findings *finding.Board
	// Exported hears that the whole inventory was handed out with its secrets. Nil: nobody wants to know.
	Exported func(context.Context) error
	Log      *slog.Logger // nil discards
}

// Server answers operators.
type Server struct {
	config   Config
	log      *slog.Logger
	listener net.Listener
	http     *http.Server

	writing sync.Mutex // one change at a time, from looking to committing
}

// How long a request may take to arrive, and a finished one to be answered at the end.
const (
	headerTimeout = 5 * time.Second
	bodyTimeout   = 30 * time.Second
	shutdownGrace = 2 * time.Second
	maxInventory  = 32 << 20 // bytes of an inventory file
)

// New returns a server that is not open yet.
func New(c Config) (*Server, error) {
	if c.Socket == "" || c.Catalog == nil || c.Status == nil {
		return nil, errors.New("control: socket, catalog or status is missing")
	}
	if c.Registrations == nil {
		c.Registrations = func() []Registration { return nil }
	}
	if c.Deliveries == nil {
		c.Deliveries = func() map[string][]Delivery { return nil }
	}
	s := &Server{config: c, log: logging.Or(c.Log).With(logging.Actor, "control")}
	s.http = &http.Server{
		Handler: s.handler(), ReadHeaderTimeout: headerTimeout, ConnContext: withOperator,
		ErrorLog: slog.NewLogLogger(s.log.Handler(), slog.LevelDebug),
	}
	return s, nil
}

// Open makes the socket. From then on clients can connect; Serve answers them.
func (s *Server) Open() error {
	listener, err := listen(s.config.Socket)
	if err != nil {
		return fmt.Errorf("control: %w", err)
	}
	s.listener = listener
	return nil
}

// Serve answers until ctx ends, then lets requests that run come to an end, and removes the socket. Open
// must have been called.
func (s *Server) Serve(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- s.http.Serve(s.listener) }()
	select {
	case err := <-done:
		return fmt.Errorf("control: %w", err)
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownGrace)
	defer cancel()
	err := s.http.Shutdown(grace)
	if err != nil {
		err = s.http.Close()
	}
	if ended := <-done; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}

func (s *Server) handler() http.Handler {
	mux := http.NewServeMux()
	config := huma.DefaultConfig("Longcord", "1")
	config.CreateHooks = nil // no links to schemas in answers
	config.DocsPath, config.SchemasPath = "", ""
	config.RejectUnknownQueryParameters = true
	api := humago.NewWithPrefix(mux, "/api/v1", config)
	s.registerStatus(api)
	s.registerFindings(api)
	s.registerInventory(api)
	s.registerPlan(api)
	s.registerPhones(api)
	s.registerStrangers(api)
	s.registerInvitations(api)
	s.registerTell(api)
	s.registerReady(api)
	s.registerLive(api)
	s.registerSessions(api)
	s.registerCertificates(api)
	s.registerEnrolments(api)
	s.registerTrust(api)
	return mux
}

func (s *Server) registerStatus(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "status", Method: http.MethodGet, Path: "/status", Summary: "The running system at a glance",
	}, func(context.Context, *struct{}) (*body[Status], error) {
		return &body[Status]{s.config.Status()}, nil
	})
}

// FindingList is what is wrong now, in story order.
type FindingList struct {
	Findings []finding.Standing `json:"findings"`
}

func (s *Server) registerFindings(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-findings", Method: http.MethodGet, Path: "/findings", Summary: "What is wrong now, in story order",
	}, func(context.Context, *struct{}) (*body[FindingList], error) {
		return &body[FindingList]{FindingList{s.config.Findings.Findings()}}, nil
	})
}

// body is an answer that consists of a body alone.
type body[T any] struct{ Body T }
