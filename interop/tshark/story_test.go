//go:build interop

// Package tshark_test lets tshark, a reader of packets that we did not write, judge what the whole system
// puts on the wire: by the capture that `longcord lab --pcap` writes, with the keys inside it.
package tshark_test

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

func TestStory(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ vpn, tls, dtls, id string }{
		{"dtls12", "0x0303", "0xfefd", "32"},
		{"psk", "0x0303", "0xfefd", "0"}, // nothing is resumed
		// tshark 4.0 knows DTLS 0.9 as "OpenSSL pre 0.9.8f" and opens its records.
		{"dtls09", "0x0301", "0x0100", "32"},
		{"tls", "0x0303", "", ""},
	} {
		t.Run(c.vpn, func(t *testing.T) {
			t.Parallel()
			all := tell(t, c.vpn)
			judgeSoundness(t, all)
			judgeAddresses(t, all)
			judgeFiles(t, all)
			judgeLogin(t, all, c.tls)
			judgeDTLS(t, all, c.dtls, c.id)
			judgeTunnel(t, all)
			judgeSignalling(t, all)
			judgeAudio(t, all)
		})
	}
}

// judgeSoundness looks for what tshark cannot make sense of. It is not asked for warnings about CSTP,
// which it takes for HTTP, nor about errors of TFTP, since it warns of each, nor about TCP that repeats
// itself, as it does on a busy machine.
func judgeSoundness(t *testing.T, c capture) {
	t.Helper()
	const warning, fault = 0x600000, 0x800000 // tshark's severities
	c.none(t, "malformed", "_ws.malformed")
	c.none(t, "faults", fmt.Sprintf("_ws.expert.severity >= %d", fault))
	c.none(t, "warnings", fmt.Sprintf("_ws.expert.severity >= %d and not tcp.port == 443 and not tftp.opcode == 5"+
		" and not tcp.len == 0 and not tcp.analysis.flags", warning))
}

// judgeAddresses follows DHCP: in the office it names the file server, at home nobody has heard of one.
func judgeAddresses(t *testing.T, c capture) {
	t.Helper()
	kinds := slices.Compact(c.fields(t, atHome+" and dhcp", "dhcp.option.dhcp"))
	if want := []string{"1", "2", "3", "5"}; !slices.Equal(kinds, want) {
		t.Errorf("DHCP messages at home are %q, want discover, offer, request, ack: %q", kinds, want)
	}
	servers := c.fields(t, inOffice+" and dhcp.option.dhcp == 5", "dhcp.option.tftp_server_address")
	if want := []string{"10.20.0.1", "10.20.0.1"}; !slices.Equal(servers, want) {
		t.Errorf("option 150 given in the office is %q, want %q for two phones", servers, want)
	}
	c.none(t, "a file server at home", atHome+" and (dhcp.option.tftp_server_address or dhcp.option.tftp_server_name)")
}

// judgeFiles finds the phone's file on its way, in the office and in the tunnel.
func judgeFiles(t *testing.T, c capture) {
	t.Helper()
	for _, place := range []string{inOffice, inTunnel} {
		asked := c.fields(t, place+" and http.request and tcp.dstport == 6970", "http.request.method", "http.request.uri")
		if want := "GET /SEP001122334455.cnf.xml"; !slices.Contains(asked, want) {
			t.Errorf("%s: requests are %q, want %q among them", place, asked, want)
		}
		if got := c.fields(t, place+` and http.response.code == 200 and xml.tag == "<device>"`, "xml.tag"); len(got) == 0 {
			t.Errorf("%s: no answer is a phone's file in XML", place)
		}
	}
	c.none(t, "files outside the tunnel at home", atHome+" and tcp.port == 6970 and tcp.len > 0")
}

// judgeLogin reads what TLS hides: every record opens with the keys in the file.
func judgeLogin(t *testing.T, c capture, version string) {
	t.Helper()
	got := c.fields(t, atHome+" and tls.handshake.type == 2", "tls.handshake.version")
	if want := []string{version}; !slices.Equal(got, want) {
		t.Errorf("TLS versions chosen are %q, want %q", got, want)
	}
	dialogue := c.fields(t, atHome+" and tls and (http.request or http.response)", "http.request.method", "http.request.uri", "http.response.code")
	for i, line := range dialogue {
		dialogue[i] = strings.TrimSpace(line)
	}
	want := []string{"GET /phone", "200", "POST /phone", "200", "CONNECT /CSCOSSLC/tunnel", "200"}
	if !slices.Equal(dialogue, want) {
		t.Errorf("login is %q, want %q", dialogue, want)
	}
	c.none(t, "TLS records that do not open", "tls.app_data and not http and not tls.segment.data")
}

// judgeDTLS checks the version, the length of the session id that the server answers with, and that every
// record opens. None: there is no DTLS.
func judgeDTLS(t *testing.T, c capture, version, id string) {
	t.Helper()
	if version == "" {
		c.none(t, "DTLS", "dtls")
		return
	}
	// Datagrams that the kernel parts on their way out (UDP_SEGMENT) are one in a capture, with a record each.
	var records []string
	for _, datagram := range c.fields(t, onTheWay+" and dtls.record.content_type == 23 and not icmp", "dtls.record.version") {
		records = append(records, strings.Split(datagram, ",")...)
	}
	records = slices.Compact(records)
	if want := []string{version}; !slices.Equal(records, want) {
		t.Errorf("DTLS versions of records are %q, want %q", records, want)
	}
	hello := c.fields(t, onTheWay+" and dtls.handshake.type == 2", "dtls.handshake.version", "dtls.handshake.session_id_length")
	if want := []string{version + " " + id}; !slices.Equal(hello, want) {
		t.Errorf("server hellos are %q, want %q", hello, want)
	}
	c.none(t, "DTLS records that do not open", "dtls.record.content_type == 23 and not data and not icmp")
}

// judgeTunnel compares the voice that left the phone's tunnel interface with what tshark finds inside
// the encrypted packets beside it: the same packets, each on its own.
func judgeTunnel(t *testing.T, c capture) {
	t.Helper()
	var sent, carried []int
	for _, seq := range c.fields(t, inTunnel+" and rtp and not icmp and ip.src == 10.20.0.130", "rtp.seq") {
		n, err := strconv.Atoi(seq)
		if err != nil {
			t.Fatalf("sequence number %q", seq)
		}
		sent = append(sent, n)
	}
	// As HTTP, which tshark takes it for, CSTP would come in pieces.
	opened := c.run(t, "--disable-protocol", "http", "-T", "fields", "-e", "data.data",
		"-Y", atHome+" and ip.src != 203.0.113.2 and (dtls or tls) and data and not icmp")
	for _, payload := range opened {
		for record := range strings.SplitSeq(payload, ",") {
			if seq, ok := voiceInside(record); ok {
				carried = append(carried, seq)
			}
		}
	}
	if len(sent) == 0 || !slices.Equal(sent, carried) {
		t.Errorf("%d voice packets left the phone, %d of them or others were carried", len(sent), len(carried))
	}
}

// voiceInside returns the RTP sequence number of the packet in an opened record of either channel.
func voiceInside(payload string) (seq int, ok bool) {
	b, err := hex.DecodeString(payload)
	switch {
	case err != nil || len(b) < 8:
		return 0, false
	case string(b[:4]) == "STF\x01" && b[6] == 0: // CSTP: a header of eight bytes
		b = b[8:]
	case b[0] == 0: // DTLS: one of a single byte
		b = b[1:]
	}
	const ip, udp, rtp = 20, 8, 12
	if len(b) < ip+udp+rtp || b[0] != 0x45 || b[9] != 17 || b[ip+udp] != 0x80 || b[ip+udp+1]&0x7f > 8 {
		return 0, false
	}
	return int(b[ip+udp+2])<<8 | int(b[ip+udp+3]), true
}

// judgeSignalling reads the call as each phone lives it.
func judgeSignalling(t *testing.T, c capture) {
	t.Helper()
	for _, phone := range []struct{ place, address, caller string }{
		{inTunnel, "10.20.0.130", "10.20.0.130"},
		{inOffice, "10.20.0.10", "10.20.0.1"},
	} {
		lines := c.fields(t, fmt.Sprintf("%s and sip and ip.addr == %s", phone.place, phone.address), "ip.src", "sip.Method", "sip.Status-Code", "sip.CSeq.method")
		for i, line := range lines {
			lines[i] = strings.Join(strings.Fields(line), " ")
		}
		callee := "10.20.0.1"
		if phone.caller == callee {
			callee = phone.address
		}
		want := []string{
			phone.address + " REGISTER REGISTER",
			"10.20.0.1 401 REGISTER",
			phone.address + " REGISTER REGISTER",
			"10.20.0.1 200 REGISTER",
			phone.caller + " INVITE INVITE",
			callee + " 180 INVITE",
			callee + " 200 INVITE",
			phone.caller + " ACK ACK",
			phone.caller + " BYE BYE",
			callee + " 200 BYE",
			phone.address + " REGISTER REGISTER", // it logs off
			"10.20.0.1 200 REGISTER",
		}
		if !slices.Equal(lines, want) {
			t.Errorf("%s: signalling is\n%s\nwant\n%s", phone.place, strings.Join(lines, "\n"), strings.Join(want, "\n"))
		}
	}
	c.none(t, "signalling outside the tunnel at home", atHome+" and sip")
}

// stream is a line of tshark's list: two ports of whatever addresses, payload type, packets and losses.
var stream = regexp.MustCompile(`^\s*[\d.]+\s+[\d.]+\s+(\S+)\s+\d+\s+(\S+)\s+\d+\s+0x\w+\s+(\S+)\s+(\d+)\s+(-?\d+) \(`)

// judgeAudio lets tshark count the voice, where the desk phone is and where the tunnel ends.
func judgeAudio(t *testing.T, c capture) {
	t.Helper()
	const least = 240 // of the 250 packets of five seconds
	for _, place := range []string{inOffice, inTunnel} {
		heard := map[string]bool{}
		for _, line := range c.run(t, "-2", "-R", place, "-q", "-z", "rtp,streams") {
			m := stream.FindStringSubmatch(line)
			if m == nil {
				continue
			}
			heard[m[1]+" to "+m[2]] = true
			if packets, err := strconv.Atoi(m[4]); err != nil || packets < least || m[5] != "0" || m[3] != "g711U" {
				t.Errorf("%s: %s", place, line)
			}
		}
		if !heard["10.20.0.10 to 10.20.0.130"] || !heard["10.20.0.130 to 10.20.0.10"] || len(heard) != 2 {
			t.Errorf("%s: streams are %v, want one each way", place, heard)
		}
	}
	c.none(t, "voice outside the tunnel at home", atHome+" and rtp")
}
