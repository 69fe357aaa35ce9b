package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"net/netip"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/store"
)

// sessionRecord is what the store keeps of a session, so that a phone may come back to it after a
// restart. Its name in the table is the SHA-256 of the cookie, never the cookie.
type sessionRecord struct {
	ID          uint64         `json:"id"` // public number, as `sessions list` shows it
	User        string         `json:"user"`
	Device      string         `json:"device,omitempty"`
	TunnelGroup string         `json:"tunnel_group"`
	GroupPolicy string         `json:"group_policy,omitempty"` // that the login named; empty: the tunnel group's default
	Address     netip.Addr     `json:"address,omitzero"`       // given at the first CONNECT
	Peer        netip.AddrPort `json:"peer,omitzero"`          // whom the login came from
	Began       time.Time      `json:"began"`
	UserAgent   string         `json:"user_agent,omitempty"`
	Enrolment   bool           `json:"enrolment,omitempty"` // a manufacturer certificate opened it: enrolment and files only
	// Whether the inventory had user and device when they logged in: then the session ends when it has not.
	UserDeclared   bool `json:"user_declared,omitempty"`
	DeviceDeclared bool `json:"device_declared,omitempty"`
	// What the server of users said of this login; it goes before inventory and policy.
	FramedAddress  netip.Addr    `json:"framed_address,omitzero"`
	IdleTimeout    time.Duration `json:"idle_timeout,omitzero"`
	SessionTimeout time.Duration `json:"session_timeout,omitzero"`
	Class          string        `json:"class,omitempty"` // goes back to it with accounts of the session
}

// addressRecord remembers who had an inner address last, under the address, so that a phone gets it again
// after a restart and a new login. There are never more than addresses in the pools.
type addressRecord struct {
	Owner string `json:"owner"`
}

// nodeRecord remembers the lease that this gateway's sessions hang on, so that a gateway that comes back
// in time finds them.
type nodeRecord struct {
	Lease store.LeaseID `json:"lease"`
}

func sessionTable(s store.Store) *store.Table[sessionRecord] {
	return store.NewTable[sessionRecord](s, "gateway/session/", 1, nil)
}

func addressTable(s store.Store, node string) *store.Table[addressRecord] {
	return store.NewTable[addressRecord](s, "gateway/address/"+node+"/", 1, nil)
}

func nodeTable(s store.Store) *store.Table[nodeRecord] {
	return store.NewTable[nodeRecord](s, "gateway/node/", 1, nil)
}

// cookieName is the name under which a cookie's session is found.
func cookieName(cookie secret.String) string {
	sum := sha256.Sum256([]byte(cookie.Reveal()))
	return hex.EncodeToString(sum[:])
}
