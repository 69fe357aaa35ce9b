package cstp

import (
	"fmt"
	"io"
)

// readSize is what a Reader holds at first: enough for a frame with a packet of any usual size.
const readSize = 2048

// Reader cuts frames out of a stream. It goes by the length in the header, never by how the stream was
// cut into reads or TLS records.
type Reader struct {
	from       io.Reader
	buf        []byte // grows to the largest frame seen
	start, end int    // what has been read and not yet handed out
	limit      int
}

// NewReader returns a Reader of from that refuses frames with more than limit bytes of payload; zero
// allows MaxPayload. What is already buffered behind the CONNECT exchange belongs in from.
func NewReader(from io.Reader, limit int) *Reader {
	if limit == 0 {
		limit = MaxPayload
	}
	return &Reader{from: from, buf: make([]byte, readSize), limit: limit}
}

// Next returns the next frame. Its type may be unknown; the payload is valid until the next call. The
// error is io.EOF when the stream ends between frames, io.ErrUnexpectedEOF when it ends inside one, and
// final in every case.
func (r *Reader) Next() (Type, []byte, error) {
	if err := r.fill(HeaderLen); err != nil {
		return 0, nil, err
	}
	t, n, err := ParseHeader(r.buf[r.start:r.end])
	if err != nil {
		return 0, nil, err
	}
	if n > r.limit {
		return 0, nil, fmt.Errorf("cstp: frame length %d at offset 4 exceeds %d", n, r.limit)
	}
	if err := r.fill(HeaderLen + n); err != nil {
		return 0, nil, err
	}
	payload := r.buf[r.start+HeaderLen : r.start+HeaderLen+n]
	r.start += HeaderLen + n
	return t, payload, nil
}

// Buffered returns how many bytes have been read beyond the frames handed out.
func (r *Reader) Buffered() int { return r.end - r.start }

// fill reads until n bytes are there.
func (r *Reader) fill(n int) error {
	if r.end-r.start >= n {
		return nil
	}
	r.makeRoom(n)
	read, err := io.ReadAtLeast(r.from, r.buf[r.end:], n-(r.end-r.start))
	had := r.end > r.start
	r.end += read
	if err == io.EOF && had {
		return io.ErrUnexpectedEOF
	}
	return err
}

// makeRoom moves what is there to the front and lets the buffer hold n bytes.
func (r *Reader) makeRoom(n int) {
	to := r.buf
	if n > len(to) {
		to = make([]byte, max(n, min(2*len(to), HeaderLen+r.limit)))
	}
	r.end = copy(to, r.buf[r.start:r.end])
	r.start = 0
	r.buf = to
}
