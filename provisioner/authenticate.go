package provisioner

import (
	"crypto/rand"
	"crypto/subtle"
	"log/slog"
	"net/http"
	"net/netip"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage/provision"
)

// AuthenticatePath is where phones ask whether somebody may give them orders, when their file names it as
// authenticationURL. Only we may, and only just after Permit.
const AuthenticatePath = "/authenticate"

// permitTime is how long a permit holds: for a phone at home to be reached and to ask back, twice.
const permitTime = time.Minute

// orderUser is the user under which we give phones orders.
const orderUser = "longcord"

// permits are passwords for one phone each, for a short time. Nothing of them is kept.
type permits struct {
	mu  sync.Mutex
	all map[string]permit // by device
}

type permit struct {
	password string
	until    time.Time
}

// Permit returns user and password with which a phone can be given orders for a minute, if its file names us
// as authenticationURL. A new permit replaces the old.
func (p *Provisioner) Permit(device string) (user string, password secret.String) {
	fresh := permit{rand.Text(), time.Now().Add(permitTime)}
	p.permits.mu.Lock()
	defer p.permits.mu.Unlock()
	if p.permits.all == nil {
		p.permits.all = map[string]permit{}
	}
	p.permits.all[device] = fresh
	return orderUser, secret.New(fresh.password)
}

func (p *permits) allows(device, user, password string, now time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	for name, one := range p.all {
		if !now.Before(one.until) {
			delete(p.all, name)
		}
	}
	one, ok := p.all[device]
	return ok && user == orderUser && subtle.ConstantTimeCompare([]byte(one.password), []byte(password)) == 1
}

// authenticate answers a phone that was given an order. It wants one word and nothing else.
func (p *Provisioner) authenticate(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	device, answer := query.Get("devicename"), "UN-AUTHORIZED"
	if p.permits.allows(device, query.Get("UserID"), query.Get("Password"), time.Now()) {
		answer = "AUTHORIZED"
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	level := slog.LevelDebug // anybody can ask, with as long a name as he likes
	if answer == "AUTHORIZED" || p.asking.first(peer.Addr(), time.Now()) {
		level = slog.LevelInfo
	}
	p.log.Log(r.Context(), level, "phone asks who gives it orders", logging.Phone, provision.DeviceIn(device), logging.Peer, r.RemoteAddr, "answer", answer)
	w.Header().Set("Content-Type", "text/plain")
	_, _ = w.Write([]byte(answer)) // the phone may leave
}
