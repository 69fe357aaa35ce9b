package dtls

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"testing"
)

// helloBody is the body of a ClientHello as GnuTLS 3.7.9 builds it at version 0x0100.
const helloBody = "0100" + "6a1f0d3d8b8e5f6a7b8c9dae0f1a2b3c4d5e6f708192a3b4c5d6e7f8091a2b3c" +
	"20" + "75f7e283e6d55d883da0fa73fbb734243aedc3239d9e1c2f60dfb29783b94e64" +
	"00" + "0004" + "002f00ff" + "01" + "00" + "000f" + "00230000" + "ff01000100" + "001c00024000"

func sample(t testing.TB) []byte {
	t.Helper()
	out, err := Handshake{Type: TypeClientHello, Body: unhex(t, helloBody)}.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	out, err = Record{Type: HandshakeRecord, Version: Version09, Fragment: out}.AppendBinary(nil)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestRecordBytes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		hex  string
		want Record
	}{
		"ccs at 0x0100":  {"14 0100 0000 000000000001 0003 010001", Record{ChangeCipherSpec, Version09, 0, 1, []byte{1, 0, 1}}},
		"data, epoch 1":  {"17 fefd 0001 00000000ffff 0002 abcd", Record{ApplicationData, Version12, 1, 0xffff, []byte{0xab, 0xcd}}},
		"empty, max seq": {"15 fefd 0001 ffffffffffff 0000", Record{AlertRecord, Version12, 1, 1<<48 - 1, []byte{}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw := unhex(t, c.hex)
			got, rest, err := ParseRecord(raw)
			if err != nil || len(rest) != 0 || !reflect.DeepEqual(got, c.want) {
				t.Errorf("got %+v, rest %x, %v; want %+v", got, rest, err, c.want)
			}
			back, err := c.want.AppendBinary(nil)
			if err != nil || !bytes.Equal(back, raw) {
				t.Errorf("got %x, %v; want %x", back, err, raw)
			}
			for n := range raw {
				if _, _, err := ParseRecord(raw[:n]); err == nil {
					t.Errorf("accepted when cut at %d", n)
				}
			}
		})
	}
}

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(string(bytes.ReplaceAll([]byte(s), []byte(" "), nil)))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestHellos(t *testing.T) {
	t.Parallel()
	client := ClientHello{Version: Version12, SessionID: []byte("0123456789abcdef0123456789abcdef"), Cookie: []byte{1, 2}, Suites: []Suite{AES256GCM, AES128SHA}, Compressions: []byte{0}}
	client.Random[0], client.Random[31] = 1, 2
	body := client.AppendBody(nil)
	got, err := ParseClientHello(body)
	if err != nil || !reflect.DeepEqual(got, client) {
		t.Errorf("client hello: got %+v, %v; want %+v", got, err, client)
	}
	for n := range body {
		if _, err := ParseClientHello(body[:n]); err == nil {
			t.Errorf("client hello accepted when cut at %d", n)
		}
	}
	server := ServerHello{Version: Version09, SessionID: client.SessionID, Suite: AES128SHA, Extensions: []byte{0, 6, 0, 0x1c, 0, 2, 0x40, 0}}
	body = server.AppendBody(nil)
	gotS, err := ParseServerHello(body)
	if err != nil || !reflect.DeepEqual(gotS, server) {
		t.Errorf("server hello: got %+v, %v; want %+v", gotS, err, server)
	}
	whole := len(body) - len(server.Extensions) // a hello without extensions is a hello
	for n := range body {
		if _, err := ParseServerHello(body[:n]); err == nil && n != whole {
			t.Errorf("server hello accepted when cut at %d", n)
		}
	}
	verify := HelloVerifyRequest{Version: Version12, Cookie: []byte("cookie")}
	body = verify.AppendBody(nil)
	gotV, err := ParseHelloVerifyRequest(body)
	if err != nil || !reflect.DeepEqual(gotV, verify) {
		t.Errorf("hello verify request: got %+v, %v; want %+v", gotV, err, verify)
	}
	for n := range body {
		if _, err := ParseHelloVerifyRequest(body[:n]); err == nil {
			t.Errorf("hello verify request accepted when cut at %d", n)
		}
	}
}

func TestHandshakeRefusesFragments(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"second half":    "01 000004 0000 000002 000002 aabb",
		"first half":     "01 000004 0000 000000 000002 aabb",
		"longer than is": "01 000004 0000 000000 000004 aabb",
	} {
		if _, _, err := ParseHandshake(unhex(t, text)); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

func TestFragment(t *testing.T) {
	t.Parallel()
	raw := unhex(t, "10 000005 0002 000001 000002 aabb")
	want := Fragment{Type: TypeClientKeyExchange, Number: 2, Length: 5, Offset: 1, Part: []byte{0xaa, 0xbb}}
	got, rest, err := ParseFragment(append(bytes.Clone(raw), 7))
	if err != nil || !reflect.DeepEqual(got, want) || !bytes.Equal(rest, []byte{7}) {
		t.Errorf("got %+v, rest %x, %v; want %+v", got, rest, err, want)
	}
	for n := range raw {
		if _, _, err := ParseFragment(raw[:n]); err == nil {
			t.Errorf("accepted when cut at %d", n)
		}
	}
	if _, _, err := ParseFragment(unhex(t, "10 000005 0002 000004 000002 aabb")); err == nil {
		t.Error("a fragment beyond the end of its message is accepted")
	}
}

func TestKeyExchanges(t *testing.T) {
	t.Parallel()
	client, server := ClientKeyExchange{Identity: []byte("psk")}, ServerKeyExchange{Hint: []byte("some hint")}
	for name, c := range map[string]struct {
		want, body []byte
		parse      func([]byte) (any, error)
		value      any
	}{
		"client": {unhex(t, "0003 70736b"), client.AppendBody(nil), func(b []byte) (any, error) { return ParseClientKeyExchange(b) }, client},
		"server": {append(unhex(t, "0009"), "some hint"...), server.AppendBody(nil), func(b []byte) (any, error) { return ParseServerKeyExchange(b) }, server},
	} {
		got, err := c.parse(c.body)
		if err != nil || !reflect.DeepEqual(got, c.value) || !bytes.Equal(c.body, c.want) {
			t.Errorf("%s: %x, %+v, %v; want %x, %+v", name, c.body, got, err, c.want, c.value)
		}
		for n := range c.body {
			if _, err := c.parse(c.body[:n]); err == nil {
				t.Errorf("%s: accepted when cut at %d", name, n)
			}
		}
		if _, err := c.parse(append(c.body, 0)); err == nil {
			t.Errorf("%s: accepted with a byte too many", name)
		}
	}
}

func TestExtensions(t *testing.T) {
	t.Parallel()
	e := Extensions{}.With(RenegotiationInfo, 0).With(ExtendedMasterSecret)
	if want := unhex(t, "0009 ff01 0001 00 0017 0000"); !bytes.Equal(e, want) {
		t.Fatalf("got %x want %x", e, want)
	}
	for x, want := range map[Extension][]byte{RenegotiationInfo: {0}, ExtendedMasterSecret: {}, AppID: nil} {
		if got, ok := e.Get(x); !bytes.Equal(got, want) || ok != (want != nil) {
			t.Errorf("extension %d: %x, %t; want %x", x, got, ok, want)
		}
	}
	if err := e.Check(); err != nil {
		t.Error(err)
	}
	for n := 3; n < len(e); n++ {
		if err := e[:n].Check(); err == nil && n != 7 { // there the second extension begins
			t.Errorf("accepted when cut at %d", n)
		}
		e[:n].Get(AppID)
	}
}

func TestRoutingID(t *testing.T) {
	t.Parallel()
	hello := ClientHello{SessionID: []byte("session")}
	for name, c := range map[string]struct {
		extensions Extensions
		want       string
	}{
		"session id":         {nil, "session"},
		"extension":          {Extensions{}.With(ExtendedMasterSecret).With(AppID, append([]byte{3}, "app"...)...), "app"},
		"extension too long": {Extensions{}.With(AppID, append([]byte{4}, "app"...)...), "session"},
		"empty extension":    {Extensions{}.With(AppID), "session"},
	} {
		hello.Extensions = c.extensions
		if got := string(hello.RoutingID()); got != c.want {
			t.Errorf("%s: got %q want %q", name, got, c.want)
		}
	}
}

func TestHelloOf(t *testing.T) {
	t.Parallel()
	datagram := sample(t)
	hello, _, ok := HelloOf(datagram)
	if want := unhex(t, "75f7e283e6d55d883da0fa73fbb734243aedc3239d9e1c2f60dfb29783b94e64"); !ok || !bytes.Equal(hello.SessionID, want) {
		t.Errorf("got %x %t want %x", hello.SessionID, ok, want)
	}
	for n := range datagram {
		if _, _, ok := HelloOf(datagram[:n]); ok {
			t.Errorf("found when cut at %d", n)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sample(f))
	f.Add(unhex(f, "14 0100 0000 000000000001 0003 010001"))
	f.Fuzz(func(t *testing.T, datagram []byte) {
		r, rest, err := ParseRecord(datagram)
		if err != nil {
			return
		}
		back, err := r.AppendBinary(nil)
		if err != nil || !bytes.Equal(append(back, rest...), datagram) {
			t.Fatalf("record does not come back: %v", err)
		}
		HelloOf(datagram)
		m, _, err := ParseHandshake(r.Fragment)
		if err != nil {
			return
		}
		if h, err := ParseClientHello(m.Body); err == nil && !bytes.Equal(h.AppendBody(nil), m.Body) {
			t.Fatal("client hello does not come back")
		}
		if h, err := ParseServerHello(m.Body); err == nil && !bytes.Equal(h.AppendBody(nil), m.Body) {
			t.Fatal("server hello does not come back")
		}
		if h, err := ParseClientHello(m.Body); err == nil {
			h.RoutingID()
			_ = h.Extensions.Check()
		}
		if k, err := ParseClientKeyExchange(m.Body); err == nil && !bytes.Equal(k.AppendBody(nil), m.Body) {
			t.Fatal("client key exchange does not come back")
		}
		if k, err := ParseServerKeyExchange(m.Body); err == nil && !bytes.Equal(k.AppendBody(nil), m.Body) {
			t.Fatal("server key exchange does not come back")
		}
		if h, err := ParseHelloVerifyRequest(m.Body); err == nil && !bytes.Equal(h.AppendBody(nil), m.Body) {
			t.Fatal("hello verify request does not come back")
		}
	})
}
