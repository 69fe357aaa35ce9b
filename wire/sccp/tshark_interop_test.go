//go:build interop

package sccp_test

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/wire/sccp"
)

// tshark reads every message in every version that it knows by its header: it finds the values that we wrote, in our
// order, and nothing that it cannot make sense of.
func TestTshark(t *testing.T) {
	t.Parallel()
	for _, v := range []sccp.Version{3, 5, 11, 15, 17, 18, 20, 22} {
		t.Run(fmt.Sprint(v), func(t *testing.T) {
			t.Parallel()
			file, messages := filepath.Join(t.TempDir(), "sccp.pcap"), sccp.Samples()
			capture(t, file, messages, v)
			if odd := tshark(t, file, "-Y", "_ws.malformed or _ws.expert.severity >= 0x600000"); odd != "" {
				t.Errorf("tshark cannot make sense of\n%s", odd)
			}
			read := dissect(t, file)
			if len(read) != len(messages) {
				t.Fatalf("%d messages, tshark reads %d", len(messages), len(read))
			}
			for i, m := range messages {
				judge(t, v, m, read[i])
			}
		})
	}
}

// tshark runs it on a file and returns what it prints.
func tshark(t *testing.T, file string, args ...string) string {
	t.Helper()
	cmd := exec.Command(office.Peer(t, "tshark"), append([]string{"-n", "-r", file}, args...)...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("tshark %q: %v\n%s", args, err, &errs)
	}
	return string(out)
}

// unread are fields that tshark does not read, or takes apart bit by bit; and addresses that it turns around.
var unread = map[string]bool{
	"RegisterReq.features": true, "RegisterReq.stamp": true, "RegisterAck.features": true, "CapabilitiesRes.parameters": true, "SelectSoftKeys.mask": true,
	"DynamicLineStat.options": true, "SoftKeySets.keys": true, "UnregisterReq.reason": true, "RegisterTokenReq.address": true,
	"RegisterTokenReq.address6": true, "RegisterTokenReq.reserved": true, "DynamicServiceURLStat.url": true, "DynamicServiceURLStat.label": true,
}

// toned is the version from which on a tone is named when it ends.
const toned = 11

var valueOf = regexp.MustCompile(`(\w+)(?:\[\d+\])?=("(?:[^"\\]|\\.)*"|\S+)`)

// judge looks for the values of a message among those that tshark found.
func judge(t *testing.T, v sccp.Version, m sccp.Message, found []string) {
	t.Helper()
	if len(found) == 0 || found[0] != strconv.Itoa(int(m.ID())) {
		t.Errorf("version %d: %s is message %q for tshark", v, m, found)
		return
	}
	left := found[1:]
	for _, field := range valueOf.FindAllStringSubmatch(m.String(), -1) {
		name, want := field[1], strings.Trim(field[2], `"`)
		if unread[m.ID().String()+"."+name] || m.ID().String() == "StopTone" && name == "tone" && v < toned {
			continue
		}
		if reset, ok := m.(*sccp.Reset); ok {
			want = strconv.Itoa(int(reset.Type))
		}
		at := slices.Index(left, want)
		if at < 0 {
			t.Errorf("version %d: %s %s is not %s for tshark, where it belongs: %q", v, m.ID(), name, want, found)
			return
		}
		left = left[at+1:]
	}
}

// dissect returns for each message its number and the values of its fields.
func dissect(t *testing.T, file string) [][]string {
	t.Helper()
	type field struct {
		Name   string  `xml:"name,attr"`
		Show   string  `xml:"show,attr"`
		Fields []field `xml:"field"`
	}
	var all struct {
		Packets []struct {
			Protocols []field `xml:"proto"`
		} `xml:"packet"`
	}
	if err := xml.Unmarshal([]byte(tshark(t, file, "-T", "pdml")), &all); err != nil {
		t.Fatal(err)
	}
	var messages [][]string
	for _, packet := range all.Packets {
		for _, p := range packet.Protocols {
			if p.Name != "skinny" {
				continue
			}
			var values []string
			var walk func([]field)
			walk = func(fields []field) {
				for _, f := range fields {
					if value, ok := shown(f.Show); ok && f.Name != "skinny.data_length" && f.Name != "skinny.hdr_version" {
						values = append(values, value)
					}
					walk(f.Fields)
				}
			}
			walk(p.Fields)
			messages = append(messages, values)
		}
	}
	return messages
}

// shown makes a value comparable: numbers in decimal, MAC addresses without colons.
func shown(show string) (string, bool) {
	if mac := strings.ReplaceAll(show, ":", ""); len(show) == 17 && len(mac) == 12 {
		return mac, true
	}
	if n, err := strconv.ParseUint(show, 0, 64); err == nil {
		return strconv.FormatUint(n, 10), true
	}
	return show, show != ""
}

// capture writes a capture of one connection in which each message is a packet.
func capture(t *testing.T, file string, messages []sccp.Message, v sccp.Version) {
	t.Helper()
	const rawIP = 101
	var out bytes.Buffer
	le := binary.LittleEndian
	header := le.AppendUint32(nil, 0xa1b2c3d4)
	header = le.AppendUint16(le.AppendUint16(header, 2), 4)
	header = le.AppendUint32(le.AppendUint32(le.AppendUint32(le.AppendUint32(header, 0), 0), 65535), rawIP)
	out.Write(header)
	sequence := uint32(1)
	for i, m := range messages {
		payload, err := sccp.Append(nil, m, v)
		if err != nil {
			t.Fatal(err)
		}
		packet := tcpPacket(sequence, payload)
		sequence += uint32(len(payload))
		size := uint32(len(packet))
		out.Write(le.AppendUint32(le.AppendUint32(le.AppendUint32(le.AppendUint32(nil, 1700000000), uint32(i)), size), size))
		out.Write(packet)
	}
	if err := os.WriteFile(file, out.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// tcpPacket is a packet from 192.0.2.7:50000 to 192.0.2.1:2000.
func tcpPacket(sequence uint32, payload []byte) []byte {
	head, err := hex.DecodeString("450000000000000040060000" + "c0000207" + "c0000201" + "c35007d0")
	if err != nil {
		panic(err)
	}
	b := binary.BigEndian.AppendUint32(head, sequence)
	b = append(b, 0, 0, 0, 1, 0x50, 0x18, 0xff, 0xff, 0, 0, 0, 0)
	b = append(b, payload...)
	binary.BigEndian.PutUint16(b[2:], uint16(len(b)))
	return b
}
