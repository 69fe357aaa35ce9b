package dtls

import (
	"bytes"
	"encoding/hex"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/longcord/longcord/wire/dtls"
)

var recordings = []string{
	"dtls09-aes128sha", "dtls09-aes256sha", "form-login", "oc-dtls12-aes128gcm", "dtls12-aes256gcm",
}

// recording is one recorded tunnel: its session, and its datagrams in order.
type recording struct {
	cfg       Config
	datagrams []struct {
		fromClient bool
		payload    []byte
	}
}

func load(t testing.TB, name string) recording {
	t.Helper()
	var rec recording
	keys, err := os.ReadFile("testdata/" + name + ".keys")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(keys)) {
		field, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		raw, _ := hex.DecodeString(value)
		switch field {
		case "X-DTLS-Master-Secret":
			rec.cfg.MasterSecret = raw
		case "X-DTLS-Session-ID":
			rec.cfg.SessionID = raw
		case "X-DTLS-CipherSuite":
			rec.cfg.Version, rec.cfg.Suite, _ = dtls.SuiteByName(dtls.CipherSuite, value)
		case "X-DTLS12-CipherSuite":
			rec.cfg.Version, rec.cfg.Suite, _ = dtls.SuiteByName(dtls.CipherSuite12, value)
		}
	}
	f, err := os.Open("testdata/" + name + ".pcap")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := pcapgo.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for {
		data, _, err := r.ReadPacketData()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		packet := gopacket.NewPacket(data, r.LinkType(), gopacket.Default)
		if udp, ok := packet.Layer(layers.LayerTypeUDP).(*layers.UDP); ok {
			rec.datagrams = append(rec.datagrams, struct {
				fromClient bool
				payload    []byte
			}{udp.DstPort == 443, bytes.Clone(udp.Payload)})
		}
	}
	if len(rec.datagrams) == 0 || len(rec.cfg.MasterSecret) != MasterLen || rec.cfg.Suite == 0 {
		t.Fatalf("%s: recording is incomplete", name)
	}
	return rec
}

// TestRecorded opens every record of tunnels between programs that are not ours, in both directions,
// and compares both Finished messages with what we would have sent.
func TestRecorded(t *testing.T) {
	t.Parallel()
	for _, name := range recordings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			replay(t, load(t, name))
		})
	}
}

func replay(t *testing.T, rec recording) {
	var (
		clientRandom, serverRandom []byte
		script                     = transcript{version: rec.cfg.Version, suite: rec.cfg.Suite}
		client, server             *Conn // as the client's and the server's ends open records
		finished, opened           int
	)
	for _, d := range rec.datagrams {
		for rest := d.payload; len(rest) > 0; {
			r, next, err := dtls.ParseRecord(rest)
			if err != nil {
				t.Fatal(err)
			}
			raw := rest[:len(rest)-len(next)]
			rest = next
			switch {
			case r.Epoch == 0 && r.Type == dtls.HandshakeRecord:
				m, _, err := dtls.ParseHandshake(r.Fragment)
				if err != nil {
					t.Fatal(err)
				}
				script.add(m)
				if d.fromClient {
					hello, err := dtls.ParseClientHello(m.Body)
					if err != nil {
						t.Fatal(err)
					}
					if first, _, ok := dtls.HelloOf(d.payload); !ok || !bytes.Equal(first.SessionID, rec.cfg.SessionID) {
						t.Errorf("session id of the ClientHello: got %x want %x", first.SessionID, rec.cfg.SessionID)
					}
					clientRandom = bytes.Clone(hello.Random[:])
					continue
				}
				hello, err := dtls.ParseServerHello(m.Body)
				if err != nil {
					t.Fatal(err)
				}
				serverRandom = bytes.Clone(hello.Random[:])
				keys := newKeyBlock(rec.cfg.Version, rec.cfg.Suite, rec.cfg.MasterSecret, serverRandom, clientRandom)
				if client, err = newConn(rec.cfg.Version, rec.cfg.Suite, keys, true, nil); err != nil {
					t.Fatal(err)
				}
				if server, err = newConn(rec.cfg.Version, rec.cfg.Suite, keys, false, nil); err != nil {
					t.Fatal(err)
				}
			case r.Epoch == dataEpoch:
				end, label := client, serverFinished
				if d.fromClient {
					end, label = server, clientFinished
				}
				if r.Type == dtls.HandshakeRecord {
					verify, m, _, err := openFinished(end, raw)
					if err != nil {
						t.Fatal(err)
					}
					if want := script.finished(rec.cfg.MasterSecret, label); !bytes.Equal(verify, want) {
						t.Errorf("%s: got %x want %x", label, verify, want)
					}
					script.add(m)
					finished++
					continue
				}
				if _, err := end.Open(raw); err != nil {
					t.Errorf("%s: %v", r, err)
				}
				opened++
			}
		}
	}
	if finished != 2 || opened < 6 {
		t.Errorf("the recording holds %d Finished and %d data records", finished, opened)
	}
}
