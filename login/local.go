package login

import (
	"context"
	"errors"
	"log/slog"
	"runtime"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
)

// waitPerCore is how many logins may wait for each that is being hashed: two seconds' worth.
const waitPerCore = 64

// Local logs in the users of the inventory. It may be used by several goroutines.
type Local struct {
	users    func() *inventory.Set
	renew    func(context.Context, string, secret.String, secret.String) error
	log      *slog.Logger
	queue    *queue
	memory   *memory
	standIns *standIns
}

// NewLocal returns a Local. At most one password per core is hashed at a time.
func NewLocal(c Config) (*Local, error) {
	if c.Users == nil {
		return nil, errors.New("login: no users given")
	}
	cores := runtime.GOMAXPROCS(0)
	return &Local{
		users: c.Users, renew: c.Renew, log: logging.Or(c.Logger),
		queue: newQueue(cores, cores*waitPerCore), memory: newMemory(), standIns: newStandIns(),
	}, nil
}

// Authenticate checks name, password and tunnel group. It returns ErrRefused, ErrBusy, or the context's
// error; a refusal says the same and takes the same time whatever was wrong.
func (l *Local) Authenticate(ctx context.Context, r Request) (Result, error) {
	set := l.users()
	user, ok := set.Users[r.User]
	if !ok || !l.memory.knows(user, r.Password) {
		var err error
		if set, user, err = l.verify(ctx, r); err != nil {
			return Result{}, err
		}
	}
	if reason := mayUse(set, user, r.TunnelGroup); reason != "" {
		return Result{}, refused(reason)
	}
	result := Result{User: user.Name, Devices: user.Devices}
	if device, ok := set.DeviceForUser(user.Name); ok {
		result.Device = device.Name
	}
	return result, nil
}

// verify waits for a turn, hashes, and remembers. It returns the inventory and the user as they were
// when the turn came.
func (l *Local) verify(ctx context.Context, r Request) (*inventory.Set, *inventory.User, error) {
	if err := l.queue.enter(ctx, r.Source); err != nil {
		return nil, nil, err
	}
	set := l.users()
	user, renewed, err := l.takeTurn(set, r)
	if err != nil {
		return nil, nil, err
	}
	l.memory.remember(set, user, l.save(ctx, user, renewed), r.Password)
	return set, user, nil
}

// takeTurn hashes the password, and once more when the stored hash should be renewed.
func (l *Local) takeTurn(set *inventory.Set, r Request) (user *inventory.User, renewed secret.String, err error) {
	defer l.queue.leave()
	user, stored, reason := l.stored(set, r.User)
	password := r.Password.Reveal()
	if len(password) > maxPassword {
		password, reason = password[:maxPassword], "password too long"
	}
	if !stored.verify(password) && reason == "" {
		reason = "wrong password"
	}
	if reason == "" && password == "" {
		reason = "empty password"
	}
	if reason != "" {
		return nil, secret.String{}, refused(reason)
	}
	if l.renew == nil || !outdated(stored) {
		return user, secret.String{}, nil
	}
	text, err := HashPassword(r.Password)
	return user, secret.New(text), err
}

// stored returns the user called name and the hash to check against. With a reason the login cannot
// succeed, and the hash is one that costs as much as somebody's.
func (l *Local) stored(set *inventory.Set, name string) (*inventory.User, hash, string) {
	user, ok := set.Users[name]
	if !ok {
		return nil, l.standIns.pick(set, name), "unknown user"
	}
	if user.PasswordHash.IsZero() {
		return nil, l.standIns.pick(set, name), "user without a password"
	}
	h, err := parseHash(user.PasswordHash.Reveal())
	if err != nil {
		return nil, l.standIns.pick(set, name), err.Error()
	}
	return user, h, ""
}

// save hands a renewed hash on, if there is one, and returns the hash that then is the user's.
func (l *Local) save(ctx context.Context, user *inventory.User, renewed secret.String) secret.String {
	if renewed.IsZero() {
		return user.PasswordHash
	}
	if err := l.renew(ctx, user.Name, user.PasswordHash, renewed); err != nil {
		l.log.Warn("password hash not renewed", logging.User, user.Name, logging.Err, err)
		return user.PasswordHash
	}
	return renewed
}
