// Package tls10 writes TLS 1.0 as old peers need it: one write, one record.
//
// At TLS 1.0 with CBC, crypto/tls sends the first byte of each write in a record of its own. That
// protects browsers, and ends the tunnel of every peer that takes a record for a packet. So crypto/tls
// does the handshake and all reading, and from then on we write the records: a Recorder below crypto/tls
// watches the handshake for what that takes, and TakeOver returns the connection. Connections of other
// versions come out as they are. See docs/wire/cstp.md#one-packet-one-record.
package tls10

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/tls"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"net"
	"sync"
	"time"

	"github.com/longcord/longcord/internal/prf"
)

// MaxRecord is the most content that one record holds, in bytes.
const MaxRecord = 1 << 14

// Recorder is the socket below crypto/tls. It keeps what passes during the handshake.
type Recorder struct {
	net.Conn
	client    bool
	recording bool
	written   bytes.Buffer
	read      bytes.Buffer // a client finds the server's random there
	keys      bytes.Buffer // this connection's key log line; key material, wiped by TakeOver
}

// Record wraps a socket for tls.Client or tls.Server.
func Record(conn net.Conn, client bool) *Recorder {
	return &Recorder{Conn: conn, client: client, recording: true}
}

// Write is only ever called by crypto/tls, one call at a time.
func (r *Recorder) Write(b []byte) (int, error) {
	if r.recording {
		r.written.Write(b)
	}
	return r.Conn.Write(b)
}

// Read is only ever called by crypto/tls, one call at a time.
func (r *Recorder) Read(b []byte) (int, error) {
	n, err := r.Conn.Read(b)
	if r.recording && r.client {
		r.read.Write(b[:n])
	}
	return n, err
}

// KeyLog returns the KeyLogWriter that the connection's tls.Config must have: it tells the recorder the
// master secret, and also whoever else wants it; also may be nil. Session tickets must be disabled.
func (r *Recorder) KeyLog(also io.Writer) io.Writer {
	if also == nil {
		return &r.keys
	}
	return io.MultiWriter(&r.keys, also)
}

// Conn is a TLS connection. At TLS 1.0 each Write of up to MaxRecord bytes is one record.
type Conn struct {
	*tls.Conn
	old *writer // nil: crypto/tls writes
}

// TakeOver ends the recording when conn, which must run over r, has shaken hands. Nothing may have been
// written to conn, and afterwards only the Conn may be used.
func (r *Recorder) TakeOver(conn *tls.Conn) (*Conn, error) {
	r.recording = false
	keys := r.keys.Bytes()
	defer clear(keys)
	written, read := r.written.Bytes(), r.read.Bytes()
	r.written, r.read = bytes.Buffer{}, bytes.Buffer{}
	state := conn.ConnectionState()
	if state.Version != tls.VersionTLS10 {
		return &Conn{Conn: conn}, nil
	}
	old, err := newWriter(r.Conn, r.client, state.CipherSuite, written, read, keys)
	if err != nil {
		return nil, fmt.Errorf("tls10: %w", err)
	}
	return &Conn{conn, old}, nil
}

// Write sends b in one record, or in as few as it takes above MaxRecord.
func (c *Conn) Write(b []byte) (int, error) {
	if c.old == nil {
		return c.Conn.Write(b)
	}
	return c.old.write(b)
}

// CloseWrite says that nothing more comes.
func (c *Conn) CloseWrite() error {
	if c.old == nil {
		return c.Conn.CloseWrite()
	}
	return c.old.record(recordAlert, []byte{1, 0}) // close_notify, RFC 2246 section 7.2.1
}

// closeTime is how long a good-bye may take, as in crypto/tls.
const closeTime = 5 * time.Second

// Close says good-bye and closes the socket.
func (c *Conn) Close() error {
	if c.old == nil {
		return c.Conn.Close()
	}
	if c.NetConn().SetWriteDeadline(time.Now().Add(closeTime)) == nil {
		_ = c.CloseWrite() // the peer may be gone
	}
	return c.NetConn().Close()
}

// parseKeyLog reads the line "CLIENT_RANDOM random master" in hex.
func parseKeyLog(line []byte) (clientRandom, master []byte, err error) {
	fields := bytes.Fields(line)
	if len(fields) != 3 || string(fields[0]) != "CLIENT_RANDOM" {
		return nil, nil, errors.New("key log of the handshake is missing")
	}
	if clientRandom, err = hex.DecodeString(string(fields[1])); err != nil {
		return nil, nil, fmt.Errorf("key log: %w", err)
	}
	if master, err = hex.DecodeString(string(fields[2])); err != nil {
		return nil, nil, fmt.Errorf("key log: %w", err)
	}
	if len(clientRandom) != randomLen || len(master) != masterLen {
		return nil, nil, fmt.Errorf("key log: random of %d bytes instead of %d, master secret of %d instead of %d", len(clientRandom), randomLen, len(master), masterLen)
	}
	return clientRandom, master, nil
}

// TLS record and handshake fields, RFC 2246 sections 6.2 and 7.4.
const (
	headerLen       = 5
	recordCCS       = 20
	recordAlert     = 21
	recordHandshake = 22
	recordData      = 23
	serverHello     = 2
	randomLen       = 32
	masterLen       = 48
)

// flight is what one side sent in the handshake.
type flight struct {
	serverRandom []byte // of its ServerHello; nil on the client's side
	sent         uint64 // records that went out under the new keys
	iv           []byte // last block of ciphertext, which is the next record's IV; nil before the first
}

func parseFlight(b []byte) (f flight, err error) {
	protected := false
	for len(b) >= headerLen {
		kind, length := b[0], int(binary.BigEndian.Uint16(b[3:]))
		if len(b) < headerLen+length {
			break
		}
		fragment := b[headerLen : headerLen+length]
		b = b[headerLen+length:]
		switch {
		case protected && length >= aes.BlockSize:
			f.sent++
			f.iv = bytes.Clone(fragment[length-aes.BlockSize:])
		case kind == recordCCS:
			protected = true
		case kind == recordHandshake && f.serverRandom == nil && length >= 4+2+randomLen && fragment[0] == serverHello:
			f.serverRandom = bytes.Clone(fragment[6 : 6+randomLen])
		}
	}
	if len(b) != 0 || f.iv == nil {
		return f, errors.New("handshake is not as expected")
	}
	return f, nil
}

// writer writes TLS 1.0 records with AES-CBC and HMAC-SHA1.
type writer struct {
	conn net.Conn

	mu       sync.Mutex // guards what follows; packets and replies come from different goroutines
	mode     cipher.BlockMode
	mac      hash.Hash
	sequence uint64
	buf      []byte
}

// newWriter derives the keys of one side and goes on where its handshake ended.
func newWriter(conn net.Conn, client bool, suite uint16, written, read, keys []byte) (*writer, error) {
	clientRandom, master, err := parseKeyLog(keys)
	if err != nil {
		return nil, err
	}
	own, err := parseFlight(written)
	if err != nil {
		return nil, err
	}
	serverRandom := own.serverRandom
	if client {
		theirs, err := parseFlight(read)
		if err != nil {
			return nil, err
		}
		serverRandom = theirs.serverRandom
	}
	if serverRandom == nil {
		return nil, errors.New("handshake has no ServerHello")
	}
	keyLen, ok := map[uint16]int{tls.TLS_RSA_WITH_AES_128_CBC_SHA: 16, tls.TLS_RSA_WITH_AES_256_CBC_SHA: 32,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 16, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 32}[suite]
	if !ok {
		return nil, fmt.Errorf("%s is not AES-CBC with SHA-1", tls.CipherSuiteName(suite))
	}
	block := prf.TLS10(master, "key expansion", append(serverRandom, clientRandom...), 2*(sha1.Size+keyLen))
	macKey, key := block[sha1.Size:2*sha1.Size], block[2*sha1.Size+keyLen:]
	if client {
		macKey, key = block[:sha1.Size], block[2*sha1.Size:2*sha1.Size+keyLen]
	}
	cipherBlock, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return &writer{conn: conn, mode: cipher.NewCBCEncrypter(cipherBlock, own.iv), mac: hmac.New(sha1.New, macKey), sequence: own.sent}, nil
}

func (w *writer) write(b []byte) (n int, err error) {
	for n < len(b) {
		part := b[n:min(len(b), n+MaxRecord)]
		if err := w.record(recordData, part); err != nil {
			return n, err
		}
		n += len(part)
	}
	return n, nil
}

func (w *writer) record(kind byte, content []byte) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	var covered [13]byte // what the MAC covers before the content: RFC 2246 section 6.2.3.1
	binary.BigEndian.PutUint64(covered[:], w.sequence)
	covered[8] = kind
	binary.BigEndian.PutUint16(covered[9:], tls.VersionTLS10)
	binary.BigEndian.PutUint16(covered[11:], uint16(len(content)))
	w.sequence++
	w.mac.Reset()
	w.mac.Write(covered[:])
	w.mac.Write(content)

	w.buf = append(w.buf[:0], kind, covered[9], covered[10], 0, 0)
	w.buf = append(w.buf, content...)
	w.buf = w.mac.Sum(w.buf)
	padding := aes.BlockSize - (len(w.buf)-headerLen)%aes.BlockSize
	for range padding {
		w.buf = append(w.buf, byte(padding-1))
	}
	sealed := w.buf[headerLen:]
	w.mode.CryptBlocks(sealed, sealed) // chains: the last block is the next record's IV
	binary.BigEndian.PutUint16(w.buf[3:], uint16(len(sealed)))
	_, err := w.conn.Write(w.buf)
	return err
}
