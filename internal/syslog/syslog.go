// Package syslog sends lines to a syslog server as network devices do: RFC 3164 over UDP, or a line each
// over TCP. Who has something to say never waits: lines queue, and when the queue is full they are
// dropped and counted.
package syslog

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/internal/logging"
)

// Config says where to and as whom. Server is required.
type Config struct {
	Server   string       // host:port
	Protocol string       // udp or tcp; empty: udp
	Facility int          // 0 to 23
	Host     string       // how this machine names itself in each line
	Log      *slog.Logger // nil discards
}

const (
	queueLength = 4096 // lines: a few hundred logins at once
	dialTime    = 10 * time.Second
	writeTime   = 10 * time.Second
	pause       = 5 * time.Second // between two tries to reach the server
)

// Sender sends lines.
type Sender struct {
	config  Config
	log     *slog.Logger
	queue   chan line
	dropped atomic.Uint64

	reported uint64 // of those dropped; Serve's own
}

type line struct {
	at       time.Time
	severity int
	text     string
}

// New checks the configuration.
func New(c Config) (*Sender, error) {
	if c.Protocol == "" {
		c.Protocol = "udp"
	}
	_, port, err := net.SplitHostPort(c.Server)
	switch {
	case err != nil || port == "":
		return nil, fmt.Errorf("syslog: %q is not host:port", c.Server)
	case c.Protocol != "udp" && c.Protocol != "tcp":
		return nil, fmt.Errorf("syslog: protocol %q is neither udp nor tcp", c.Protocol)
	case c.Facility < 0 || c.Facility > 23:
		return nil, fmt.Errorf("syslog: facility %d is not within 0 to 23", c.Facility)
	}
	return &Sender{config: c, log: logging.Or(c.Log).With(logging.Actor, "syslog"), queue: make(chan line, queueLength)}, nil
}

// Send queues a line, which must not hold a line break. It never waits.
func (s *Sender) Send(severity int, text string) {
	select {
	case s.queue <- line{time.Now(), severity, text}:
	default:
		s.dropped.Add(1)
	}
}

// Dropped returns how many lines were dropped because the queue was full.
func (s *Sender) Dropped() uint64 { return s.dropped.Load() }

// Serve sends what is queued until ctx ends, and then what is still queued, if the server takes it.
func (s *Sender) Serve(ctx context.Context) error {
	for ctx.Err() == nil {
		conn, err := s.dial(ctx)
		if err != nil {
			return nil // only when ctx has ended
		}
		err = s.drain(ctx, conn)
		err = errors.Join(err, conn.Close())
		if ctx.Err() == nil {
			s.log.Warn("syslog server went away", "server", s.config.Server, logging.Err, err)
		}
	}
	return nil
}

// report says how many lines were dropped since the last time.
func (s *Sender) report() {
	if n := s.dropped.Load(); n > s.reported {
		s.log.Warn("syslog lines dropped", "count", n-s.reported)
		s.reported = n
	}
}

// dial tries until it has a connection or ctx ends.
func (s *Sender) dial(ctx context.Context) (net.Conn, error) {
	for told := false; ; told = true {
		trying, cancel := context.WithTimeout(ctx, dialTime)
		conn, err := new(net.Dialer).DialContext(trying, s.config.Protocol, s.config.Server)
		cancel()
		if err == nil {
			s.log.Info("syslog server reached", "server", s.config.Server)
			return conn, nil
		}
		if !told {
			s.log.Warn("syslog server is not reached", "server", s.config.Server, logging.Err, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(pause):
		}
	}
}

// drain writes lines until the connection breaks or ctx ends. UDP does not break: an error there tells of
// an earlier datagram that nobody took.
func (s *Sender) drain(ctx context.Context, conn net.Conn) error {
	gone := make(chan struct{})
	if s.config.Protocol == "tcp" {
		go func() { // a server says nothing, so that reading tells when it is gone
			_, _ = conn.Read(make([]byte, 1))
			close(gone)
		}()
	}
	for {
		select {
		case l := <-s.queue:
			if err := s.write(conn, l); err != nil && s.config.Protocol == "tcp" {
				s.dropped.Add(1)
				return err
			}
			if len(s.queue) == 0 {
				s.report()
			}
		case <-gone:
			return errors.New("closed by the server")
		case <-ctx.Done():
			return s.finish(conn)
		}
	}
}

// finish writes what is queued now.
func (s *Sender) finish(conn net.Conn) error {
	for {
		select {
		case l := <-s.queue:
			if err := s.write(conn, l); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

func (s *Sender) write(conn net.Conn, l line) error {
	b := s.format(l)
	if s.config.Protocol == "tcp" {
		b = append(b, '\n')
	}
	if err := conn.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
		return err
	}
	_, err := conn.Write(b)
	return err
}

// format puts priority, time and host before a line, as an ASA does with `logging timestamp` and
// `logging device-id hostname`.
func (s *Sender) format(l line) []byte {
	return fmt.Appendf(nil, "<%d>%s %s : %s", s.config.Facility*8+l.severity, l.at.Format("Jan 02 2006 15:04:05"), s.config.Host, l.text)
}
