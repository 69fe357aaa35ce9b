package vpnauth_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

var equalSecrets = cmp.Comparer(func(a, b secret.String) bool { return a == b })

func file(t testing.TB, name string) []byte {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return body
}

var capabilities = []string{"single-sign-on-v2", "single-sign-on-external-browser"}

// recorded holds what a real client and a real gateway said, and what we read in it.
var recorded = map[string]vpnauth.Document{
	"openconnect-init.xml": {
		Type: vpnauth.Init, AggregateAuth: "2", From: "vpn", Version: "v9.01-3", Device: vpnauth.Device{ID: "linux-64"},
		Capabilities: capabilities, GroupAccess: "https://10.99.0.1/",
	},
	"openconnect-username.xml": {
		Type: vpnauth.AuthReply, AggregateAuth: "2", From: "vpn", Version: "v9.01-3", Device: vpnauth.Device{ID: "linux-64"},
		Capabilities: capabilities, Auth: &vpnauth.Auth{Values: vpnauth.Values{{Name: "username", Text: secret.New("test")}}},
	},
	"openconnect-password.xml": {
		Type: vpnauth.AuthReply, AggregateAuth: "2", From: "vpn", Version: "v9.01-3", Device: vpnauth.Device{ID: "linux-64"},
		Capabilities: capabilities, Auth: &vpnauth.Auth{Values: vpnauth.Values{{Name: "password", Text: secret.New("benchpass")}}},
	},
	"ocserv-username.xml": {
		Type: vpnauth.AuthRequest, From: "sg", Version: "0.1(1)",
		Auth: &vpnauth.Auth{ID: "main", Message: "Please enter your username.", Form: &vpnauth.Form{
			Method: "post", Action: "/auth", Inputs: []vpnauth.Input{{Type: "text", Name: "username", Label: "Username:"}},
		}},
	},
	"ocserv-password.xml": {
		Type: vpnauth.AuthRequest, From: "sg", Version: "0.1(1)",
		Auth: &vpnauth.Auth{ID: "main", Message: "Please enter your password.", Form: &vpnauth.Form{
			Method: "post", Action: "/auth", Inputs: []vpnauth.Input{{Type: "password", Name: "password", Label: "Password:"}},
		}},
	},
	"ocserv-complete.xml": {
		Type: vpnauth.Complete, From: "sg", Version: "0.1(1)", Auth: &vpnauth.Auth{ID: "success", Title: "SSL VPN Service"},
	},
}

func TestRecordedDocuments(t *testing.T) {
	t.Parallel()
	for name, want := range recorded {
		body := file(t, name)
		got, err := vpnauth.ParseDocument(body)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(want, got, equalSecrets); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
		if strings.HasPrefix(name, "openconnect") && !bytes.Equal(got.Append(nil), bytes.TrimSpace(body)) {
			t.Errorf("%s is written back as\n%s\nnot as the client wrote it:\n%s", name, got.Append(nil), body)
		}
	}
}

// full is what the recordings do not show, in the bytes that we write.
var full = map[string]struct {
	doc  vpnauth.Document
	body string
}{
	"question": {
		vpnauth.Document{
			Type: vpnauth.AuthRequest, AggregateAuth: "2",
			Opaque: []byte("<opaque is-for=\"sg\"><tunnel-group>a&amp;b</tunnel-group>\n <!-- kept --><x  y='1'/></opaque>"),
			Auth: &vpnauth.Auth{ID: "main", Title: "Login", Message: "m", Banner: "b", Error: &vpnauth.Error{ID: "13", Text: "Login failed."},
				Form: &vpnauth.Form{Inputs: []vpnauth.Input{
					{Type: "hidden", Name: "h", Value: `"<&>`},
					{Type: vpnauth.Select, Name: "group_list", Label: "GROUP:", Options: []vpnauth.Option{
						{Value: "p", Text: "Phones", Selected: true}, {Value: "s", Text: "Staff"}}},
				}}},
		},
		`<config-auth client="vpn" type="auth-request" aggregate-auth-version="2">` +
			"<opaque is-for=\"sg\"><tunnel-group>a&amp;b</tunnel-group>\n <!-- kept --><x  y='1'/></opaque>" +
			`<auth id="main"><title>Login</title><message>m</message><banner>b</banner>` +
			`<error id="13" param1="" param2="">Login failed.</error>` +
			`<form><input type="hidden" name="h" value="&#34;&lt;&amp;&gt;"></input>` +
			`<select name="group_list" label="GROUP:"><option value="p" selected="true">Phones</option><option value="s">Staff</option></select>` +
			`</form></auth></config-auth>`,
	},
	"answer": {
		vpnauth.Document{
			Type: vpnauth.AuthReply, AggregateAuth: "2",
			Device:      vpnauth.Device{ID: "win", Kind: "PC", Platform: "10", Unique: "u"},
			Auth:        &vpnauth.Auth{Values: vpnauth.Values{{Name: "username", Text: secret.New("al")}, {Name: "password", Text: secret.New(" p<w ")}}},
			GroupSelect: "phones",
			Extra:       [][]byte{[]byte(`<host-scan-token a="1"><b/></host-scan-token>`)},
		},
		`<config-auth client="vpn" type="auth-reply" aggregate-auth-version="2">` +
			`<device-id device-type="PC" platform-version="10" unique-id="u">win</device-id>` +
			`<auth><username>al</username><password> p&lt;w </password></auth><group-select>phones</group-select>` +
			`<host-scan-token a="1"><b/></host-scan-token></config-auth>`,
	},
	"success": {
		vpnauth.Document{
			Type: vpnauth.Complete, AggregateAuth: "2", SessionID: "7", SessionToken: secret.New("to/ken="),
			Auth: &vpnauth.Auth{ID: "success"}, CertHash: "AB12",
		},
		`<config-auth client="vpn" type="complete" aggregate-auth-version="2"><session-id>7</session-id>` +
			`<session-token>to/ken=</session-token><auth id="success"></auth><config client="vpn" type="private">` +
			`<vpn-base-config><server-cert-hash>AB12</server-cert-hash></vpn-base-config></config></config-auth>`,
	},
	"certificate wanted": {
		vpnauth.Document{Type: vpnauth.AuthRequest, Opaque: vpnauth.Opaque("a & b", "c"), CertRequest: true},
		`<config-auth client="vpn" type="auth-request"><opaque is-for="sg"><tunnel-group>a &amp; b</tunnel-group>` +
			`<group-alias>c</group-alias></opaque><client-cert-request></client-cert-request></config-auth>`,
	},
	"choices": {
		vpnauth.Document{Type: vpnauth.AuthRequest, Auth: &vpnauth.Auth{Form: &vpnauth.Form{Inputs: []vpnauth.Input{
			{Type: vpnauth.Select, Name: "group_list", Options: []vpnauth.Option{
				{Value: "a", Text: "a", Second: true}, {Value: "b", Text: "b", Selected: true, NoAAA: true}}}}}}},
		`<config-auth client="vpn" type="auth-request"><auth><form><select name="group_list"><option value="a" second-auth="1">a</option>` +
			`<option value="b" selected="true" noaaa="1">b</option></select></form></auth></config-auth>`,
	},
	"certificate and a code": {
		vpnauth.Document{Type: vpnauth.AuthRequest, CertAccepted: true, Auth: &vpnauth.Auth{ID: "main", Form: &vpnauth.Form{Inputs: []vpnauth.Input{
			{Type: "password", Name: "secondary_password", Label: "Code:", Second: true}}}}},
		`<config-auth client="vpn" type="auth-request"><auth id="main"><form><input type="password" name="secondary_password" ` +
			`second-auth="1" label="Code:"></input></form></auth><cert-authenticated></cert-authenticated></config-auth>`,
	},
	"no certificate": {
		vpnauth.Document{Type: vpnauth.Init, CertFail: true},
		`<config-auth client="vpn" type="init"><client-cert-fail></client-cert-fail></config-auth>`,
	},
	"end": {
		vpnauth.Document{Type: vpnauth.Logout, SessionToken: secret.New("t")},
		`<config-auth client="vpn" type="logout"><session-token>t</session-token></config-auth>`,
	},
}

func TestDocuments(t *testing.T) {
	t.Parallel()
	for name, c := range full {
		body := `<?xml version="1.0" encoding="UTF-8"?>` + "\n" + c.body
		if got := string(c.doc.Append(nil)); got != body {
			t.Errorf("%s is written as\n%s\nwant\n%s", name, got, body)
		}
		got, err := vpnauth.ParseDocument([]byte(body))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if diff := cmp.Diff(c.doc, got, equalSecrets); diff != "" {
			t.Errorf("%s: (-want +got)\n%s", name, diff)
		}
	}
}

func TestDocumentCut(t *testing.T) {
	t.Parallel()
	for name := range recorded {
		body := bytes.TrimSpace(file(t, name))
		for n := range len(body) {
			if _, err := vpnauth.ParseDocument(body[:n]); err == nil {
				t.Errorf("%s cut at %d is taken", name, n)
			}
		}
	}
}

func TestDocumentRefused(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ body, says string }{
		{"", "EOF"},
		{"<html></html>", `root element is "html"`},
		{`<config-auth client="vpn"/>`, "no type"},
		{`<config-auth type="init"/><config-auth type="init"/>`, "second root"},
		{strings.Repeat("<a>", 17), "nested deeper than 16"},
		{"<a>" + strings.Repeat("<b/>", 1024) + "</a>", "more than 1024 elements"},
		{"<a>" + strings.Repeat(" ", vpnauth.MaxBody), "exceeds 262144"},
		{`<!DOCTYPE x [<!ENTITY e "boom">]><config-auth type="&e;"/>`, "invalid character entity"},
	} {
		_, err := vpnauth.ParseDocument([]byte(c.body))
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%.40q: %v, want an error with %q", c.body, err, c.says)
		}
	}
}

func TestDocumentPrintsNoSecret(t *testing.T) {
	t.Parallel()
	doc, err := vpnauth.ParseDocument(file(t, "openconnect-password.xml"))
	if err != nil {
		t.Fatal(err)
	}
	if got := doc.String(); got != "config-auth auth-reply" {
		t.Errorf("prints as %q", got)
	}
}

func FuzzParseDocument(f *testing.F) {
	for name := range recorded {
		f.Add(file(f, name))
	}
	for _, c := range full {
		f.Add([]byte(c.body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		doc, err := vpnauth.ParseDocument(body)
		if err != nil {
			return
		}
		again, err := vpnauth.ParseDocument(doc.Append(nil))
		if err != nil {
			if len(doc.Append(nil)) > vpnauth.MaxBody {
				return // escaping made it too long
			}
			t.Fatalf("what was written back is refused: %v\n%s", err, doc.Append(nil))
		}
		if diff := cmp.Diff(doc, again, equalSecrets); diff != "" {
			t.Fatalf("changed by a round trip:\n%s", diff)
		}
	})
}
