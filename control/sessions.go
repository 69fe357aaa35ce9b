package control

import (
	"context"
	"io"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/internal/logging"
)

// SessionList is the gateway's sessions, oldest first.
type SessionList struct {
	Sessions []Session `json:"sessions"`
}

type logoffInput struct {
	Body struct {
		IDs []uint64 `json:"ids" minItems:"1" doc:"sessions to log off"`
		How Logoff   `json:"how,omitempty" enum:"must-log-in,may-return,stay-away" default:"must-log-in" doc:"what becomes of them"`
	}
}

type sessionInput struct {
	ID uint64 `path:"id"`
}

// AccessListList is the access lists in use, by name.
type AccessListList struct {
	AccessLists []AccessList `json:"access_lists"`
}

// LoggedOff is how many sessions were logged off.
type LoggedOff struct {
	Ended int `json:"ended"`
}

func (s *Server) registerSessions(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-sessions", Method: http.MethodGet, Path: "/sessions", Summary: "The gateway's sessions, oldest first",
	}, func(context.Context, *struct{}) (*body[SessionList], error) {
		return &body[SessionList]{SessionList{s.sessions()}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "logoff-sessions", Method: http.MethodPost, Path: "/sessions/logoff", Summary: "Log sessions off",
	}, func(ctx context.Context, in *logoffInput) (*body[LoggedOff], error) {
		if s.config.Sessions == nil {
			return nil, refuse(http.StatusNotFound, "no gateway runs here")
		}
		ended, err := s.config.Sessions.Logoff(ctx, in.Body.IDs, in.Body.How)
		if err != nil {
			return nil, err
		}
		s.log.Info("sessions logged off", "by", operator(ctx), "ids", in.Body.IDs, "how", string(in.Body.How), "ended", ended)
		return &body[LoggedOff]{LoggedOff{ended}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "list-access-lists", Method: http.MethodGet, Path: "/access-lists", Summary: "What the entries of access lists decided, by list",
	}, func(context.Context, *struct{}) (*body[AccessListList], error) {
		if s.config.Sessions == nil {
			return &body[AccessListList]{}, nil
		}
		return &body[AccessListList]{AccessListList{s.config.Sessions.AccessLists()}}, nil
	})
	huma.Register(api, huma.Operation{
		OperationID: "capture-session", Method: http.MethodGet, Path: "/sessions/{id}/capture", Summary: "The inner packets of a session as pcapng, until either ends",
	}, s.capture)
	huma.Register(api, huma.Operation{
		OperationID: "session-totals", Method: http.MethodGet, Path: "/sessions/totals", Summary: "How many sessions there are and were",
	}, func(context.Context, *struct{}) (*body[Totals], error) {
		if s.config.Sessions == nil {
			return &body[Totals]{}, nil
		}
		return &body[Totals]{s.config.Sessions.Totals()}, nil
	})
}

// capture streams what goes through a session's tunnel.
func (s *Server) capture(ctx context.Context, in *sessionInput) (*huma.StreamResponse, error) {
	if s.config.Sessions == nil {
		return nil, refuse(http.StatusNotFound, "no gateway runs here")
	}
	by := operator(ctx)
	run, err := s.config.Sessions.Capture(in.ID, by)
	if err != nil {
		return nil, err
	}
	return &huma.StreamResponse{Body: func(c huma.Context) {
		c.SetHeader("Content-Type", "application/x-pcapng")
		if err := run(c.Context(), flushed{c.BodyWriter()}); err != nil {
			s.log.Debug("capture", logging.Session, in.ID, logging.Err, err)
		}
	}}, nil
}

// flushed hands every write on at once.
type flushed struct{ io.Writer }

func (f flushed) Write(b []byte) (int, error) {
	n, err := f.Writer.Write(b)
	if flusher, ok := f.Writer.(http.Flusher); ok {
		flusher.Flush()
	}
	return n, err
}

func (s *Server) sessions() []Session {
	if s.config.Sessions == nil {
		return []Session{}
	}
	return append([]Session{}, s.config.Sessions.List()...)
}
