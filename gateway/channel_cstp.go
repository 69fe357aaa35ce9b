package gateway

import (
	"sync"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
)

// cstpChannel writes to a session's TLS connection. Packets come from the lane, which must not wait for
// a slow client: they queue, and a goroutine that lives only while there is something to write empties
// the queue.
type cstpChannel struct {
	conn *conn

	mu      sync.Mutex
	queue   [][]byte // each becomes one TLS record
	writing bool
	closing bool
}

// maxQueue is how many packets may wait for a client that reads slowly; at 50 packets a second it is
// five seconds of voice, and more would only be late.
const maxQueue = 256

func newCSTPChannel(c *conn) *cstpChannel { return &cstpChannel{conn: c} }

// send queues bytes and reports whether there was room. It keeps b.
func (c *cstpChannel) send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing || len(c.queue) >= maxQueue {
		return false
	}
	c.queue = append(c.queue, b)
	if !c.writing {
		c.writing = true
		c.conn.g.wg.Go(c.drain)
	}
	return true
}

// drain writes until the queue is empty.
func (c *cstpChannel) drain() {
	for {
		c.mu.Lock()
		queue := c.queue
		c.queue = nil
		if len(queue) == 0 {
			c.writing = false
			closing := c.closing
			c.mu.Unlock()
			if closing {
				c.hangUp()
			}
			return
		}
		c.mu.Unlock()
		for _, b := range queue {
			if err := c.conn.write(b); err != nil {
				c.conn.log.Debug("write", logging.Channel, tunnel.CSTP.String(), logging.Err, err)
				_ = c.conn.tls.NetConn().Close() // the reader sees it and tells the session
				c.mu.Lock()
				c.closing, c.writing, c.queue = true, false, nil
				c.mu.Unlock()
				return
			}
		}
	}
}

// close ends the channel after what is queued has been written.
func (c *cstpChannel) close() {
	c.mu.Lock()
	already := c.closing
	c.closing = true
	writing := c.writing
	c.mu.Unlock()
	if !already && !writing {
		c.hangUp()
	}
}

func (c *cstpChannel) hangUp() {
	_ = c.conn.closeWrite()          // the client may be gone already
	_ = c.conn.tls.NetConn().Close() // ends the reader
}
