package read

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/doctor/fact"
)

// captureFile makes a capture out of packets of IP, without any link below them.
type captureFile struct{ b []byte }

func newCaptureFile() *captureFile {
	b := binary.LittleEndian.AppendUint32(nil, 0xa1b2c3d4)
	b = append(b, make([]byte, 16)...)
	return &captureFile{binary.LittleEndian.AppendUint32(b, 101)}
}

func (f *captureFile) packet(protocol byte, src, dst string, transport []byte) []byte {
	from, to := netip.MustParseAddr(src).As4(), netip.MustParseAddr(dst).As4()
	p := []byte{0x45, 0}
	p = binary.BigEndian.AppendUint16(p, uint16(20+len(transport)))
	p = append(p, 0, 1, 0, 0, 64, protocol, 0, 0)
	p = append(append(append(p, from[:]...), to[:]...), transport...)
	f.b = append(f.b, make([]byte, 8)...)
	f.b = binary.LittleEndian.AppendUint32(f.b, uint32(len(p)))
	f.b = binary.LittleEndian.AppendUint32(f.b, uint32(len(p)))
	f.b = append(f.b, p...)
	return p
}

func (f *captureFile) udp(src, dst string, payload []byte) []byte {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	u := binary.BigEndian.AppendUint16(nil, from.Port())
	u = binary.BigEndian.AppendUint16(u, to.Port())
	u = binary.BigEndian.AppendUint16(u, uint16(8+len(payload)))
	return f.packet(17, from.Addr().String(), to.Addr().String(), append(append(u, 0, 0), payload...))
}

func (f *captureFile) tcp(src, dst string, flags byte, seq uint32, payload []byte) {
	from, to := netip.MustParseAddrPort(src), netip.MustParseAddrPort(dst)
	u := binary.BigEndian.AppendUint16(nil, from.Port())
	u = binary.BigEndian.AppendUint16(u, to.Port())
	u = binary.BigEndian.AppendUint32(u, seq)
	u = append(u, 0, 0, 0, 0, 5<<4, flags, 255, 255, 0, 0, 0, 0)
	f.packet(6, from.Addr().String(), to.Addr().String(), append(u, payload...))
}

// conversation opens a TCP connection and lets both sides speak in turn, the client first.
func (f *captureFile) conversation(client, server string, parts ...[]byte) {
	f.tcp(client, server, 2, 99, nil)
	f.tcp(server, client, 0x12, 499, nil)
	seq := [2]uint32{100, 500}
	for i, part := range parts {
		if i%2 == 0 {
			f.tcp(client, server, 0x18, seq[0], part)
		} else {
			f.tcp(server, client, 0x18, seq[1], part)
		}
		seq[i%2] += uint32(len(part))
	}
}

// saidFacts writes facts as kind and values, in one line each.
func saidFacts(file *fact.File, kinds ...fact.Kind) string {
	var lines []string
	for _, f := range file.Facts {
		if len(kinds) > 0 && !slices.Contains(kinds, f.Kind) {
			continue
		}
		var values []string
		for name, value := range f.Values {
			values = append(values, name+"="+value)
		}
		slices.Sort(values)
		lines = append(lines, strings.TrimSpace(string(f.Kind)+" "+strings.Join(values, " ")))
	}
	return strings.Join(lines, "\n")
}

func rtp(n int) []byte {
	b := []byte{0x80, 0}
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = binary.BigEndian.AppendUint32(b, uint32(n)*160)
	return append(append(b, 1, 2, 3, 4), make([]byte, 160)...)
}

func sipRegister(user, contact, extra string) []byte {
	return []byte(strings.ReplaceAll("REGISTER sip:10.20.0.9 SIP/2.0\n"+
		"Via: SIP/2.0/UDP "+contact+":5060;branch=z9hG4bK1\nFrom: <sip:"+user+"@10.20.0.9>;tag=1\nTo: <sip:"+user+"@10.20.0.9>\n"+
		"Call-ID: 1@"+user+"\nCSeq: 1 REGISTER\nContact: <sip:"+user+"@"+contact+":5060>\n"+extra+"Content-Length: 0\n\n", "\n", "\r\n"))
}

func sipAnswer(status, user string) []byte {
	request := string(sipRegister(user, "10.88.0.14", ""))
	_, fields, _ := strings.Cut(request, "\r\n")
	return []byte("SIP/2.0 " + status + "\r\n" + fields)
}

func sccp(number uint32, body []byte) []byte {
	b := binary.LittleEndian.AppendUint32(nil, uint32(4+len(body)))
	b = binary.LittleEndian.AppendUint32(b, 0)
	return append(binary.LittleEndian.AppendUint32(b, number), body...)
}

func TestCaptureMade(t *testing.T) {
	t.Parallel()
	device := append([]byte("SEP001122334455\x00"), make([]byte, 32)...)
	for name, test := range map[string]struct {
		make func(*captureFile)
		want string
	}{
		"voice one way": {func(f *captureFile) {
			for n := range 150 {
				f.udp("10.88.0.14:20000", "10.20.0.77:24000", rtp(n))
			}
		}, "capture.one-way from=10.88.0.14 held=false packets=150 to=10.20.0.77"},
		"voice both ways, by other ports": {func(f *captureFile) {
			for n := range 150 {
				f.udp("10.88.0.14:20000", "10.20.0.77:24000", rtp(n))
				f.udp("10.20.0.77:24002", "10.88.0.14:20002", rtp(n+7000))
			}
		}, ""},
		"not voice": {func(f *captureFile) {
			for range 150 {
				f.udp("10.88.0.14:20000", "10.20.0.77:24000", bytes.Repeat([]byte{0x80}, 40))
			}
		}, ""},
		"SCCP refused": {func(f *captureFile) {
			f.conversation("10.88.0.14:50000", "10.20.0.9:2000", sccp(sccpRegister, device), sccp(sccpRegisterReject, []byte("No Entry In Database\x00")))
		}, `registrar.refused cause=other client=10.88.0.14 line=SEP001122334455 program=the call manager 10.20.0.9 reason=it says "No Entry In Database"`},
		"SCCP taken, in pieces": {func(f *captureFile) {
			all := sccp(sccpRegister, device)
			f.conversation("10.88.0.14:50000", "10.20.0.9:2000", all[:5], nil, all[5:20], nil, all[20:], sccp(sccpRegisterAck, make([]byte, 16)))
		}, "registrar.registered client=10.88.0.14 line=SEP001122334455"},
		"SCCP closed": {func(f *captureFile) {
			f.conversation("10.88.0.14:50000", "10.20.0.9:2000", sccp(sccpRegister, device))
			f.tcp("10.20.0.9:2000", "10.88.0.14:50000", 0x11, 500, nil)
		}, "registrar.refused cause=other client=10.88.0.14 line=SEP001122334455 program=the call manager 10.20.0.9 reason=it closes the connection without an answer"},
		"files over HTTP": {func(f *captureFile) {
			f.conversation("10.88.0.14:50000", "10.20.0.9:6970",
				[]byte("GET /CTLSEP001122334455.tlv HTTP/1.1\r\nHost: 10.20.0.9:6970\r\n\r\n"), []byte("HTTP/1.1 404 Not Found\r\nContent-Length: 4\r\n\r\nnone"),
				[]byte("GET /SEP001122334455.cnf.xml HTTP/1.1\r\nHost: 10.20.0.9:6970\r\n\r\n"), []byte("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n<device/>"))
		}, "files.missing client=10.88.0.14 name=CTLSEP001122334455.tlv server=10.20.0.9\nfiles.sent client=10.88.0.14 name=SEP001122334455.cnf.xml server=10.20.0.9"},
		"a packet that is too big": {func(f *captureFile) {
			big := f.udp("192.168.1.20:40000", "203.0.113.2:443", make([]byte, 1300))
			f.packet(1, "198.51.100.1", "192.168.1.20", append([]byte{3, 4, 0, 0, 0, 0, 0x04, 0xb0}, big[:28]...))
		}, "capture.too-big by=198.51.100.1 mtu=1200 server=203.0.113.2:443"},
		"a router that forbids": {func(f *captureFile) {
			f.tcp("10.88.0.14:50000", "10.20.0.9:5060", 2, 1, nil)
			syn := f.packet(6, "10.88.0.14", "10.20.0.9", []byte{0xc3, 0x50, 0x13, 0xc4, 0, 0, 0, 1})
			f.packet(1, "10.20.0.1", "10.88.0.14", append([]byte{3, 13, 0, 0, 0, 0, 0, 0}, syn...))
		}, "capture.no-answer by=tcp client=10.88.0.14 reason=prohibited server=10.20.0.9:5060 service=call manager"},
		"asked once": {func(f *captureFile) { f.tcp("10.88.0.14:50000", "10.20.0.9:5060", 2, 1, nil) }, ""},
		"another address in Contact": {func(f *captureFile) {
			f.udp("10.88.0.14:5060", "10.20.0.9:5060", sipRegister("1001", "192.168.178.20", ""))
			f.udp("10.20.0.9:5060", "10.88.0.14:5060", sipAnswer("200 OK", "1001"))
		}, "capture.translated in=Contact line=1001 named=192.168.178.20 seen=10.88.0.14\nregistrar.registered client=10.88.0.14 line=1001"},
		"an unknown line": {func(f *captureFile) {
			f.udp("10.88.0.14:5060", "10.20.0.9:5060", sipRegister("1001", "10.88.0.14", ""))
			f.udp("10.20.0.9:5060", "10.88.0.14:5060", sipAnswer("404 Not Found", "1001"))
		}, "registrar.refused cause=unknown client=10.88.0.14 line=1001 program=the call manager 10.20.0.9 reason=it answers 404"},
		"a password that is asked for": {func(f *captureFile) {
			f.udp("10.88.0.14:5060", "10.20.0.9:5060", sipRegister("1001", "10.88.0.14", ""))
			f.udp("10.20.0.9:5060", "10.88.0.14:5060", sipAnswer("401 Unauthorized", "1001"))
		}, ""},
		"a gateway that only asks for cookies": {func(f *captureFile) {
			hello := append([]byte{22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil...)
			verify := append([]byte{22, 0xfe, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, nil...)
			for range 3 {
				f.udp("192.168.1.20:40000", "203.0.113.2:443", hello)
				f.udp("203.0.113.2:443", "192.168.1.20:40000", verify)
			}
		}, "capture.dtls-failed reason=the gateway asks 3 times for a cookie and never goes on server=203.0.113.2:443"},
		"a block that is sent in vain": {func(f *captureFile) {
			f.udp("10.88.0.14:50000", "10.20.0.9:69", []byte("\x00\x01SEP001122334455.cnf.xml\x00octet\x00"))
			for range 5 {
				f.udp("10.20.0.9:33000", "10.88.0.14:50000", append([]byte{0, 3, 0, 1}, make([]byte, 512)...))
			}
		}, "files.sent client=10.88.0.14 name=SEP001122334455.cnf.xml server=10.20.0.9\nfiles.broken client=10.88.0.14 name=SEP001122334455.cnf.xml server=10.20.0.9"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newCaptureFile()
			test.make(f)
			if got := saidFacts(factsOf(t, string(f.b))); got != test.want {
				t.Errorf("got\n%s\nwant\n%s", got, test.want)
			}
		})
	}
}

// TestCaptureKeys reads what openconnect and ocserv said inside TLS, at each version and kind of cipher.
func TestCaptureKeys(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"keyed-gcm":     "client.up address=10.88.0.190 dtls=in progress\nclient.split network=10.20.0.0/255.255.0.0\nclient.dtls-port port=443",
		"keyed-cbc":     "client.up address=10.88.0.190 dtls=in progress\nclient.dtls-port port=443",
		"keyed-tls10":   "client.up address=10.88.0.190 dtls=in progress\nclient.dtls-port port=443",
		"keyed-tls13":   "client.up address=10.88.0.190 dtls=in progress\nclient.dtls-port port=443",
		"keyed-nolease": "client.refused reason=401 Cookie is not acceptable",
	} {
		packets, err := os.ReadFile(filepath.Join(netData, name+".pcap"))
		if err != nil {
			t.Fatal(err)
		}
		keys, err := os.ReadFile(filepath.Join(netData, name+".keys"))
		if err != nil {
			t.Fatal(err)
		}
		c := fact.NewCollector("test", "test")
		if err := Input(context.Background(), c, name, bytes.NewReader(packets), Options{KeyLog: keys}); err != nil {
			t.Fatal(err)
		}
		kinds := []fact.Kind{fact.ClientUp, fact.ClientSplit, fact.ClientDTLSPort, fact.ClientNoDTLS, fact.ClientRefused, fact.ClientUnknownURL, fact.ClientLoginRefused}
		if got := saidFacts(c.File(), kinds...); got != want {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
		if got := saidFacts(factsOf(t, string(packets)), kinds...); got != "" {
			t.Errorf("%s: without keys it tells %s", name, got)
		}
		for _, f := range c.File().Facts {
			if strings.Contains(f.Text+fmt.Sprint(f.Values), "webvpn=") {
				t.Errorf("%s: a cookie is told: %q", name, f.Text)
			}
		}
	}
}

// TestCaptureTruncated cuts captures at many places: nothing is told then that is not told of the whole, but what the
// end of it settles.
func TestCaptureTruncated(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"keyed-gcm.pcap", "sip.pcapng", "provisioning.pcap", "badcert.pcap"} {
		b, err := os.ReadFile(filepath.Join(netData, name))
		if err != nil {
			t.Fatal(err)
		}
		whole := saidFacts(factsOf(t, string(b)))
		for n := 24; n < len(b); n += 97 {
			for _, line := range strings.Split(saidFacts(factsOf(t, string(b[:n]))), "\n") {
				if !strings.Contains(whole, line) && !strings.HasPrefix(line, "capture.no-") && !strings.HasPrefix(line, "capture.empty") {
					t.Errorf("%s cut at %d tells %s", name, n, line)
				}
			}
		}
	}
}

// FuzzCapture changes captures in every way.
func FuzzCapture(f *testing.F) {
	for name, b := range netSeeds(f) {
		if strings.Contains(name, ".pcap") && len(b) < 20_000 {
			f.Add(b, []byte(nil))
		}
	}
	keys, err := os.ReadFile(filepath.Join(netData, "keyed-gcm.keys"))
	if err != nil {
		f.Fatal(err)
	}
	f.Add([]byte{0xd4, 0xc3, 0xb2, 0xa1}, keys)
	f.Fuzz(func(t *testing.T, b, keys []byte) {
		c := fact.NewCollector("test", "test")
		if err := Input(context.Background(), c, "x", bytes.NewReader(b), Options{KeyLog: keys}); err != nil {
			t.Error(err)
		}
	})
}
