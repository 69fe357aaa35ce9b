package dtls

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha1"
	"fmt"
	"testing"

	"github.com/longcord/longcord/wire/dtls"
)

// work counts what the inner hash of a MAC is made to do. Its ordinary sum, which takes its own time, counts as a
// thousand.
type work struct {
	steadyHash
	bytes, sums *int
}

func (w work) Write(b []byte) (int, error)     { *w.bytes += len(b); return w.steadyHash.Write(b) }
func (w work) Sum(b []byte) []byte             { *w.sums += 1000; return w.steadyHash.Sum(b) }
func (w work) ConstantTimeSum(b []byte) []byte { *w.sums++; return w.steadyHash.ConstantTimeSum(b) }

// TestCBCDoesTheSameWork opens records of one length that end in every kind of padding, good and bad, with a
// good and a bad MAC: whatever is wrong, the same number of bytes is hashed by as many sums, so that time
// tells nobody how long the padding was. See "Lucky Thirteen" by AlFardan and Paterson.
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
	open := func(record []byte) (content []byte, bytesHashed, sums int, err error) {
		c, err := newCBC(key, macKey, false, nil)
		if err != nil {
			t.Fatal(err)
		}
		m, err := newSteadyMAC(macKey)
		if err != nil {
			t.Fatal(err)
		}
		m.inner, c.mac = work{m.inner, &bytesHashed, &sums}, m
		content, err = c.open(record, h)
		return bytes.Clone(content), bytesHashed, sums, err
	}
	for _, size := range []int{32, 48, 240, 320} {
		wantBytes, wantSums := -1, 1
		for n := max(0, size-sha1.Size-256); n < size-sha1.Size; n++ {
			padding := size - sha1.Size - n
			for name, end := range map[string]func([]byte){
				"good":       func(b []byte) { fill(b, byte(padding-1)) },
				"first":      func(b []byte) { fill(b, byte(padding-1)); b[0] ^= 1 },
				"too long":   func(b []byte) { fill(b, 255) },
				"bad length": func(b []byte) { fill(b, byte(padding)) },
			} {
				content, hashed, sums, err := open(seal(size, n, end))
				if good := name == "good" || name == "too long" && padding == 256; good != (err == nil) || good && len(content) != n {
					t.Errorf("%d of %d bytes, %s padding: %d bytes of content, %v", n, size, name, len(content), err)
				}
				if wantBytes < 0 {
					wantBytes = hashed
				}
				if hashed != wantBytes || sums != wantSums {
					t.Errorf("%d of %d bytes, %s padding: %d bytes are hashed by %d sums, elsewhere %d by %d", n, size, name, hashed, sums, wantBytes, wantSums)
				}
			}
		}
	}
}

// TestSteadyMAC: it is HMAC-SHA1, over any length, and after more was written than it was asked about.
func TestSteadyMAC(t *testing.T) {
	t.Parallel()
	key, data := bytes.Repeat([]byte{2}, sha1.Size), bytes.Repeat([]byte{3}, 300)
	m, err := newSteadyMAC(key)
	if err != nil {
		t.Fatal(err)
	}
	for n := range data {
		m.Reset()
		m.Write(data[:n])
		got := m.Sum(nil)
		m.Write(data[n:])
		want := hmac.New(sha1.New, key)
		want.Write(data[:n])
		if !bytes.Equal(got, want.Sum(nil)) {
			t.Errorf("%d bytes: %x, want %x", n, got, want.Sum(nil))
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
