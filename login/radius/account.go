package radius

import (
	"context"
	"fmt"
	"net/netip"
	"time"

	wire "layeh.com/radius"
	"layeh.com/radius/rfc2865"
	"layeh.com/radius/rfc2866"
	"layeh.com/radius/rfc2869"
)

// Account is one report on a session.
type Account struct {
	Status  Status
	Session string // differs from that of every other session, ever
	User    string
	Peer    netip.Addr
	Called  string     // tunnel group
	Address netip.Addr // inner
	Class   [][]byte   // that came with the login
	At      time.Time  // of what is told; the report may come later

	Time                   time.Duration // that the session has lasted
	FromBytes, ToBytes     uint64        // from and to the user
	FromPackets, ToPackets uint64
	Cause                  Cause // of the end; only with Stop
}

// Status is the kind of an Account.
type Status uint32

// The kinds, as numbers of Acct-Status-Type.
const (
	Start   Status = 1
	Stop    Status = 2
	Interim Status = 3
)

// Cause is why a session ended, as a number of Acct-Terminate-Cause.
type Cause uint32

// The causes that a gateway knows.
const (
	UserRequest    Cause = 1
	LostService    Cause = 3
	IdleTimeout    Cause = 4
	SessionTimeout Cause = 5
	AdminReset     Cause = 6
	NASError       Cause = 9
)

// Account tells the server of a session and returns when it has confirmed that. The error is a
// *NoAnswerError, or says that the report cannot be made.
func (s *Server) Account(ctx context.Context, a Account) error {
	key := []byte(s.Key.Reveal())
	p := wire.New(wire.CodeAccountingRequest, key)
	p.Add(rfc2866.AcctStatusType_Type, wire.NewInteger(uint32(a.Status)))
	p.Add(rfc2866.AcctSessionID_Type, wire.Attribute(a.Session[:min(len(a.Session), maxText)]))
	p.Add(rfc2865.UserName_Type, wire.Attribute(a.User[:min(len(a.User), maxText)]))
	s.addCaller(p, a.Peer, a.Called)
	a.addTo(p)
	question, err := p.Encode()
	if err != nil {
		return fmt.Errorf("radius: account of session %s: %w", a.Session, err)
	}
	_, err = s.exchange(ctx, s.Accounting, question, func(reply []byte) error {
		if wire.Code(reply[0]) != wire.CodeAccountingResponse {
			return fmt.Errorf("its reply is a %s", wire.Code(reply[0]))
		}
		return genuine(reply, question, key, true) // RFC 2866 knows no Message-Authenticator; the reply's own signature counts
	})
	return err
}

func (a Account) addTo(p *wire.Packet) {
	number := func(t wire.Type, n uint64) { p.Add(t, wire.NewInteger(uint32(n))) }
	if a.Address.Is4() {
		four := a.Address.As4()
		p.Add(rfc2865.FramedIPAddress_Type, four[:])
	}
	for _, class := range a.Class {
		p.Add(rfc2865.Class_Type, class)
	}
	number(rfc2866.AcctDelayTime_Type, uint64(max(0, time.Since(a.At))/time.Second))
	number(rfc2869.EventTimestamp_Type, uint64(a.At.Unix()))
	if a.Status == Start {
		return
	}
	number(rfc2866.AcctSessionTime_Type, uint64(a.Time/time.Second))
	number(rfc2866.AcctInputOctets_Type, a.FromBytes)
	number(rfc2866.AcctOutputOctets_Type, a.ToBytes)
	number(rfc2869.AcctInputGigawords_Type, a.FromBytes>>32)
	number(rfc2869.AcctOutputGigawords_Type, a.ToBytes>>32)
	number(rfc2866.AcctInputPackets_Type, a.FromPackets)
	number(rfc2866.AcctOutputPackets_Type, a.ToPackets)
	if a.Status == Stop {
		number(rfc2866.AcctTerminateCause_Type, uint64(a.Cause))
	}
}
