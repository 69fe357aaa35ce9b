package read

import (
	"testing"
	"time"
)

var now = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// TestNormalise gives lines as they come, and what is left of them.
func TestNormalise(t *testing.T) {
	t.Parallel()
	day := func(year, month, day int) time.Time {
		return time.Date(year, time.Month(month), day, 10, 0, 0, 0, time.UTC)
	}
	tests := map[string]struct {
		in, text, host, program string
		time                    time.Time
	}{
		"plain":             {in: "VPNC: 'webvpn=' not found in cookie\r\n", text: "VPNC: 'webvpn=' not found in cookie"},
		"empty":             {in: "\n"},
		"colours":           {in: "\x1b[1;31merror\x1b[0m here\n", text: "error here"},
		"title":             {in: "\x1b]0;some title\x07show run\n", text: "show run"},
		"written over":      {in: "10%\r50%\rdone\n", text: "done"},
		"pager":             {in: "<--- More --->\b\b\b\b\b\b\b\b\b\b\b\b\b\bwebvpn\n", text: "webvpn"},
		"zeros":             {in: "\x00\x00\x00a\x00b\n", text: "ab"},
		"mark":              {in: "\ufeffwebvpn\n", text: "webvpn"},
		"latin 1":           {in: "M\xfcller\n", text: "Müller"},
		"syslog":            {in: "Nov  5 10:00:00 gw ocserv[12]: main: up\n", text: "main: up", host: "gw", program: "ocserv", time: day(2026, 11, 5)},
		"last year":         {in: "Dec 24 10:00:00 gw kernel: tun0: up\n", text: "tun0: up", host: "gw", program: "kernel", time: day(2025, 12, 24)},
		"priority":          {in: "<134>Nov 25 10:00:00 10.0.0.1 %ASA-6-113039: Group\n", text: "%ASA-6-113039: Group", host: "10.0.0.1", time: day(2026, 11, 25)},
		"ASA with year":     {in: "<166>Nov 25 2025 10:00:00: %ASA-6-113039: Group\n", text: "%ASA-6-113039: Group", time: day(2025, 11, 25)},
		"ASA with name":     {in: "Nov 25 2025 10:00:00 asa1 : %ASA-6-113039: Group\n", text: "%ASA-6-113039: Group", host: "asa1", time: day(2025, 11, 25)},
		"ISO":               {in: "2026-11-25T11:00:00+01:00 gw dnsmasq-tftp[3]: sent x\n", text: "sent x", host: "gw", program: "dnsmasq-tftp", time: day(2026, 11, 25)},
		"ISO with fraction": {in: "2026-11-25 10:00:00,500 something\n", text: "something", time: day(2026, 11, 25).Add(time.Second / 2)},
		"RFC 5424":          {in: `<34>1 2026-11-25T10:00:00Z gw ocserv 12 ID47 [x@1 a="b"] main: up` + "\n", text: "main: up", host: "gw", program: "ocserv", time: day(2026, 11, 25)},
		"RFC 5424 bare":     {in: "<34>1 2026-11-25T10:00:00Z gw ocserv 12 - - main: up\n", text: "main: up", host: "gw", program: "ocserv", time: day(2026, 11, 25)},
		"no host":           {in: "Nov 25 10:00:00 dnsmasq[3]: started\n", text: "started", program: "dnsmasq", time: day(2026, 11, 25)},
		"task of a phone":   {in: "Nov 25 10:00:00 10.0.0.7 VPNC: connecting\n", text: "10.0.0.7 VPNC: connecting", time: day(2026, 11, 25)},
		"number":            {in: "1234 NOT Nov 25 10:00:00.1 VPNC: x\n", text: "1234 NOT Nov 25 10:00:00.1 VPNC: x"},
		"no such day":       {in: "Nov 45 10:00:00 gw x: y\n", text: "Nov 45 10:00:00 gw x: y"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := normalise(test.in, 7, now)
			if got.Number != 7 || got.Text != test.text || got.Host != test.host || got.Program != test.program || !got.Time.Equal(test.time) {
				t.Errorf("got %q host %q program %q at %v, want %q host %q program %q at %v",
					got.Text, got.Host, got.Program, got.Time, test.text, test.host, test.program, test.time)
			}
		})
	}
	for name, test := range tests {
		for n := range test.in { // cut anywhere, it must only not panic
			if got := normalise(test.in[:n], 1, now); len(got.Text) > 2*n {
				t.Errorf("%s, cut at %d: %q is longer than what was given", name, n, got.Text)
			}
		}
	}
}

// TestTimeWithoutNow leaves lines without a year without a time.
func TestTimeWithoutNow(t *testing.T) {
	t.Parallel()
	got := normalise("Nov  5 10:00:00 gw ocserv[12]: main: up", 1, time.Time{})
	if got.Program != "ocserv" || !got.Time.IsZero() {
		t.Errorf("got program %q at %v, want ocserv at no time", got.Program, got.Time)
	}
}
