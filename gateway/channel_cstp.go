package gateway

import (
	"sync"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/tunnel"
)

// cstpChannel writes to a session's TLS connection. Packets come from the lane, which must not wait for
// a slow client: they queue, and a goroutine that lives only while there is something to write empties
// the queue. It is also the one who hangs up, so that nobody else ever waits for the connection.
type cstpChannel struct {
	conn *conn

	mu      sync.Mutex
	queue   [][]byte // each becomes one TLS record
	writing bool
	until   time.Time // zero: open; else nothing more is queued, and what is queued goes out by then
}

// maxQueue is how many packets may wait for a client that reads slowly; at 50 packets a second it is
// five seconds of voice, and more would only be late.
const maxQueue = 256

// newCSTPChannel returns a channel on which first goes out before everything else, once begin is called or
// something is sent.
func newCSTPChannel(c *conn, first []byte) *cstpChannel {
	return &cstpChannel{conn: c, queue: [][]byte{first}}
}

func (c *cstpChannel) begin() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.write()
}

// send queues bytes and reports whether there was room. It keeps b. The connection's own goroutine still
// runs.
func (c *cstpChannel) send(b []byte) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.until.IsZero() || len(c.queue) >= maxQueue {
		return false
	}
	c.queue = append(c.queue, b)
	c.write()
	return true
}

// close ends the channel after what is queued has been written.
func (c *cstpChannel) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() {
		c.until = time.Now().Add(writeTime)
		c.write()
	}
}

// write starts the writer unless it runs. mu is held.
func (c *cstpChannel) write() {
	if !c.writing {
		c.writing = true
		c.conn.g.wg.Go(c.drain)
	}
}

// drain writes until the queue is empty, and hangs up when the channel is closed or the client reads
// nothing.
func (c *cstpChannel) drain() {
	defer c.conn.contain()
	for {
		queue, until := c.next()
		if queue == nil {
			if !until.IsZero() {
				_ = c.conn.closeWrite() // the client may be gone already
				c.conn.hangUp()
			}
			return
		}
		for _, b := range queue {
			if err := c.conn.writeBy(c.deadline(), b); err != nil {
				c.conn.log.Debug("write", logging.Channel, tunnel.CSTP.String(), logging.Err, err)
				c.conn.hangUp() // the reader sees it and tells the session
				return          // and nobody writes again
			}
		}
	}
}

// next takes what is queued; when that is nothing the writer has ended.
func (c *cstpChannel) next() (queue [][]byte, until time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	queue, c.queue = c.queue, nil
	if queue == nil {
		c.writing = false
	}
	return queue, c.until
}

// deadline is when the next write has to be done.
func (c *cstpChannel) deadline() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.until.IsZero() {
		return time.Now().Add(writeTime)
	}
	return c.until
}
