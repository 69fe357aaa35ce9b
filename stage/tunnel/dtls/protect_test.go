package dtls

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	"strings"
	"testing"

	"github.com/longcord/longcord/wire/dtls"
)

// work writes down what the hash of a MAC is made to do.
type work struct {
	hashState
	done *strings.Builder
}

func (w work) Write(b []byte) (int, error) {
	fmt.Fprintf(w.done, "%d bytes ", len(b))
	return w.hashState.Write(b)
}

func (w work) UnmarshalBinary(state []byte) error {
	w.done.WriteString("resume ")
	return w.hashState.UnmarshalBinary(state)
}

func (w work) AppendBinary(b []byte) ([]byte, error) {
	w.done.WriteString("state ")
	return w.hashState.AppendBinary(b)
}

// TestCBCDoesTheSameWork opens records of one length that end in every kind of padding, good and bad, with a
// good and a bad MAC: whatever is wrong, the hash is asked for the same in the same pieces, so that time tells
// nobody how long the padding was. See "Lucky Thirteen" by AlFardan and Paterson.
func TestCBCDoesTheSameWork(t *testing.T) {
	t.Parallel()
	key, macKey := bytes.Repeat([]byte{1}, 16), bytes.Repeat([]byte{2}, sha1.Size)
	block, err := aes.NewCipher(key)
	if err != nil {
		t.Fatal(err)
	}
	h := pseudoHeader{number: dataEpoch<<48 | 7, kind: dtls.ApplicationData, version: dtls.Version12}
	// seal makes a record whose plain text has n bytes of content and its MAC, and then some end.
	seal := func(size, n int, end func(plain []byte)) []byte {
		plain := bytes.Repeat([]byte{3}, size)
		var header [13]byte
		h.put(&header, n)
		mac := hmac.New(sha1.New, macKey)
		mac.Write(header[:])
		mac.Write(plain[:n])
		copy(plain[n:], mac.Sum(nil))
		end(plain[n+sha1.Size:])
		iv := make([]byte, aes.BlockSize)
		if _, err := rand.Read(iv); err != nil {
			t.Fatal(err)
		}
		sealed := append(iv, plain...)
		cipher.NewCBCEncrypter(block, iv).CryptBlocks(sealed[aes.BlockSize:], plain)
		return sealed
	}
	open := func(record []byte) (content []byte, done string, err error) {
		c, err := newCBC(key, macKey, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		c.mac.hash = work{c.mac.hash, &b}
		content, err = c.open(record, h)
		return bytes.Clone(content), b.String(), err
	}
	for _, size := range []int{32, 48, 240, 320} {
		want := ""
		for n := max(0, size-sha1.Size-256); n < size-sha1.Size; n++ {
			padding := size - sha1.Size - n
			for name, end := range map[string]func([]byte){
				"good":       func(b []byte) { fill(b, byte(padding-1)) },
				"first":      func(b []byte) { fill(b, byte(padding-1)); b[0] ^= 1 },
				"too long":   func(b []byte) { fill(b, 255) },
				"bad length": func(b []byte) { fill(b, byte(padding)) },
			} {
				content, done, err := open(seal(size, n, end))
				if good := name == "good" || name == "too long" && padding == 256; good != (err == nil) || good && len(content) != n {
					t.Errorf("%d of %d bytes, %s padding: %d bytes of content, %v", n, size, name, len(content), err)
				}
				if want == "" {
					want = done
				}
				if done == "" || done != want {
					t.Errorf("%d of %d bytes, %s padding: the hash is asked for %q, elsewhere %q", n, size, name, done, want)
				}
			}
		}
	}
}

// TestSteadyMAC: it is HMAC-SHA1 of any part of the data, between any bounds, and whatever it did before.
func TestSteadyMAC(t *testing.T) {
	t.Parallel()
	key, data := bytes.Repeat([]byte{2}, sha1.Size), bytes.Repeat([]byte{3}, 400)
	m, err := newSteadyMAC(key)
	if err != nil {
		t.Fatal(err)
	}
	for n := range 300 {
		hash := hmac.New(sha1.New, key)
		hash.Write(data[:n])
		want := hash.Sum(nil)
		for _, before := range []int{0, 1, 55, 63, 64, 65, 256, n} {
			for _, behind := range []int{0, 1, 8, 9, 63, 64, 65, 100} {
				if got := m.sum(data[:n+behind], max(0, n-before), n); !bytes.Equal(got, want) {
					t.Errorf("%d bytes, from %d less to %d more: %x, want %x", n, before, behind, got, want)
				}
			}
		}
	}
}

// TestPaddingLen: it agrees with the plain reading of RFC 5246 section 6.2.3.2, whichever byte is wrong.
func TestPaddingLen(t *testing.T) {
	t.Parallel()
	for _, size := range []int{32, 48, 240, 256, 272, 320} {
		for last := range 256 {
			for wrong := range size { // the last byte is the length itself, and cannot be
				b := bytes.Repeat([]byte{byte(last)}, size)
				b[wrong] ^= 0x80
				b[size-1] = byte(last)
				length, good := paddingLen(b)
				wantLength, wantGood := 0, 0
				if first := size - last - 1; first >= 0 && (wrong < first || wrong == size-1) {
					wantLength, wantGood = last+1, 1
				}
				if length != wantLength || good != wantGood {
					t.Fatalf("%d bytes end in %d, number %d is wrong: %d, %d, want %d, %d", size, last, wrong, length, good, wantLength, wantGood)
				}
			}
		}
	}
}

func fill(b []byte, v byte) {
	for i := range b {
		b[i] = v
	}
}

// TestNoncesDiffer seals the same content twice with each cipher: nothing repeats.
func TestNoncesDiffer(t *testing.T) {
	t.Parallel()
	eachMode(t, func(t *testing.T, cfg Config) {
		w := newWorld(t, cfg, cfg)
		w.run()
		seen := map[string]bool{}
		for range 100 {
			buf := make([]byte, 64+w.clientC.Overhead())
			datagram, err := w.clientC.Seal(buf, 64)
			if err != nil {
				t.Fatal(err)
			}
			body := fmt.Sprintf("%x", datagram[dtls.RecordHeaderLen:])
			if seen[body] {
				t.Fatal("the same bytes twice")
			}
			seen[body] = true
		}
	})
}
