// Package connect decides the third step: which gateway URL a phone tries next, how long it waits, and
// when it gives up. A phone's file names up to three URLs; they are tried in order, each within the
// file's failConnectTime, and after a round without success the phone waits, a little longer each time.
//
// Connector is one phone's. It is told what became of each try and returns what to do; it opens no
// connection and reads no clock. The order of URLs and the time limit are documented by the vendor, the
// waits between rounds are inferred: no source gives them.
package connect

import (
	"errors"
	"fmt"
	"time"
)

// DefaultLimit is failConnectTime where the file says nothing or 0.
const DefaultLimit = 30 * time.Second

// backoff is the wait after each round in which no URL worked; the last one repeats.
var backoff = []time.Duration{5 * time.Second, 10 * time.Second, 20 * time.Second, 40 * time.Second, 60 * time.Second}

// Config is what the phone's file says.
type Config struct {
	URLs  []string      // url1 to url3, in order; empty ones are passed over
	Limit time.Duration // failConnectTime: how long one try may take; 0 means DefaultLimit
}

// Action is what the phone does next.
type Action interface{ action() }

type (
	// Try connects and logs in to URL. It ends at Until at the latest; the outcome goes to Connected or
	// Failed.
	Try struct {
		URL   string
		Until time.Time
	}
	// GiveUp stops until someone changes what the phone logs in with and calls Start again. A phone
	// forgets its saved password here.
	GiveUp struct{}
)

func (Try) action()    {}
func (GiveUp) action() {}

// Failure is what became of a try that did not end in a session.
type Failure int

// The failures. The zero value is none.
const (
	Unusable Failure = iota + 1 // no answer in time, or not the phone's gateway: the next URL may do better
	Denied                      // the login was refused: the other URLs would refuse it too
)

// State is where the connector stands.
//
//	Idle ──Start──▶ Trying ──Connected──▶ Up ──Lost──▶ Trying
//	  ▲               │  ▲
//	  └────Denied─────┤  └──Advance── Waiting ◀── Failed at the last URL
type State int

// The states.
const (
	Idle State = iota
	Trying
	Waiting
	Up
)

func (s State) String() string {
	return [...]string{"idle", "trying", "waiting", "up"}[s]
}

// Connector chooses the URLs of one phone.
type Connector struct {
	urls   []string
	limit  time.Duration
	state  State
	at     int       // index of the URL being tried or in use
	tried  int       // URLs tried in this round
	rounds int       // rounds without success
	wake   time.Time // end of a wait
}

// New refuses a file without URLs.
func New(config Config) (*Connector, error) {
	c := &Connector{limit: config.Limit}
	for _, u := range config.URLs {
		if u != "" {
			c.urls = append(c.urls, u)
		}
	}
	if len(c.urls) == 0 {
		return nil, errors.New("connect: no gateway URL")
	}
	if c.limit <= 0 {
		c.limit = DefaultLimit
	}
	return c, nil
}

// State returns where the connector stands.
func (c *Connector) State() State { return c.state }

// Start begins with the first URL.
func (c *Connector) Start(now time.Time) ([]Action, error) {
	if c.state != Idle {
		return nil, c.illegal("start")
	}
	c.at, c.rounds = 0, 0
	return c.round(now), nil
}

// Connected tells that the try ended in a session.
func (c *Connector) Connected() error {
	if c.state != Trying {
		return c.illegal("connected")
	}
	c.state, c.rounds = Up, 0
	return nil
}

// Failed tells that the try ended without one.
func (c *Connector) Failed(now time.Time, why Failure) ([]Action, error) {
	if c.state != Trying {
		return nil, c.illegal("failed")
	}
	if why == Denied {
		c.state = Idle
		return []Action{GiveUp{}}, nil
	}
	c.at = (c.at + 1) % len(c.urls)
	if c.tried < len(c.urls) {
		return c.try(now), nil
	}
	c.state, c.at = Waiting, 0
	c.wake = now.Add(backoff[min(c.rounds, len(backoff)-1)])
	c.rounds++
	return nil, nil
}

// Lost tells that the session is gone and cannot be taken up again. The round begins at the URL that
// worked last.
func (c *Connector) Lost(now time.Time) ([]Action, error) {
	if c.state != Up {
		return nil, c.illegal("lost")
	}
	return c.round(now), nil
}

// Wake returns when Advance wants to be called; zero when never.
func (c *Connector) Wake() time.Time {
	if c.state != Waiting {
		return time.Time{}
	}
	return c.wake
}

// Advance tells the connector the time; at the end of a wait a new round begins.
func (c *Connector) Advance(now time.Time) []Action {
	if c.state != Waiting || now.Before(c.wake) {
		return nil
	}
	return c.round(now)
}

func (c *Connector) round(now time.Time) []Action {
	c.tried = 0
	return c.try(now)
}

func (c *Connector) try(now time.Time) []Action {
	c.state = Trying
	c.tried++
	return []Action{Try{URL: c.urls[c.at], Until: now.Add(c.limit)}}
}

func (c *Connector) illegal(event string) error {
	return fmt.Errorf("connect: %s in state %s", event, c.state)
}
