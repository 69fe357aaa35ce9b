// Package tls10 does what tunnels need of TLS and crypto/tls does not do for old peers: at TLS 1.0 one
// write is one record, and at TLS 1.2 keys are exported without the extended master secret too.
//
// At TLS 1.0 with CBC, crypto/tls sends the first byte of each write in a record of its own. That
// protects browsers, and ends the tunnel of every peer that takes a record for a packet. So crypto/tls
// does the handshake and all reading, and from then on we write the records: a Recorder below crypto/tls
// watches the handshake for what that takes, and TakeOver returns the connection. Connections of other
// versions are read and written by crypto/tls. See docs/wire/cstp.md#one-packet-one-record.
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
	keys      keyLine
}

// keyLine keeps this connection's key log line. It is key material, which TakeOver wipes.
type keyLine struct {
	line [192]byte
	n    int
}

// Write keeps the line of a connection up to TLS 1.2, where there is only one; the lines of TLS 1.3 are of
// no use here.
func (k *keyLine) Write(line []byte) (int, error) {
	if bytes.HasPrefix(line, []byte(keyLabel)) {
		k.n = copy(k.line[:], line)
	}
	return len(line), nil
}

const keyLabel = "CLIENT_RANDOM"

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
// master secret, and also whoever else wants it; also may be nil. Session tickets must be disabled. Without
// it TLS 1.0 cannot be taken over, and TLS 1.2 not be made to export more than crypto/tls does.
func (r *Recorder) KeyLog(also io.Writer) io.Writer {
	if also == nil {
		return &r.keys
	}
	return io.MultiWriter(&r.keys, also)
}

// Conn is a TLS connection. At TLS 1.0 each Write of up to MaxRecord bytes is one record.
type Conn struct {
	*tls.Conn
	old      *writer   // nil: crypto/tls writes
	exporter *exporter // nil: crypto/tls exports
}

// TakeOver ends the recording when conn, which must run over r, has shaken hands. Nothing may have been
// written to conn, and afterwards only the Conn may be used.
func (r *Recorder) TakeOver(conn *tls.Conn) (*Conn, error) {
	r.recording = false
	defer clear(r.keys.line[:])
	written, read := r.written.Bytes(), r.read.Bytes()
	r.written, r.read = bytes.Buffer{}, bytes.Buffer{}
	state := conn.ConnectionState()
	if state.Version != tls.VersionTLS10 && (state.Version != tls.VersionTLS12 || r.keys.n == 0) {
		return &Conn{Conn: conn}, nil
	}
	server := written
	if r.client {
		server = read
	}
	h, err := handshakeOf(state.CipherSuite, server, r.keys.line[:r.keys.n])
	if err != nil {
		return nil, fmt.Errorf("tls10: %w", err)
	}
	if state.Version == tls.VersionTLS12 {
		return &Conn{Conn: conn, exporter: newExporter(state, h)}, nil
	}
	defer clear(h.master)
	old, err := newWriter(r.Conn, r.client, h, written)
	if err != nil {
		return nil, fmt.Errorf("tls10: %w", err)
	}
	return &Conn{Conn: conn, old: old}, nil
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
	if len(fields) != 3 || string(fields[0]) != keyLabel {
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

// handshake is what both ends know of one that is done.
type handshake struct {
	suite                      uint16
	clientRandom, serverRandom []byte
	master                     []byte // wipe it
}

// handshakeOf reads a handshake out of what the server sent and the key log line.
func handshakeOf(suite uint16, server, keys []byte) (h handshake, err error) {
	h.suite = suite
	if h.clientRandom, h.master, err = parseKeyLog(keys); err != nil {
		return h, err
	}
	if len(server) < headerLen+4+2+randomLen || server[0] != recordHandshake || server[headerLen] != serverHello {
		return h, errors.New("handshake has no ServerHello")
	}
	h.serverRandom = bytes.Clone(server[headerLen+4+2:][:randomLen])
	return h, nil
}

// flight is what one side sent in the handshake.
type flight struct {
	sent uint64 // records that went out under the new keys
	iv   []byte // last block of ciphertext, which is the next record's IV; nil before the first
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
func newWriter(conn net.Conn, client bool, h handshake, written []byte) (*writer, error) {
	own, err := parseFlight(written)
	if err != nil {
		return nil, err
	}
	keyLen, ok := map[uint16]int{tls.TLS_RSA_WITH_AES_128_CBC_SHA: 16, tls.TLS_RSA_WITH_AES_256_CBC_SHA: 32,
		tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA: 16, tls.TLS_ECDHE_RSA_WITH_AES_256_CBC_SHA: 32}[h.suite]
	if !ok {
		return nil, fmt.Errorf("%s is not AES-CBC with SHA-1", tls.CipherSuiteName(h.suite))
	}
	block := prf.TLS10(h.master, "key expansion", append(bytes.Clone(h.serverRandom), h.clientRandom...), 2*(sha1.Size+keyLen))
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
