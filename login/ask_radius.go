package login

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/login/radius"
)

// nasIdentifier is how the gateway calls itself to servers.
const nasIdentifier = "longcord"

const defaultRetry = 3 // seconds

// radiusBackend asks a RADIUS server.
type radiusBackend struct{ server *radius.Server }

func (b radiusBackend) ask(ctx context.Context, r Request, state []byte) (opinion, error) {
	if b.server.Key.IsZero() {
		return opinion{}, errors.New("no key is declared for it")
	}
	answer, err := b.server.Authenticate(ctx, radius.Question{
		User: r.User, Password: r.Password, State: state, Peer: r.Source, Called: r.TunnelGroup,
	})
	if errors.Is(err, radius.ErrTooLong) {
		return opinion{reason: err.Error()}, nil
	}
	if err != nil {
		return opinion{}, err
	}
	switch answer.Verdict {
	case radius.Rejected:
		return opinion{reason: fmt.Sprintf("server %s refuses: %s", b.server.Authentication, cmp.Or(answer.Message, "no reason given"))}, nil
	case radius.Challenged:
		return opinion{verdict: challenged, prompt: cmp.Or(answer.Message, "Answer:"), state: append([]byte{}, answer.State...)}, nil
	}
	o := opinion{verdict: accepted, lock: answer.GroupLock, result: Result{
		User: r.User, Address: answer.Address, SessionTimeout: answer.SessionTimeout, IdleTimeout: answer.IdleTimeout, Class: answer.Class,
	}}
	for _, class := range answer.Class {
		if name, named := radius.GroupPolicy(class); name != "" || named {
			o.policies = append(o.policies, policyName{name, named})
		}
	}
	return o, nil
}

// radiusServer is how a declared RADIUS server is asked.
func radiusServer(declared *inventory.AAAServer) *radius.Server {
	required := declared.MessageAuthenticatorRequired
	return &radius.Server{
		Authentication: radius.Address(declared.Host, declared.AuthenticationPort, 1812),
		Accounting:     radius.Address(declared.Host, declared.AccountingPort, 1813),
		Key:            declared.Key,
		Timeout:        seconds(cmp.Or(declared.Timeout, defaultTimeout)),
		Retry:          seconds(cmp.Or(declared.RetryInterval, defaultRetry)),
		Unsigned:       required != nil && !*required,
		MSCHAPv2:       declared.MSCHAPv2Capable,
		NAS:            nasIdentifier,
	}
}
