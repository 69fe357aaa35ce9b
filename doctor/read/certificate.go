package read

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/x509"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// maxCertificate bounds a certificate, in bytes of DER. Chains of public authorities have certificates of 2 KB.
const maxCertificate = 64 << 10

// Certificates: a file in DER.
var _ = recogniseBinary(Binary{
	Format: "certificate (DER)",
	Is: func(head []byte) bool {
		return len(head) > 12 && head[0] == 0x30 && bytes.Contains(head[:min(24, len(head))], []byte{0xa0, 0x03, 0x02, 0x01})
	},
	Read: func(_ context.Context, in *fact.Input, r *bufio.Reader, _ Options) error {
		der, err := io.ReadAll(io.LimitReader(r, maxCertificate))
		if err != nil {
			return err
		}
		if c, err := readDER(der); err != nil {
			in.Source().Problem = "it begins like a certificate and is none: " + err.Error()
		} else {
			c.tell(in)
		}
		return nil
	},
})

// Certificates and what openssl says: PEM, x509 -text and its short options, s_client.
var _ = recognise(Recogniser{
	Format: "certificates or openssl's output", Early: true,
	Marks: []string{
		"-----begin ", "certificate", "subject", "issuer", "notbefore", "notafter", "sha1 fingerprint", "s_client", "connected(", "ssl routines",
		"connect:errno", "bio_lookup_ex", "---", "cipher is", "protocol", "verif", "depth=", "ssl handshake",
	},
	New: func(in *fact.Input) Reader { return &opensslReader{in: in} },
})

// certificate is what one of them tells, as values of fact.GatewayCertificate.
type certificate struct {
	line   int
	text   string
	values map[string]string
}

func (c *certificate) set(name, value string) {
	if c.values == nil {
		c.values = map[string]string{}
	}
	if value != "" {
		c.values[name] = value
	}
}

// phoneName is the subject of phones' own certificates.
var phoneName = compile(`\bCP-[\w-]+-(SEP[0-9A-F]{12})\b`)

func (c *certificate) tell(in *fact.Input) {
	if len(c.values) == 0 {
		return
	}
	kind := fact.GatewayCertificate
	if m := phoneName.FindStringSubmatch(c.values["subject"]); m != nil {
		kind = fact.PhoneCertificate
		c.set("device", m[1])
		delete(c.values, "depth")
	}
	var values []string
	for name, value := range c.values {
		values = append(values, name, value)
	}
	in.Add(kind, c.line, c.text, time.Time{}, values...)
}

func readDER(der []byte) (*certificate, error) {
	c := &certificate{}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	c.set("sha1", fmt.Sprintf("%X", sha1.Sum(der)))
	c.set("subject", parsed.Subject.String())
	c.set("issuer", parsed.Issuer.String())
	c.set("not-before", parsed.NotBefore.UTC().Format(time.RFC3339))
	c.set("not-after", parsed.NotAfter.UTC().Format(time.RFC3339))
	names := append([]string(nil), parsed.DNSNames...)
	for _, ip := range parsed.IPAddresses {
		names = append(names, ip.String())
	}
	c.set("names", strings.Join(names, ","))
	switch key := parsed.PublicKey.(type) {
	case *rsa.PublicKey:
		c.set("key", fmt.Sprintf("RSA %d", key.N.BitLen()))
	case *ecdsa.PublicKey:
		c.set("key", fmt.Sprintf("EC %d", key.Params().BitSize))
	}
	if parsed.BasicConstraintsValid && parsed.IsCA {
		c.set("ca", "true")
	}
	c.text = fmt.Sprintf("certificate of %s, SHA-1 %s, valid until %s", parsed.Subject, c.values["sha1"], parsed.NotAfter.UTC().Format(time.DateOnly))
	return c, nil
}

// opensslReader takes what openssl prints apart. A certificate may stand there as text, as PEM, or first the one and
// then the other.
type opensslReader struct {
	in     *fact.Input
	open   *certificate // told in text, not yet added
	pem    *strings.Builder
	pemAt  int
	client struct { // of s_client
		on          bool
		server      string
		offered     string // the only version that the command line allows
		line        int
		depth       int
		chain, leaf bool // inside the chain; at the server's certificate
	}
	inText   bool // below "Certificate:"
	altNames bool // the next line has them
}

var (
	clientCommand = compile(`openssl\s+s_client\b.*`)
	connectTo     = compile(`-connect\s+(\S+)`)
	onlyVersion   = compile(`\s-(tls1(?:_[123])?)\b`)
	chainEntry    = compile(`^\s*(\d{1,2}) s:(.*)$`)
	cipherLine    = compile(`^(?:New|Reused), (\S+), Cipher is (\S+)$`)
	protocolLine  = compile(`^\s{2,}Protocol\s*: (\S+)$`)
	alertLine     = compile(`:error:[0-9A-F]+:SSL routines:[^:]*:([^:]+):`)
	connectErrno  = compile(`^connect:errno=(\d+)$`)
	shortField    = compile(`(?i)^(subject|issuer|notBefore|notAfter|sha1 fingerprint) ?= ?(.*)$`)
	textField     = compile(`^\s+(Subject|Issuer|Not Before|Not After|Public-Key|Public Key Algorithm) ?: ?(.*)$`)
	spacesAround  = compile(` = `)
)

func (r *opensslReader) Line(l Line) bool {
	switch {
	case r.pem != nil:
		return r.inPEM(l)
	case strings.HasPrefix(strings.TrimSpace(l.Text), "-----BEGIN CERTIFICATE-----"), strings.HasPrefix(strings.TrimSpace(l.Text), "-----BEGIN TRUSTED CERTIFICATE-----"):
		return r.beginPEM(l)
	}
	return r.ofClient(l) || r.ofText(l) || r.short(l)
}

func (r *opensslReader) beginPEM(l Line) bool {
	r.pem, r.pemAt = &strings.Builder{}, l.Number
	_, rest, _ := strings.Cut(l.Text, "CERTIFICATE-----")
	if rest = strings.TrimSpace(rest); rest != "" { // all on one line, as people paste it
		return r.inPEM(Line{Number: l.Number, Text: rest, Raw: rest})
	}
	return true
}

func (r *opensslReader) inPEM(l Line) bool {
	body, _, ended := strings.Cut(l.Text, "-----END")
	r.pem.WriteString(strings.Join(strings.FieldsFunc(body, func(c rune) bool { return c <= ' ' || c == '>' || c == '|' }), ""))
	if !ended && r.pem.Len() <= 2*maxCertificate {
		return true
	}
	der, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(r.pem.String(), `\n`, ""))
	r.pem = nil
	if err != nil {
		return true
	}
	c, err := readDER(der)
	if err != nil {
		r.in.Source().Problem = fmt.Sprintf("line %d: the certificate cannot be read: %v", r.pemAt, err)
		return true
	}
	c.line = r.pemAt
	r.takesPlace(c)
	return true
}

// takesPlace puts a certificate in place of the text about it that stood before.
func (r *opensslReader) takesPlace(c *certificate) {
	if r.ofAnother() {
		r.open = nil
		return
	}
	if r.open != nil {
		depth, presented := r.open.values["depth"], r.open.values["presented"]
		if sameName(r.open.values["subject"], c.values["subject"]) {
			r.open = nil
		}
		c.set("depth", depth)
		c.set("presented", presented)
	}
	r.flush()
	if r.client.on && (r.client.chain || r.client.leaf) {
		c.set("presented", "true")
		c.set("depth", strconv.Itoa(r.client.depth))
	}
	c.tell(r.in)
}

// ofAnother reports whether s_client was sent to a port of phones that is no gateway's: a call manager's certificate is not
// what the VPN shows.
func (r *opensslReader) ofAnother() bool {
	_, port, err := net.SplitHostPort(r.client.server)
	n, err2 := strconv.ParseUint(port, 10, 16)
	of := service(uint16(n))
	return r.client.on && err == nil && err2 == nil && of != "" && of != "gateway"
}

// sameName compares subjects as openssl and crypto/x509 write them, which is in different orders.
func sameName(a, b string) bool {
	for part := range strings.SplitSeq(a, ",") {
		if !strings.Contains(b, strings.TrimSpace(part)) {
			return false
		}
	}
	return a != ""
}

// ofClient takes lines of s_client.
func (r *opensslReader) ofClient(l Line) bool {
	c := &r.client
	if command := clientCommand.FindString(l.Text); command != "" {
		r.flush()
		*c = struct {
			on          bool
			server      string
			offered     string
			line        int
			depth       int
			chain, leaf bool
		}{on: true, line: l.Number}
		if m := connectTo.FindStringSubmatch(command); m != nil {
			c.server = m[1]
		}
		if m := onlyVersion.FindStringSubmatch(command); m != nil {
			c.offered = versionNames[m[1]]
		}
		return true
	}
	if m := alertLine.FindStringSubmatch(l.Text); m != nil {
		if alert, ours := sslAlert(m[1]); ours && !r.ofAnother() {
			r.in.Add(fact.HandshakeFailed, l.Number, l.Text, l.Time, pairs("server", c.server, "alert", alert, "offered", c.offered)...)
		}
		c.on = true
		return true
	}
	if m := connectErrno.FindStringSubmatch(l.Text); m != nil {
		if reason := errnos[m[1]]; reason != "" {
			r.in.Add(fact.GatewayNoAnswer, l.Number, l.Text, l.Time, pairs("server", c.server, "reason", reason)...)
		}
		return true
	}
	if strings.Contains(l.Text, "BIO_lookup_ex") && strings.Contains(l.Text, "not known") {
		r.in.Add(fact.GatewayNoName, l.Number, l.Text, l.Time, pairs("server", c.server)...)
		return true
	}
	switch text := strings.TrimSpace(l.Text); {
	case strings.HasPrefix(text, "CONNECTED("):
		c.on = true
		return true
	case text == "Certificate chain":
		c.on, c.chain = true, true
		return true
	case !c.on:
		return false
	case text == "Server certificate":
		r.flush()
		c.chain, c.leaf, c.depth = false, true, 0
		return true
	case text == "---":
		if c.chain || c.leaf {
			r.flush()
			c.chain, c.leaf = false, false
		}
		return true
	}
	if m := chainEntry.FindStringSubmatch(l.Text); m != nil && c.chain {
		r.flush()
		c.depth, _ = strconv.Atoi(m[1])
		r.open = &certificate{line: l.Number, text: l.Text}
		r.open.set("subject", name(m[2]))
		r.open.set("depth", m[1])
		r.open.set("presented", "true")
		return true
	}
	if issuer, ok := strings.CutPrefix(strings.TrimSpace(l.Text), "i:"); ok && c.chain && r.open != nil {
		r.open.set("issuer", name(issuer))
		return true
	}
	if m := cipherLine.FindStringSubmatch(l.Text); m != nil {
		if m[2] != "(NONE)" {
			r.in.Add(fact.Handshake, l.Number, l.Text, l.Time, pairs("server", c.server, "protocol", m[1], "cipher", m[2])...)
		}
		return true
	}
	return protocolLine.MatchString(l.Text) || strings.HasPrefix(l.Text, "verify ") || strings.HasPrefix(l.Text, "depth=") ||
		strings.HasPrefix(l.Text, "Verif") || strings.HasPrefix(l.Text, "SSL handshake has read")
}

var versionNames = map[string]string{"tls1": "TLSv1", "tls1_1": "TLSv1.1", "tls1_2": "TLSv1.2", "tls1_3": "TLSv1.3"}

// errnos are Linux's numbers, as s_client prints them.
var errnos = map[string]string{"111": "refused", "110": "timeout", "113": "unreachable", "101": "unreachable", "61": "refused", "60": "timeout"}

// sslAlert returns the name of an alert out of openssl's words for it. Errors of openssl's own side are none of ours.
func sslAlert(said string) (string, bool) {
	for _, prefix := range []string{"tlsv1 alert ", "sslv3 alert ", "tlsv13 alert "} {
		if alert, ok := strings.CutPrefix(said, prefix); ok {
			return alert, true
		}
	}
	return "", false
}

// ofText takes lines of x509 -text.
func (r *opensslReader) ofText(l Line) bool {
	text := strings.TrimSpace(l.Text)
	switch {
	case l.Text == "Certificate:":
		r.flush()
		r.inText = true
		r.open = &certificate{line: l.Number, text: l.Text}
		return true
	case strings.HasPrefix(text, "X509v3 Subject Alternative Name:"):
		r.altNames = r.open != nil
		return r.altNames
	case r.altNames:
		r.altNames = false
		r.open.set("names", alternativeNames(text))
		return true
	case !r.inText:
		return false
	case l.Text == "" || l.Text[0] != ' ' && l.Text[0] != '\t':
		r.inText = false
		return false
	case text == "CA:TRUE" || strings.HasPrefix(text, "CA:TRUE,"):
		r.open.set("ca", "true")
	}
	m := textField.FindStringSubmatch(l.Text)
	if m == nil {
		return true
	}
	switch m[1] {
	case "Subject":
		r.open.set("subject", name(m[2]))
		r.open.line, r.open.text = l.Number, l.Text
	case "Issuer":
		r.open.set("issuer", name(m[2]))
	case "Not Before":
		r.open.set("not-before", opensslTime(m[2]))
	case "Not After":
		r.open.set("not-after", opensslTime(m[2]))
	case "Public Key Algorithm":
		r.open.set("key", map[string]string{"rsaEncryption": "RSA", "id-ecPublicKey": "EC"}[m[2]])
	case "Public-Key":
		if r.open.values["key"] != "" {
			r.open.set("key", r.open.values["key"]+" "+strings.TrimSuffix(strings.Trim(m[2], "()"), " bit"))
		}
	}
	return true
}

// short takes what x509 prints for -subject, -dates and -fingerprint.
func (r *opensslReader) short(l Line) bool {
	m := shortField.FindStringSubmatch(l.Text)
	if m == nil {
		return false
	}
	names := map[string]string{"subject": "subject", "issuer": "issuer", "notbefore": "not-before", "notafter": "not-after", "sha1 fingerprint": "sha1"}
	field, value := names[strings.ToLower(m[1])], strings.TrimSpace(m[2])
	switch field {
	case "not-before", "not-after":
		value = opensslTime(value)
	case "sha1":
		value = strings.ToUpper(strings.ReplaceAll(value, ":", ""))
		if len(value) != 2*sha1.Size {
			return false
		}
	default:
		value = name(value)
		if !strings.Contains(value, "=") {
			return false
		}
	}
	if value == "" {
		return false
	}
	if r.open != nil && r.open.values[field] != "" && r.open.values[field] != value {
		r.flush()
	}
	if r.open == nil {
		r.open = &certificate{line: l.Number, text: l.Text}
		if r.client.on && r.client.leaf {
			r.open.set("depth", "0")
			r.open.set("presented", "true")
		}
	}
	r.open.set(field, value)
	if field == "sha1" { // what is looked for in evidence
		r.open.line, r.open.text = l.Number, l.Text
	}
	return true
}

// flush adds what the text so far tells. Of a certificate that nothing but its names is known of, nothing is added,
// unless a gateway presents it.
func (r *opensslReader) flush() {
	c := r.open
	r.open, r.altNames = nil, false
	if c == nil || r.ofAnother() {
		return
	}
	known := c.values["sha1"] != "" || c.values["not-after"] != "" || c.values["names"] != ""
	if known || c.values["presented"] != "" && r.client.chain {
		c.tell(r.in)
	}
}

func (r *opensslReader) End() { r.flush() }

// name writes a distinguished name of openssl's in one way: CN=x,O=y without spaces around.
func name(s string) string {
	s = spacesAround.ReplaceAllString(strings.TrimSpace(s), "=")
	if rest, ok := strings.CutPrefix(s, "/"); ok { // the older form, /C=DE/CN=x
		s = strings.ReplaceAll(rest, "/", ",")
	}
	return strings.ReplaceAll(s, ", ", ",")
}

func alternativeNames(text string) string {
	var names []string
	for each := range strings.SplitSeq(text, ",") {
		kind, value, _ := strings.Cut(strings.TrimSpace(each), ":")
		if kind == "DNS" || kind == "IP Address" {
			names = append(names, value)
		}
	}
	return strings.Join(names, ",")
}

// opensslTime reads "Nov 26 00:14:57 2026 GMT".
func opensslTime(text string) string {
	t, err := time.Parse("Jan _2 15:04:05 2006 MST", strings.TrimSpace(text))
	if err != nil {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// pairs drops the pairs that have no value.
func pairs(values ...string) []string {
	var all []string
	for i := 0; i+1 < len(values); i += 2 {
		if values[i+1] != "" {
			all = append(all, values[i], values[i+1])
		}
	}
	return all
}

// CertificateValues returns what fact.GatewayCertificate tells of a certificate, as pairs of name and value.
func CertificateValues(der []byte) ([]string, error) {
	c, err := readDER(der)
	if err != nil {
		return nil, err
	}
	var values []string
	for name, value := range c.values {
		values = append(values, name, value)
	}
	return values, nil
}
