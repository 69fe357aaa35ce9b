package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

// judged reads files of testdata/net together and returns the verdict with the findings, those that are not certain
// with their certainty.
func judged(t *testing.T, names ...string) (report *judge.Report, said string) {
	t.Helper()
	collector := fact.NewCollector("test", "files")
	for _, name := range names {
		f, err := os.Open(filepath.Join("testdata", "net", name))
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = f.Close() }()
		if err := read.Input(t.Context(), collector, name, f, read.Options{Now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}); err != nil {
			t.Fatal(err)
		}
	}
	report = judge.Facts(collector.File(), "test")
	return report, summary(report)
}

func summary(report *judge.Report) string {
	all := []string{string(report.Verdict)}
	for _, f := range report.Findings {
		if f.Certainty == finding.Certain {
			all = append(all, f.Code)
		} else {
			all = append(all, fmt.Sprintf("%s(%s)", f.Code, f.Certainty))
		}
	}
	return strings.Join(all, " ")
}

// TestRecorded judges what programs of others printed when something was made to fail.
func TestRecorded(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"healthy.ocserv.log":        "ok",
		"healthy.oc.log":            "ok",
		"legacymix.ocserv.log":      "ok",
		"wrongpw.ocserv.log":        "fault login-banned login-refused",
		"wrongpw.oc.log":            "fault login-refused",
		"banned.ocserv.log":         "ok login-banned login-refused(possible)",
		"tlsnone.ocserv.log":        "insufficient",
		"tlscipher.ocserv.log":      "fault tls-cipher(likely)",
		"nodtls.oc.log":             "ok dtls-disabled(likely)",
		"udpblocked.ocserv.log":     "ok dtls-blocked(likely)",
		"udpblocked.oc.log":         "ok dtls-blocked(likely)",
		"udpreject.oc.log":          "ok dtls-blocked(likely)",
		"nolease.ocserv.log":        "fault address-pool-exhausted",
		"nolease.oc.log":            "insufficient",
		"sameclients.ocserv.log":    "fault session-limit",
		"sameclients.oc.log":        "insufficient",
		"badcookie.oc.log":          "insufficient",
		"badpin.oc.log":             "insufficient",
		"certauth.ocserv.log":       "fault client-certificate-untrusted",
		"certauth.oc.log":           "fault client-certificate-untrusted(likely)",
		"sessiontimeout.ocserv.log": "ok session-timeout",
		"deadpeer.ocserv.log":       "ok",
		"deadpeer.oc.log":           "fault dead-peer(likely)",
		"path404.oc.log":            "fault group-url-mismatch(likely)",
		"inuse.ocserv.log":          "fault port-taken",
		"phoneua.ocserv.log":        "fault client-dialect group-url-mismatch group-url-mismatch",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, got := judged(t, name)
			wanted, had := strings.Fields(want), strings.Fields(got)
			slices.Sort(wanted)
			slices.Sort(had)
			if !slices.Equal(wanted, had) {
				t.Errorf("judged as %s, not %s", got, want)
				for _, f := range report.Findings {
					t.Logf("%s: %s %v", f.Code, f.Says, f.Evidence)
				}
				t.Logf("needs %q", report.Needs)
			}
		})
	}
}

// phonesConf is an ocserv.conf that phones can use.
const phonesConf = `auth = "plain[passwd=/etc/ocserv/ocpasswd]"
tcp-port = 443
udp-port = 443
run-as-user = nobody
socket-file = /run/ocserv.socket
server-cert = /etc/ocserv/cert.pem
server-key = /etc/ocserv/key.pem
# how many
max-clients = 128
max-same-clients = 2
keepalive = 20
dpd = 30
device = vpns
predictable-ips = true
ipv4-network = 172.29.14.0
ipv4-netmask = 255.255.255.0
dns = 10.20.0.9
cookie-timeout = 300
rekey-method = new-tunnel
cisco-client-compat = true
cisco-svc-client-compat = true
dtls-legacy = true
tls-priorities = "NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC"
`

// TestOcservSettings changes one setting of it after the other.
func TestOcservSettings(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ old, now, want string }{
		{"", "", "ok"},
		{"udp-port = 443", "udp-port = 0", "ok dtls-disabled"},
		{"udp-port = 443", "udp-port = 4443", "ok dtls-disabled"},
		{"udp-port = 443\n", "", "ok dtls-disabled"},
		{"cisco-client-compat = true\ncisco-svc-client-compat = true\ndtls-legacy = true", "dtls-legacy = false", "ok dtls-disabled"},
		{"dtls-legacy = true", "dtls-legacy = false", "ok"}, // the compatibility switches it on again
		{"dns = 10.20.0.9", "dns = 10.20.0.9\nroute = 10.20.0.0/16", "fault split-tunnel(likely)"},
		{"dns = 10.20.0.9", "dns = 10.20.0.9\nroute = default", "ok"},
		{"dns = 10.20.0.9", "dns = 10.20.0.9\nroute = default\nroute = 10.20.0.0/16", "ok"},
		{"dns = 10.20.0.9", "session-timeout = 86400", "ok session-timeout(likely)"},
		{"dns = 10.20.0.9", "session-timeout = 0", "ok"},
		{"dns = 10.20.0.9", "idle-timeout = 60", "ok idle-timeout(likely)"},
		{"dns = 10.20.0.9", "idle-timeout = 1200\nmobile-idle-timeout = 1800", "ok"},
		{"dns = 10.20.0.9", "mtu = 1400", "ok"},
		{"dns = 10.20.0.9", "mtu = 9000", "ok mtu(likely)"},
		{"172.29.14.0", "192.168.1.0", "ok pool-overlaps(possible)"},
		{"255.255.255.0", "255.255.255.252", "ok address-pool-exhausted(possible)"},
		{`"plain[passwd=/etc/ocserv/ocpasswd]"`, `"certificate"` + "\ncert-user-oid = 2.5.4.3", "ok"},
		{`"plain[passwd=/etc/ocserv/ocpasswd]"`, `"certificate"` + "\ncert-user-oid = 0.9.2342.19200300.100.1.1", "fault client-certificate-untrusted(likely)"},
		{`"plain[passwd=/etc/ocserv/ocpasswd]"`, `"plain[passwd=/etc/ocserv/ocpasswd,otp=/etc/ocserv/otp]"`, "fault login-refused(likely)"},
		{"tcp-port = 443", "auth = certificate\ntcp-port = 443", "fault login-refused(likely)"},
		{"tcp-port = 443", "enable-auth = certificate\ntcp-port = 443", "ok"},
		{"tcp-port = 443", "select-group = office\ntcp-port = 443", "ok login-refused(possible)"},
		{"+VERS-TLS-ALL", "+VERS-TLS1.3", "fault tls-version"},
		{"+VERS-TLS-ALL", "+VERS-TLS1.2", "insufficient tls-version(possible)"},
		{"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC", "SECURE256:%SERVER_PRECEDENCE", "insufficient tls-cipher(possible)"},
		{"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC", "NORMAL:%SERVER_PRECEDENCE:%COMPAT:-VERS-SSL3.0", "ok"},
		{"NONE:%SERVER_PRECEDENCE:%COMPAT:+VERS-TLS-ALL:+SIGN-ALL:+COMP-ALL:+RSA:+SHA1:+AES-128-CBC", "@SYSTEM", "ok"},
		{"keepalive", "[vhost:phones.example.net]\nroute = 10.0.0.0/8\nkeepalive", "fault split-tunnel(likely)"},
	} {
		text := strings.Replace(phonesConf, test.old, test.now, 1)
		if got := judgedText(t, text); got != test.want {
			t.Errorf("with %q it is judged as %s, not %s", test.now, got, test.want)
		}
	}
}

// judgedText is judged for text that is given.
func judgedText(t *testing.T, text string) string {
	t.Helper()
	collector := fact.NewCollector("test", "files")
	if err := read.Input(t.Context(), collector, "pasted", strings.NewReader(text), read.Options{Now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)}); err != nil {
		t.Fatal(err)
	}
	return summary(judge.Facts(collector.File(), "test"))
}
