package tftp

import (
	"bytes"
	"encoding/hex"
	"reflect"
	"strings"
	"testing"
	"time"
)

var packets = []struct {
	name   string
	hex    string
	packet Packet
	line   string
}{
	{
		"read request with options",
		"0001 534550303031313232333334343535 2e636e662e786d6c 00 6f63746574 00" +
			"626c6b73697a65 00 31343238 00 7473697a65 00 30 00 77696e646f7773697a65 00 38 00",
		&Request{Name: "SEP001122334455.cnf.xml", Mode: Octet, Options: Options{
			{"blksize", "1428"}, {"tsize", "0"}, {"windowsize", "8"},
		}},
		`RRQ "SEP001122334455.cnf.xml" octet blksize=1428 tsize=0 windowsize=8`,
	},
	{
		"write request", "0002 61 00 4e65744153434949 00",
		&Request{Write: true, Name: "a", Mode: "NetASCII"}, `WRQ "a" NetASCII`,
	},
	{"data", "0003 ffff 0102", &Data{Block: 65535, Payload: []byte{1, 2}}, "DATA 65535 2 bytes"},
	{"empty data", "0003 0001", &Data{Block: 1, Payload: []byte{}}, "DATA 1 0 bytes"},
	{"acknowledgement", "0004 0102", &Ack{Block: 258}, "ACK 258"},
	{"error", "0005 0001 6e6f 00", &Error{Code: NotFound, Message: "no"}, `ERROR 1 (file not found) "no"`},
	{"unknown error", "0005 0063 00", &Error{Code: 99}, `ERROR 99 (code 99) ""`},
	{"option acknowledgement", "0006 74696d656f7574 00 32 00", &OptionAck{Options{{"timeout", "2"}}}, "OACK timeout=2"},
}

func unhex(t *testing.T, text string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(text, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestPackets(t *testing.T) {
	t.Parallel()
	for _, c := range packets {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			wire := unhex(t, c.hex)
			got, err := Parse(wire)
			if err != nil || !reflect.DeepEqual(got, c.packet) {
				t.Errorf("Parse = %#v, %v, want %#v", got, err, c.packet)
			}
			back, err := c.packet.AppendBinary([]byte("x"))
			if err != nil || !bytes.Equal(back, append([]byte("x"), wire...)) {
				t.Errorf("AppendBinary = %x, %v, want %x after what was there", back, err, wire)
			}
			if line := c.packet.String(); line != c.line {
				t.Errorf("String = %s, want %s", line, c.line)
			}
		})
	}
}

// A packet that was cut is refused or is itself a packet that encodes to the bytes it came from; only
// an ERROR may lack its closing zero.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, c := range packets {
		wire := unhex(t, c.hex)
		for cut := range len(wire) {
			packet, err := Parse(wire[:cut])
			if err != nil {
				continue
			}
			if _, isError := packet.(*Error); isError {
				continue
			}
			if back, err := packet.AppendBinary(nil); err != nil || !bytes.Equal(back, wire[:cut]) {
				t.Errorf("%s cut to %d bytes is read as %s, which encodes to %x, %v", c.name, cut, packet, back, err)
			}
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, hex, want string }{
		{"no bytes", "", "tftp: packet of 0 bytes has no opcode"},
		{"opcode", "0007 00", "tftp: opcode 7 at offset 0 is not known"},
		{"name without end", "0001 6161", "tftp: file name at offset 2 has no end"},
		{"empty name", "0001 00 6f 00", "tftp: file name at offset 2 is empty"},
		{"no mode", "0001 61 00", "tftp: mode at offset 4 has no end"},
		{"option without value", "0001 61 00 6f 00 62 00", `tftp: value of option "b" at offset 8 has no end`},
		{"option without name", "0006 00 31 00", "tftp: option at offset 2 has no name"},
		{"short data", "0003 00", "tftp: data of 3 bytes has no number at offset 2"},
		{"long request", "0001" + strings.Repeat("61", 511), "tftp: request of 513 bytes exceeds 512"},
		{"long data", "0003 0001" + strings.Repeat("00", MaxBlksize+1), "tftp: data of 65465 bytes exceeds 65464"},
	} {
		packet, err := Parse(unhex(t, c.hex))
		if err == nil || err.Error() != c.want {
			t.Errorf("%s: Parse = %v, %v, want error %q", c.name, packet, err, c.want)
		}
	}
	for _, p := range []Packet{
		&Request{Name: "a\x00b", Mode: Octet}, &Request{Mode: Octet},
		&Request{Name: strings.Repeat("a", 600), Mode: Octet},
		&Data{Payload: make([]byte, MaxBlksize+1)}, &OptionAck{Options{{"", "1"}}}, &Error{Message: "\x00"},
	} {
		if b, err := p.AppendBinary(nil); err == nil {
			t.Errorf("%.60s encodes to %d bytes, want it refused", p, len(b))
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	options := Options{{"BLKSIZE", "1428"}, {"timeout", "5"}, Number("tsize", 70000)}
	if n, ok := options.Blksize(); n != 1428 || !ok {
		t.Errorf("Blksize = %d, %t, want 1428", n, ok)
	}
	if d, ok := options.Timeout(); d != 5*time.Second || !ok {
		t.Errorf("Timeout = %s, %t, want 5s", d, ok)
	}
	if n, ok := options.Tsize(); n != 70000 || !ok {
		t.Errorf("Tsize = %d, %t, want 70000", n, ok)
	}
	for _, bad := range []Options{
		nil, {{"blksize", "7"}, {"timeout", "0"}, {"tsize", "-1"}},
		{{"blksize", "65465"}, {"timeout", "256"}, {"tsize", "many"}},
	} {
		_, blksize := bad.Blksize()
		_, timeout := bad.Timeout()
		if _, tsize := bad.Tsize(); blksize || timeout || tsize {
			t.Errorf("options%s are taken: blksize %t, timeout %t, tsize %t", bad, blksize, timeout, tsize)
		}
	}
}

func TestNetASCII(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"": "", "a\nb": "a\r\nb", "a\rb": "a\r\x00b", "a\r\n": "a\r\x00\r\n", "\n\n": "\r\n\r\n",
	} {
		got := AppendNetASCII(nil, []byte(text))
		if string(got) != want {
			t.Errorf("AppendNetASCII(%q) = %q, want %q", text, got, want)
		}
		if back := AppendText(nil, got); string(back) != text {
			t.Errorf("AppendText(%q) = %q, want %q", got, back, text)
		}
	}
	if got := AppendText(nil, []byte("a\rb\r")); string(got) != "a\rb\r" {
		t.Errorf("AppendText of stray CR = %q, want it kept", got)
	}
}

func FuzzParse(f *testing.F) {
	for _, c := range packets {
		b, _ := hex.DecodeString(strings.ReplaceAll(c.hex, " ", ""))
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		packet, err := Parse(b)
		if err != nil {
			return
		}
		wire, err := packet.AppendBinary(nil)
		if err != nil {
			t.Fatalf("%s does not encode: %v", packet, err)
		}
		if again, err := Parse(wire); err != nil || !reflect.DeepEqual(again, packet) {
			t.Fatalf("%s comes back as %v, %v", packet, again, err)
		}
	})
}
