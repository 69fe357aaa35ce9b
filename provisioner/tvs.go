package provisioner

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/tvs"
)

// serveTVS answers one question.
func (s *TrustServer) serveTVS(ctx context.Context, raw net.Conn) error {
	conn, err := s.handshake(ctx, raw, s.config.TVSPair, true)
	if err != nil {
		return err
	}
	if err := s.sawCertificate(ctx, conn.ConnectionState()); err != nil {
		s.log.Error("certificate not noted", logging.Err, err)
	}
	if err := conn.SetReadDeadline(time.Now().Add(tvsTime)); err != nil {
		return err
	}
	m, err := tvs.Read(conn)
	if errors.Is(err, io.EOF) {
		return nil // it only wanted to see who is there
	}
	if err != nil {
		return err
	}
	s.log.Log(ctx, logging.LevelTrace, "question", logging.Peer, raw.RemoteAddr().String(), "message", m.String())
	request, err := m.Request()
	if errors.Is(err, tvs.ErrOtherForm) {
		// What stands in docs/wire/tvs.md#elements as inferred is wrong for this phone.
		s.once("query", func() {
			s.log.Warn("phone asks in another way than is known", logging.Peer, raw.RemoteAddr().String(), "message", m.String())
		})
	}
	if err != nil {
		return err
	}
	answer := verify.AnswerTVS(request, s.config.Known())
	message, err := answer.Message()
	if err != nil {
		return err
	}
	said := "unknown"
	if answer.Valid {
		said = fmt.Sprint(answer.Roles)
	}
	s.log.Info("certificate asked about", logging.Phone, inventory.DeviceInName(request.Device), logging.Peer, raw.RemoteAddr().String(),
		"issuer", request.Issuer, "serial", fmt.Sprintf("%x", request.Serial), "answer", said)
	if err := sendWhole(conn, message); err != nil {
		return err
	}
	return conn.Close()
}
