package cstp

import (
	"fmt"
	"io"
	"sync"
)

// Reader cuts frames out of a stream. It goes by the length in the header, never by how the stream was
// cut into reads or TLS records. Between frames it holds no buffer, so that a stream that is silent for
// long costs nothing.
type Reader struct {
	from   io.Reader
	limit  int
	header [HeaderLen]byte
	buf    *[]byte // of the payload handed out; nil: none
}

// buffers hold a packet of any usual size. A frame with more gets one of its own.
var buffers = sync.Pool{New: func() any { b := make([]byte, 2048); return &b }}

// NewReader returns a Reader of from that refuses frames with more than limit bytes of payload; zero
// allows MaxPayload. What is already buffered behind the CONNECT exchange belongs in from. Each frame takes
// two reads: one for the header, one for the payload.
func NewReader(from io.Reader, limit int) *Reader {
	if limit == 0 {
		limit = MaxPayload
	}
	return &Reader{from: from, limit: limit}
}

// Next returns the next frame. Its type may be unknown; the payload is valid until the next call. The
// error is io.EOF when the stream ends between frames, io.ErrUnexpectedEOF when it ends inside one, and
// final in every case.
func (r *Reader) Next() (Type, []byte, error) {
	r.release()
	if _, err := io.ReadFull(r.from, r.header[:]); err != nil {
		return 0, nil, err
	}
	t, n, err := ParseHeader(r.header[:])
	if err != nil {
		return 0, nil, err
	}
	if n > r.limit {
		return 0, nil, fmt.Errorf("cstp: frame length %d at offset 4 exceeds %d", n, r.limit)
	}
	payload := r.room(n)
	if _, err := io.ReadFull(r.from, payload); err != nil {
		if err == io.EOF {
			err = io.ErrUnexpectedEOF
		}
		return 0, nil, err
	}
	return t, payload, nil
}

func (r *Reader) room(n int) []byte {
	buf := buffers.Get().(*[]byte)
	if n > len(*buf) {
		buffers.Put(buf)
		return make([]byte, n)
	}
	r.buf = buf
	return (*buf)[:n]
}

// release gives back the buffer of the frame before.
func (r *Reader) release() {
	if r.buf != nil {
		buffers.Put(r.buf)
		r.buf = nil
	}
}
