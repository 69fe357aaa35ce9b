package radius

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"time"

	wire "layeh.com/radius"

	"github.com/longcord/longcord/internal/secret"
)

// Server is a RADIUS server and how it is asked. Its methods may be called by several goroutines.
type Server struct {
	Authentication string        // host and port; empty: it is not asked about logins
	Accounting     string        // host and port; empty: it is told of no sessions
	Key            secret.String // shared with the server
	Timeout        time.Duration // for all tries of one question together
	Retry          time.Duration // from one try to the next
	// Unsigned takes replies without a Message-Authenticator, which only servers that cannot make one need:
	// whoever sits between can then turn a refusal into a welcome (CVE-2024-3596).
	Unsigned bool
	// MSCHAPv2 sends passwords as that, and has the server prove that it knows them too.
	MSCHAPv2 bool
	// NAS is how the gateway calls itself.
	NAS string
}

// NoAnswerError: the server gave no reply that counts. Nothing is known about the user.
type NoAnswerError struct {
	Server  string // host and port
	Refused error  // why the last reply that came was not taken; nil when none came
	Cause   error  // why it could not be asked or waited for
}

// Error says what happened, and what of it an operator can mend.
func (e *NoAnswerError) Error() string {
	switch {
	case e.Refused != nil:
		return fmt.Sprintf("radius: %s: %v", e.Server, e.Refused)
	case errors.Is(e.Cause, context.DeadlineExceeded):
		return fmt.Sprintf("radius: %s: no reply: it is down, or the key or this client's address is not the one it knows", e.Server)
	}
	return fmt.Sprintf("radius: %s: %v", e.Server, e.Cause)
}

// Unwrap returns why the server could not be waited for.
func (e *NoAnswerError) Unwrap() error { return e.Cause }

// exchange sends a question, again and again, until a reply passes check or the time is over.
func (s *Server) exchange(ctx context.Context, address string, question []byte, check func(reply []byte) error) (*wire.Packet, error) {
	ctx, cancel := context.WithTimeout(ctx, s.Timeout)
	defer cancel()
	no := &NoAnswerError{Server: address}
	conn, err := new(net.Dialer).DialContext(ctx, "udp", address)
	if err != nil {
		no.Cause = err
		return nil, no
	}
	defer conn.Close()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })
	defer stop()
	for ctx.Err() == nil {
		if _, no.Cause = conn.Write(question); no.Cause != nil {
			return nil, no // the host says that nobody is there
		}
		reply, err := s.await(ctx, conn, check, &no.Refused)
		if err == nil {
			return wire.Parse(reply, []byte(s.Key.Reveal()))
		}
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			no.Cause = err
			return nil, no
		}
	}
	no.Cause = ctx.Err()
	return nil, no
}

// await reads until a reply passes check, or it is time to send again.
func (s *Server) await(ctx context.Context, conn net.Conn, check func([]byte) error, refused *error) ([]byte, error) {
	if err := conn.SetReadDeadline(time.Now().Add(s.Retry)); err != nil {
		return nil, err
	}
	if ctx.Err() != nil { // it may have ended before the deadline was set
		return nil, os.ErrDeadlineExceeded
	}
	buffer := make([]byte, wire.MaxPacketLength)
	for {
		n, err := conn.Read(buffer)
		if err != nil {
			return nil, err
		}
		reply, err := cut(buffer[:n])
		if err == nil {
			err = check(reply)
		}
		if err == nil {
			return reply, nil
		}
		*refused = err
	}
}
