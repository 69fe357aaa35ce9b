package asa_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/wire/asa"
)

var update = flag.Bool("update", false, "write the tables in testdata anew")

// phone is a phone with both tunnels; person has a long name and one; waiting has neither.
func sessions() []asa.Session {
	login := time.Date(2026, 2, 5, 1, 40, 44, 0, time.UTC)
	return []asa.Session{
		{
			Username: "SEP001122334455", Index: 57, AssignedIP: "10.10.10.2", PublicIP: "172.16.250.15", GroupPolicy: "phones", TunnelGroup: "phones",
			Login: login, Duration: 23*time.Hour + 28*time.Second, AuthMode: "userPassword", Client: "Cisco SVC IPPhone Client v1.0 (1.0)", Filter: "fence",
			BytesTx: 17186425, BytesRx: 7094561, PktsTx: 90000, PktsRx: 80000, PktsRxDrop: 3,
			SSL:  &asa.Tunnel{Cipher: "TLS_RSA_WITH_AES_128_CBC_SHA", Encapsulation: "TLSv1.0", PublicIP: "172.16.250.15", SrcPort: "50529", DstPort: "443"},
			DTLS: &asa.Tunnel{Cipher: "AES128-SHA", Encapsulation: "DTLSv1.0", PublicIP: "172.16.250.15", SrcPort: "51529", DstPort: "443"},
		},
		{
			Username: "longfirstname.longlastname@example.com", Index: 1018, AssignedIP: "10.10.10.3", AssignedIPv6: "2001:db8:1234:1::5678", PublicIP: "2001:db8:91::7", GroupPolicy: "staff", TunnelGroup: "staff",
			Login: login, Duration: 43*time.Hour + time.Minute, AuthMode: "Certificate", Client: "Open AnyConnect VPN Agent v9.01-3", IdleTimeout: 30 * time.Minute, Idle: 90 * time.Second,
			SSL: &asa.Tunnel{Cipher: "TLS_AES_256_GCM_SHA384", Encapsulation: "TLSv1.3", PublicIP: "2001:db8:91::7", SrcPort: "50000", DstPort: "8443"},
		},
		{Username: "anna", Index: 3, TunnelGroup: "staff", Login: login, Duration: time.Hour, Inactivity: 10 * time.Minute, AuthMode: "userPassword"},
	}
}

// TestTables compares the tables with files, which interop/textfsm has other people's program read.
func TestTables(t *testing.T) {
	t.Parallel()
	for name, got := range map[string]string{
		"anyconnect.txt":        asa.Sessions(sessions(), false),
		"anyconnect-detail.txt": asa.Sessions(sessions(), true),
		"none.txt":              asa.Sessions(nil, true),
		"summary.txt": asa.Summary{
			Active: 38, Inactive: 2, Cumulative: 330351, Peak: 442, SSL: asa.Channels{Active: 38, Cumulative: 985244, Peak: 392},
			DTLS: asa.Channels{Active: 37, Cumulative: 2227003, Peak: 386}, Capacity: 5000,
		}.String(),
		"summary-empty.txt": asa.Summary{}.String(),
	} {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if got != string(want) {
			t.Errorf("%s: got\n%s\nwant\n%s", name, got, want)
		}
	}
}

// TestCiphers reads the names that both TLS libraries and phones use.
func TestCiphers(t *testing.T) {
	t.Parallel()
	for cipher, want := range map[string]string{
		"AES128-SHA":                              "Encryption   : AES128                 Hashing      : SHA1",
		"DHE-RSA-AES256-SHA":                      "Encryption   : AES256                 Hashing      : SHA1",
		"AES256-GCM-SHA384":                       "Encryption   : AES-GCM-256            Hashing      : SHA384",
		"ECDHE-RSA-AES128-GCM-SHA256":             "Encryption   : AES-GCM-128            Hashing      : SHA256",
		"TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256":   "Encryption   : AES128                 Hashing      : SHA256",
		"TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305":    "Encryption   : CHACHA20               Hashing      : SHA256",
		"TLS_CHACHA20_POLY1305_SHA256":            "Encryption   : CHACHA20               Hashing      : SHA256",
		"PSK-AES256-GCM-SHA384":                   "Encryption   : AES-GCM-256            Hashing      : SHA384",
		"TLS_RSA_WITH_AES_256_CBC_SHA":            "Encryption   : AES256                 Hashing      : SHA1",
		"TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384": "Encryption   : AES-GCM-256            Hashing      : SHA384",
		"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256":   "Encryption   : AES-GCM-128            Hashing      : SHA256",
	} {
		text := asa.Sessions([]asa.Session{{SSL: &asa.Tunnel{Cipher: cipher}}}, true)
		if !strings.Contains(text, "  "+want+"\n") {
			t.Errorf("%s is told as\n%s", cipher, text)
		}
	}
}
