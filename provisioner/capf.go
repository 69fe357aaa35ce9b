package provisioner

import (
	"context"
	"crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/wire/capf"
)

// enrolment is one conversation of CAPF.
type enrolment struct {
	server  *TrustServer
	conn    net.Conn
	session *enrol.Server
	from    string // device whose tunnel it comes through, or empty
	over    bool
}

// serveCAPF holds one conversation.
func (s *TrustServer) serveCAPF(ctx context.Context, raw net.Conn) error {
	conn, err := s.handshake(ctx, raw, s.config.CAPFPair, false)
	if err != nil {
		return err
	}
	var session [4]byte
	_, _ = rand.Read(session[:]) // never fails
	e := &enrolment{server: s, conn: conn, session: enrol.NewServer(binary.BigEndian.Uint32(session[:]))}
	device, inTunnel := s.config.DeviceAt(peerOf(raw))
	if e.from = device; inTunnel && device == "" {
		e.from = "no phone"
	}
	err = e.do(ctx, e.session.Start(time.Now()))
	for err == nil && !e.over {
		err = e.next(ctx)
	}
	return errors.Join(err, conn.Close())
}

// next waits for the phone's next message, as long as its turn may take.
func (e *enrolment) next(ctx context.Context) error {
	if err := e.conn.SetReadDeadline(e.session.Wake()); err != nil {
		return err
	}
	m, err := capf.Read(e.conn)
	var timeout net.Error
	switch {
	case errors.As(err, &timeout) && timeout.Timeout():
		return e.do(ctx, e.session.Advance(time.Now()))
	case errors.Is(err, io.EOF):
		e.over = true
		e.server.log.Info("phone leaves enrolment half way", logging.Peer, e.conn.RemoteAddr().String())
		return nil
	case err != nil:
		return err
	}
	e.server.log.Log(ctx, logging.LevelTrace, "from phone", logging.Peer, e.conn.RemoteAddr().String(), "message", m.String())
	return e.do(ctx, e.session.Received(time.Now(), m))
}

func (e *enrolment) do(ctx context.Context, actions []enrol.Action) error {
	for _, a := range actions {
		var err error
		switch a := a.(type) {
		case enrol.Send:
			err = sendWhole(e.conn, a.Message)
		case enrol.Judge:
			err = e.judge(ctx, a.Claim)
		case enrol.Sign:
			var der []byte
			if der, err = e.server.config.Enrolments.Sign(ctx, a.Device, a.Public); err != nil {
				e.server.log.Error("certificate not issued", logging.Phone, a.Device, logging.Err, err)
			}
			err = e.do(ctx, e.session.Signed(time.Now(), der))
		case enrol.End:
			err = e.end(ctx, a.Outcome)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *enrolment) judge(ctx context.Context, c enrol.Claim) error {
	task, err := e.server.config.Enrolments.Judge(ctx, c, e.from)
	if err != nil {
		e.server.log.Error("phone not judged", logging.Phone, c.Device, logging.Err, err)
		task = enrol.Task{Why: "it could not be looked up"}
	}
	return e.do(ctx, e.session.Judged(time.Now(), task))
}

// end tells how it went, once for each conversation.
func (e *enrolment) end(ctx context.Context, o enrol.Outcome) error {
	e.over = true
	log := e.server.log.With(logging.Phone, o.Device, logging.Peer, e.conn.RemoteAddr().String(), "operation", o.Operation.String(), "says", o.Says)
	if err := e.server.config.Enrolments.Ended(ctx, o); err != nil {
		log.Error("enrolment not noted", logging.Err, err)
		return err
	}
	switch {
	case o.Done:
		log.Info("enrolment done")
	case o.Operation != enrol.Nothing:
		log.Warn("enrolment came to nothing")
	default: // anybody can cause these
		log.Info("enrolment refused")
	}
	return nil
}

// sawCertificate takes note of the certificate that a phone has shown in the handshake.
func (s *TrustServer) sawCertificate(ctx context.Context, state tls.ConnectionState) error {
	if len(state.PeerCertificates) == 0 {
		return nil
	}
	return s.config.Enrolments.Seen(ctx, state.PeerCertificates[0])
}
