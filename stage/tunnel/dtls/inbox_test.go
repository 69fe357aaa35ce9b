package dtls

import (
	"bytes"
	mathrand "math/rand/v2"
	"testing"

	"github.com/longcord/longcord/wire/dtls"
)

// cut writes a message in fragments of a size.
func cut(m dtls.Handshake, size int) (fragments [][]byte) {
	whole, _ := m.AppendBinary(nil)
	header, body := whole[:dtls.HandshakeHeaderLen], whole[dtls.HandshakeHeaderLen:]
	for at := 0; at == 0 || at < len(body); at += size {
		n := min(size, len(body)-at)
		f := bytes.Clone(header)
		f[7], f[8], f[10], f[11] = byte(at>>8), byte(at), byte(n>>8), byte(n)
		fragments = append(fragments, append(f, body[at:at+n]...))
	}
	return fragments
}

// TestInbox delivers three messages in fragments, twice and in any order.
func TestInbox(t *testing.T) {
	t.Parallel()
	r := mathrand.New(mathrand.NewPCG(1, 2))
	for range 200 {
		in := inbox{next: 65535} // numbers wrap
		var fragments [][]byte
		for i := range 3 {
			m := dtls.Handshake{Type: dtls.HandshakeType(i + 1), Number: uint16(65535 + i), Body: bytes.Repeat([]byte{byte(i)}, 100*i)}
			fragments = append(fragments, cut(m, 1+r.IntN(120))...)
			fragments = append(fragments, cut(m, 1+r.IntN(120))...)
		}
		r.Shuffle(len(fragments), func(i, j int) { fragments[i], fragments[j] = fragments[j], fragments[i] })
		var got []dtls.Handshake
		for _, f := range fragments {
			if err := in.add(f); err != nil {
				t.Fatal(err)
			}
			for {
				m, ok := in.take()
				if !ok {
					break
				}
				got = append(got, m)
			}
		}
		for i, m := range got {
			if m.Number != uint16(65535+i) || int(m.Type) != i+1 || !bytes.Equal(m.Body, bytes.Repeat([]byte{byte(i)}, 100*i)) {
				t.Errorf("message %d is %+v", i, m)
			}
		}
		if len(got) != 3 || len(in.messages) != 0 {
			t.Fatalf("got %d messages want 3, %d are left", len(got), len(in.messages))
		}
	}
}

// TestInboxRefuses has a peer contradict itself, or want more memory than a handshake needs.
func TestInboxRefuses(t *testing.T) {
	t.Parallel()
	message := func(kind dtls.HandshakeType, number uint16, length int) []byte {
		return cut(dtls.Handshake{Type: kind, Number: number, Body: make([]byte, length)}, 1)[0]
	}
	var in inbox
	if err := in.add(message(1, 1, 50)); err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{
		"another type": message(2, 1, 50), "another length": message(1, 1, 51), "too long": message(1, 2, maxMessage+1), "cut": message(1, 2, 5)[:10],
	} {
		if err := in.add(bad); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	for number := range uint16(100) {
		_ = in.add(message(1, number, 50)) // some of them are refused
	}
	if len(in.messages) > maxAhead {
		t.Errorf("%d messages are kept, want at most %d", len(in.messages), maxAhead)
	}
}

func FuzzInbox(f *testing.F) {
	for _, fragment := range cut(dtls.Handshake{Type: dtls.TypeClientKeyExchange, Body: []byte("\x00\x03psk")}, 2) {
		f.Add(fragment)
	}
	f.Fuzz(func(t *testing.T, record []byte) {
		var in inbox
		_ = in.add(record)
		for {
			m, ok := in.take()
			if !ok {
				return
			}
			if len(m.Body) > len(record) {
				t.Fatalf("a message of %d bytes out of a record of %d", len(m.Body), len(record))
			}
		}
	})
}
