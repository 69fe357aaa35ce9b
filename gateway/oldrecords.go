package gateway

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

	"github.com/longcord/longcord/stage/tunnel/dtls"
)

// At TLS 1.0 with CBC, crypto/tls sends the first byte of each write in a record of its own. That
// protects browsers, and ends the tunnel of every client that takes a record for a packet. So crypto/tls
// does the handshake and all reading, and from then on we write the records: oldRecorder watches the
// handshake for what that takes, oldRecords writes. See docs/wire/cstp.md#one-packet-one-record.

// oldRecorder is the socket below crypto/tls. It keeps what the gateway wrote during the handshake.
type oldRecorder struct {
	net.Conn
	written   bytes.Buffer
	recording bool
	keys      bytes.Buffer // this connection's key log line; key material, wiped at takeOver
}

func newOldRecorder(conn net.Conn) *oldRecorder { return &oldRecorder{Conn: conn, recording: true} }

// Write is only ever called by crypto/tls, one call at a time.
func (r *oldRecorder) Write(b []byte) (int, error) {
	if r.recording {
		r.written.Write(b)
	}
	return r.Conn.Write(b)
}

// keyLog returns the writer that tells the recorder the master secret, and also whoever else wants it.
func (r *oldRecorder) keyLog(also io.Writer) io.Writer {
	if also == nil {
		return &r.keys
	}
	return io.MultiWriter(&r.keys, also)
}

// takeOver ends the recording. For a TLS 1.0 connection it returns what writes from now on; crypto/tls
// must then neither write nor close it. For others it returns nil.
func (r *oldRecorder) takeOver(state tls.ConnectionState) (*oldRecords, error) {
	r.recording = false
	written, keys := r.written.Bytes(), r.keys.Bytes()
	defer clear(keys)
	r.written = bytes.Buffer{}
	if state.Version != tls.VersionTLS10 {
		return nil, nil
	}
	clientRandom, master, err := parseKeyLog(keys)
	if err != nil {
		return nil, err
	}
	serverRandom, sent, iv, err := parseFlight(written)
	if err != nil {
		return nil, err
	}
	keyLen := 16
	if state.CipherSuite == tls.TLS_RSA_WITH_AES_256_CBC_SHA {
		keyLen = 32
	}
	block := dtls.PRF10(master, "key expansion", append(serverRandom, clientRandom...), 2*(sha1.Size+keyLen))
	cipherBlock, err := aes.NewCipher(block[2*sha1.Size+keyLen:])
	if err != nil {
		return nil, err
	}
	return &oldRecords{
		conn:     r.Conn,
		mode:     cipher.NewCBCEncrypter(cipherBlock, iv),
		mac:      hmac.New(sha1.New, block[sha1.Size:2*sha1.Size]),
		sequence: sent,
	}, nil
}

// parseKeyLog reads the line "CLIENT_RANDOM random master" in hex.
func parseKeyLog(line []byte) (clientRandom, master []byte, err error) {
	fields := bytes.Fields(line)
	if len(fields) != 3 || string(fields[0]) != "CLIENT_RANDOM" {
		return nil, nil, errors.New("gateway: key log of a TLS 1.0 handshake is missing")
	}
	if clientRandom, err = hex.DecodeString(string(fields[1])); err != nil {
		return nil, nil, fmt.Errorf("gateway: key log: %w", err)
	}
	if master, err = hex.DecodeString(string(fields[2])); err != nil {
		return nil, nil, fmt.Errorf("gateway: key log: %w", err)
	}
	if len(clientRandom) != 32 || len(master) != dtls.MasterLen {
		return nil, nil, fmt.Errorf("gateway: key log: random of %d bytes instead of 32, master secret of %d instead of %d", len(clientRandom), len(master), dtls.MasterLen)
	}
	return clientRandom, master, nil
}

// TLS record fields, RFC 2246 section 6.2.
const (
	tlsHeaderLen  = 5
	tlsCCS        = 20
	tlsAlert      = 21
	tlsHandshake  = 22
	tlsData       = 23
	tlsMaxContent = 1 << 14
)

// parseFlight reads what the gateway sent in the handshake: the random of its ServerHello, how many
// records went out under the new keys, and the last block of ciphertext, which is the next record's IV.
func parseFlight(b []byte) (serverRandom []byte, sent uint64, iv []byte, err error) {
	protected := false
	for len(b) >= tlsHeaderLen {
		kind, length := b[0], int(binary.BigEndian.Uint16(b[3:]))
		if len(b) < tlsHeaderLen+length {
			break
		}
		fragment := b[tlsHeaderLen : tlsHeaderLen+length]
		b = b[tlsHeaderLen+length:]
		switch {
		case protected && length >= aes.BlockSize:
			sent++
			iv = bytes.Clone(fragment[length-aes.BlockSize:])
		case kind == tlsCCS:
			protected = true
		case kind == tlsHandshake && serverRandom == nil && length >= 4+2+32 && fragment[0] == 2:
			serverRandom = bytes.Clone(fragment[6:38])
		}
	}
	if serverRandom == nil || iv == nil || len(b) != 0 {
		return nil, 0, nil, errors.New("gateway: TLS 1.0 handshake is not as expected")
	}
	return serverRandom, sent, iv, nil
}

// oldRecords writes TLS 1.0 records with AES-CBC and HMAC-SHA1.
type oldRecords struct {
	conn net.Conn

	mu       sync.Mutex // guards what follows; packets and replies come from different goroutines
	mode     cipher.BlockMode
	mac      hash.Hash
	sequence uint64
	buf      []byte
}

// write sends b in one record, or in as few as it takes above 16 KiB.
func (o *oldRecords) write(b []byte) error {
	for len(b) > tlsMaxContent {
		if err := o.record(tlsData, b[:tlsMaxContent]); err != nil {
			return err
		}
		b = b[tlsMaxContent:]
	}
	return o.record(tlsData, b)
}

func (o *oldRecords) closeNotify() error { return o.record(tlsAlert, []byte{1, 0}) }

func (o *oldRecords) record(kind byte, content []byte) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	var covered [13]byte // what the MAC covers before the content: RFC 2246 section 6.2.3.1
	binary.BigEndian.PutUint64(covered[:], o.sequence)
	covered[8] = kind
	binary.BigEndian.PutUint16(covered[9:], tls.VersionTLS10)
	binary.BigEndian.PutUint16(covered[11:], uint16(len(content)))
	o.sequence++
	o.mac.Reset()
	o.mac.Write(covered[:])
	o.mac.Write(content)

	o.buf = append(o.buf[:0], kind, covered[9], covered[10], 0, 0)
	o.buf = append(o.buf, content...)
	o.buf = o.mac.Sum(o.buf)
	padding := aes.BlockSize - (len(o.buf)-tlsHeaderLen)%aes.BlockSize
	for range padding {
		o.buf = append(o.buf, byte(padding-1))
	}
	sealed := o.buf[tlsHeaderLen:]
	o.mode.CryptBlocks(sealed, sealed) // chains: the last block is the next record's IV
	binary.BigEndian.PutUint16(o.buf[3:], uint16(len(sealed)))
	_, err := o.conn.Write(o.buf)
	return err
}
