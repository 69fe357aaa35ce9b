package dtls

import "testing"

func TestSuiteNames(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		header  Header
		name    string
		version Version
		suite   Suite
		found   bool
	}{
		{CipherSuite, "AES256-SHA", Version09, AES256SHA, true},
		{CipherSuite, "AES128-SHA", Version09, AES128SHA, true},
		{CipherSuite, "OC-DTLS1_2-AES128-GCM", Version12, AES128GCM, true},
		{CipherSuite, "OC-DTLS1_2-AES256-GCM", Version12, AES256GCM, true},
		{CipherSuite12, "AES256-GCM-SHA384", Version12, AES256GCM, true},
		{CipherSuite12, "ECDHE-RSA-AES128-GCM-SHA256", Version12, ECDHERSAAES128GCM, true},
		{CipherSuite12, "ECDHE-RSA-AES256-GCM-SHA384", Version12, ECDHERSAAES256GCM, true},
		{CipherSuite12, "ECDHE-RSA-CHACHA20-POLY1305", Version12, ECDHERSAChaCha20, true},
		{CipherSuite12, "AES256-SHA", Version12, AES256SHA, true},
		{CipherSuite, "OC2-DTLS1_2-CHACHA20-POLY1305", Version12, PSKChaCha20, true},
		{CipherSuite, "DES-CBC3-SHA", 0, 0, false},
		{CipherSuite12, "DHE-RSA-AES256-SHA256", 0, 0, false},
		{CipherSuite, "DHE-RSA-AES256-SHA", 0, 0, false},
		{CipherSuite, "AES256-GCM-SHA384", 0, 0, false},
		{CipherSuite, "PSK-NEGOTIATE", 0, 0, false},
		{CipherSuite, "aes256-sha", 0, 0, false},
		{CipherSuite, "", 0, 0, false},
	} {
		version, suite, found := SuiteByName(c.header, c.name)
		if version != c.version || suite != c.suite || found != c.found {
			t.Errorf("%v %q: got %v %v %v, want %v %v %v", c.header, c.name, version, suite, found, c.version, c.suite, c.found)
		}
		if found && suite.Name(c.header) != c.name {
			t.Errorf("%v %v: name %q, want %q", c.header, suite, suite.Name(c.header), c.name)
		}
	}
}

// The sizes are those of docs/wire/cstp.md#mtu, less the one type byte of the tunnel.
func TestRecordLen(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		suite Suite
		udp   int // bytes of UDP payload
		inner int // most bytes of an inner packet
	}{
		{AES256SHA, 1500 - 28, 1418},
		{AES128SHA, 1500 - 48, 1386},
		{AES256SHA, 1492 - 28, 1402},
		{AES256SHA, 1280 - 28, 1194},
		{AES256GCM, 1500 - 28, 1434},
		{ECDHERSAAES128GCM, 1280 - 28, 1214},
		{AES128GCM, 1500 - 48, 1414},
		{PSKAES256GCM, 1400 - 28, 1334},
		{PSKChaCha20, 1500 - 28, 1442},
		{ECDHERSAChaCha20, 1480 - 28, 1422},
	} {
		if got := c.suite.MaxContent(c.udp) - 1; got != c.inner {
			t.Errorf("%v in %d bytes: %d bytes inside, want %d", c.suite, c.udp, got, c.inner)
		}
	}
	for _, suite := range []Suite{AES128SHA, AES256GCM, PSKChaCha20} {
		for size := range 2000 {
			n := suite.MaxContent(size)
			if n > 0 && suite.RecordLen(n) > size {
				t.Fatalf("%v: %d bytes of content take %d, want at most %d", suite, n, suite.RecordLen(n), size)
			}
			if n > 0 && suite.RecordLen(n+1) <= size {
				t.Fatalf("%v: %d bytes would hold more than %d", suite, size, n)
			}
		}
	}
}

func TestSameCipher(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		suite Suite
		tls   uint16
		same  bool
	}{
		{AES256SHA, 0xc014, true},
		{AES256SHA, 0x0035, true},
		{AES128SHA, 0x0035, false},
		{ECDHERSAAES256GCM, 0x1302, true},
		{AES256GCM, 0xc030, true},
		{AES128GCM, 0xcca8, false},
		{ECDHERSAChaCha20, 0x1303, true},
	} {
		if got := c.suite.SameCipher(c.tls); got != c.same {
			t.Errorf("%v and TLS 0x%04x: same cipher %v, want %v", c.suite, c.tls, got, c.same)
		}
	}
}
