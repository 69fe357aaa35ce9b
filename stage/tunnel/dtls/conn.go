package dtls

import (
	"fmt"
	"io"
	"sync"

	"github.com/longcord/longcord/wire/dtls"
)

// Conn protects the records of an established connection. Sealing and opening may happen at the same
// time and from any goroutine; each takes its own mutex, which is uncontended as long as one goroutine
// does each. Nothing allocates.
type Conn struct {
	version dtls.Version
	suite   dtls.Suite

	sealMu   sync.Mutex // guards what follows, up to the blank line
	out      protection
	sequence uint64 // of the next record sent

	openMu sync.Mutex // guards what follows
	in     protection
	window window
}

// dataEpoch is the epoch of everything after the one ChangeCipherSpec: there is no renegotiation.
const dataEpoch = 1

func newConn(version dtls.Version, suite dtls.Suite, keys keyBlock, client bool, rand io.Reader) (*Conn, error) {
	outKey, inKey, outMAC, inMAC, outIV, inIV := keys.serverKey, keys.clientKey, keys.serverMAC, keys.clientMAC, keys.serverIV, keys.clientIV
	if client {
		outKey, inKey, outMAC, inMAC, outIV, inIV = inKey, outKey, inMAC, outMAC, inIV, outIV
	}
	c := &Conn{version: version, suite: suite}
	var err, err2 error
	switch suite.Cipher() {
	case dtls.AESGCM:
		c.out, err = newGCM(outKey, outIV)
		c.in, err2 = newGCM(inKey, inIV)
	case dtls.ChaCha20:
		c.out, err = newChaCha20(outKey, outIV)
		c.in, err2 = newChaCha20(inKey, inIV)
	default:
		c.out, err = newCBC(outKey, outMAC, true, rand)
		c.in, err2 = newCBC(inKey, inMAC, false, nil)
	}
	if err == nil {
		err = err2
	}
	if err != nil {
		return nil, fmt.Errorf("dtls: keys: %w", err)
	}
	return c, nil
}

// Version is the version on the wire.
func (c *Conn) Version() dtls.Version { return c.version }

// Suite is the suite in use.
func (c *Conn) Suite() dtls.Suite { return c.suite }

// Headroom is how many bytes Seal needs before the content.
func (c *Conn) Headroom() int { return dtls.RecordHeaderLen + c.out.prefix() }

// Overhead is the most bytes that Seal adds to content in all, Headroom included.
func (c *Conn) Overhead() int { return c.Headroom() + c.out.suffix() }

// Seal protects the n bytes of application data at buf[Headroom():] in place and returns the datagram,
// which begins at buf[0]. buf must have a capacity of n+Overhead() bytes.
func (c *Conn) Seal(buf []byte, n int) ([]byte, error) {
	return c.seal(buf[:cap(buf)], n, dtls.ApplicationData)
}

// CloseNotify returns a datagram that tells the peer that the connection ends.
func (c *Conn) CloseNotify() ([]byte, error) {
	buf := make([]byte, c.Overhead()+2)
	copy(buf[c.Headroom():], []byte{1, 0}) // warning, close_notify: RFC 5246 section 7.2.1
	return c.seal(buf, 2, dtls.AlertRecord)
}

func (c *Conn) seal(buf []byte, n int, kind dtls.ContentType) ([]byte, error) {
	c.sealMu.Lock()
	defer c.sealMu.Unlock()
	h := pseudoHeader{number: dataEpoch<<48 | c.sequence, kind: kind, version: c.version}
	length, err := c.out.seal(buf[dtls.RecordHeaderLen:], n, h)
	if err != nil {
		return nil, fmt.Errorf("dtls: seal: %w", err)
	}
	dtls.PutHeader(buf, kind, c.version, dataEpoch, c.sequence, length)
	c.sequence++
	return buf[:dtls.RecordHeaderLen+length], nil
}

// Opened is a record that authenticated.
type Opened struct {
	Type    dtls.ContentType
	Content []byte // aliases the datagram
	Rest    []byte // what follows the record in the datagram
	Newest  bool   // its sequence number is above all before it
}

// Open authenticates and decrypts the first record of a datagram in place. A record that does not
// authenticate is overwritten all the same; one that was seen before, or of another epoch, is refused.
func (c *Conn) Open(datagram []byte) (Opened, error) {
	r, rest, err := dtls.ParseRecord(datagram)
	if err != nil {
		return Opened{}, err
	}
	if r.Epoch != dataEpoch || r.Version != c.version {
		return Opened{Rest: rest}, errOtherEpoch
	}
	c.openMu.Lock()
	defer c.openMu.Unlock()
	if !c.window.fresh(r.Sequence) {
		return Opened{Rest: rest}, errReplay
	}
	content, err := c.in.open(r.Fragment, pseudoHeader{number: dataEpoch<<48 | r.Sequence, kind: r.Type, version: c.version})
	if err != nil {
		return Opened{Rest: rest}, err
	}
	return Opened{Type: r.Type, Content: content, Rest: rest, Newest: c.window.accept(r.Sequence)}, nil
}

// Ahead returns how far the first record of a datagram is beyond the newest that was opened, or zero if it
// is not, or cannot be this connection's. It opens nothing, so anybody may have sent the record.
func (c *Conn) Ahead(datagram []byte) uint64 {
	r, _, err := dtls.ParseRecord(datagram)
	if err != nil || r.Epoch != dataEpoch || r.Version != c.version {
		return 0
	}
	c.openMu.Lock()
	defer c.openMu.Unlock()
	return c.window.ahead(r.Sequence)
}
