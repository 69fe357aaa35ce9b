package read

import (
	"bytes"
	"fmt"
	"io"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// Lines as they stand in long logs. Few of them are known.
var longLogs = map[string][]string{
	"phone": {
		"%d: NOT 11:24:20.%06d TFTP: [27]:Requesting SEP001122334455.cnf.xml from 192.0.2.10 with size limit of 550001\n",
		"%d: DEB 11:24:20.%06d JVM: Startup Module Loader|cip.midp.midletsuite.InstallerModule:? - Midlet manager started\n",
		"%d: ERR 11:24:21.%06d SIPCC-SIP_REG: 0/0, regmgr: sip_regmgr_handle_timeout: no answer\n",
		"%d: NOT 11:24:21.%06d VPNC: keepalive sent\n",
	},
	"syslog": {
		"Nov 25 10:%02[1]d:00 gw%[2]d kernel: [12345.678901] tun0: link is not ready\n",
		"Nov 25 2026 10:00:00: %%ASA-6-302013: Built outbound TCP connection %d for outside:192.0.2.%d/443 to inside:10.0.0.9/5060\n",
		"Nov 25 10:00:%02[1]d mail%[2]d postfix/smtpd[123]: connect from unknown[192.0.2.7]\n",
		"2026-11-25T10:00:00.123456+00:00 gw%[2]d ocserv[%[1]d]: worker: 192.0.2.7 received CSTP DPD\n",
	},
	"asa": {
		"<166>Nov 25 2026 10:00:%02[1]d: %%ASA-6-302014: Teardown TCP connection %[2]d for outside:192.0.2.9/443 to inside:10.0.0.9/5060 duration 0:00:30 bytes 4711 TCP FINs\n",
		"<166>Nov 25 2026 10:00:%02[1]d: %%ASA-6-113039: Group <GroupPolicy_VPN> User <user%[2]d> IP <192.0.2.7> AnyConnect parent session started.\n",
		"<166>Nov 25 2026 10:00:%02[1]d: %%ASA-6-725002: Device completed SSL handshake with client outside:192.0.2.7/%[2]d to 192.0.2.1/443 for TLSv1.2 session\n",
	},
	"ocserv": {
		"Nov 25 10:%02[1]d:00 gw ocserv[%[2]d]: worker[user%[1]d]: 192.0.2.7 received CSTP DPD; sending response\n",
		"Nov 25 10:%02[1]d:00 gw ocserv[%[2]d]: main[user%[1]d]: 192.0.2.7:4711 new user session\n",
		"Nov 25 10:%02[1]d:00 gw ocserv[%[2]d]: worker[user%[1]d]: 192.0.2.7 suggesting DPD of 90 secs\n",
	},
	"configuration": {
		"access-list outside_in extended permit tcp host 192.0.2.%d host 10.0.0.9 eq %d\n",
		"object network host-%d-%d\n",
		" host 10.0.%d.9\n",
		"logging host inside 10.0.0.%d %d/1514\n",
	},
	"other": {
		"192.0.2.7 - - [25/Nov/2026:10:00:00 +0000] \"GET /index.html?%d HTTP/1.1\" 200 %d \"-\" \"Mozilla/5.0 (X11; Linux x86_64)\"\n",
		"DEBUG worker %d: took %d microseconds for the request, which is more than it should be on such a machine\n",
	},
}

// repeated is a log of so many bytes, made while it is read.
type repeated struct {
	block []byte
	left  int64
	at    int
}

func logOf(lines []string, size int64) io.Reader {
	var b bytes.Buffer
	for i := 0; b.Len() < 1<<20; i++ {
		fmt.Fprintf(&b, lines[i%len(lines)], i%60, i)
	}
	return &repeated{block: b.Bytes(), left: size}
}

func (r *repeated) Read(p []byte) (int, error) {
	if r.left <= 0 {
		return 0, io.EOF
	}
	n := copy(p[:min(int64(len(p)), r.left)], r.block[r.at:])
	r.at = (r.at + n) % len(r.block)
	r.left -= int64(n)
	return n, nil
}

// processor is the time of processors that this process has used.
func processor(b *testing.B) time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		b.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}

// BenchmarkLongLog reads long logs of each kind.
func BenchmarkLongLog(b *testing.B) {
	for name, lines := range longLogs {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(10 << 20)
			b.ReportAllocs()
			before := processor(b)
			for b.Loop() {
				c := fact.NewCollector("test", "x")
				if err := Input(b.Context(), c, "x", logOf(lines, 10<<20), Options{Now: now}); err != nil {
					b.Fatal(err)
				}
			}
			b.ReportMetric(10*float64(b.N)/(processor(b)-before).Seconds(), "MB/cpu-s")
		})
	}
}

// TestLongLogMemory reads a long log, and a line without an end, in bounded memory.
func TestLongLogMemory(t *testing.T) {
	size := int64(12 << 20)
	if testing.Short() {
		size = 4 << 20
	}
	for name, r := range map[string]io.Reader{
		"log":      logOf(longLogs["syslog"], size),
		"one line": io.LimitReader(endless{'x'}, size),
	} {
		var most uint64
		watch := func(int64) {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			most = max(most, m.HeapAlloc)
		}
		watch(0)
		before := most
		c := fact.NewCollector("test", "x")
		if err := Input(t.Context(), c, "x", r, Options{Now: now, Progress: watch}); err != nil {
			t.Fatal(err)
		}
		if most > before+48<<20 {
			t.Errorf("%s of %d MB took %d MB of heap", name, size>>20, (most-before)>>20)
		}
	}
}
