package vpnauth_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

func TestReply(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		reply vpnauth.Reply
		want  string
	}{
		{
			vpnauth.Reply{Minor: 1, Status: 200, Header: vpnauth.Headers{{Name: "X-CSTP-mtu", Value: "1"}, vpnauth.Length(2)}, Body: []byte("hi")},
			"HTTP/1.1 200 OK\r\nX-CSTP-mtu: 1\r\nContent-Length: 2\r\n\r\nhi",
		},
		{
			vpnauth.Reply{Minor: 0, Status: 401, Reason: "Authentication failed", Header: vpnauth.Headers{vpnauth.Length(0)}},
			"HTTP/1.0 401 Authentication failed\r\nContent-Length: 0\r\n\r\n",
		},
		{
			vpnauth.Reply{Minor: 1, Status: 503, Header: vpnauth.Headers{{Name: "X-Reason", Value: "a\r\nb: c"}}},
			"HTTP/1.1 503 Service Unavailable\r\nX-Reason: a  b: c\r\n\r\n",
		},
	} {
		if got := string(c.reply.Append(nil)); got != c.want {
			t.Errorf("reply is\n%q, want\n%q", got, c.want)
		}
		line, _, _ := strings.Cut(c.want, "\r\n")
		if got := c.reply.String(); got != line {
			t.Errorf("prints as %q, want %q", got, line)
		}
	}
}

func TestRequestIsReadByOthers(t *testing.T) {
	t.Parallel()
	r := vpnauth.Request{Method: "POST", Target: "/a b\n", Body: []byte("x=y"),
		Header: vpnauth.Headers{{Name: "Host", Value: "h"}, vpnauth.Length(3)}}
	if got, want := string(r.Append(nil)), "POST /a%20b%20 HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nx=y"; got != want {
		t.Errorf("request is\n%q, want\n%q", got, want)
	}
	read, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(r.Append(nil))))
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(read.Body)
	if err != nil || string(body) != "x=y" || read.Host != "h" || read.URL.Path != "/a b " {
		t.Errorf("net/http reads host %q, path %q, body %q, %v", read.Host, read.URL.Path, body, err)
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	h := vpnauth.Headers{{Name: "Set-Cookie", Value: "a"}, {Name: "x", Value: "y"}, {Name: "set-cookie", Value: "b"}}
	if got := h.Values("SET-COOKIE"); fmt.Sprint(got) != "[a b]" {
		t.Errorf("cookies %q, want both in order", got)
	}
	if h.Get("X") != "y" || h.Get("z") != "" {
		t.Errorf("x is %q and z %q", h.Get("X"), h.Get("z"))
	}
}

func TestCookie(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		line   string
		cookie vpnauth.Cookie
	}{
		{"webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure",
			vpnauth.Cookie{Name: vpnauth.SessionCookie, Attributes: []string{vpnauth.Expired, vpnauth.RootPath, vpnauth.PhoneSecure}}},
		{"webvpnlogin=1; secure",
			vpnauth.Cookie{Name: vpnauth.LoginCookie, Value: secret.New("1"), Attributes: []string{vpnauth.PhoneSecure}}},
		{"webvpn=kQ/x+8=; secure",
			vpnauth.Cookie{Name: vpnauth.SessionCookie, Value: secret.New("kQ/x+8="), Attributes: []string{vpnauth.PhoneSecure}}},
		{"webvpn=kQ==; Secure; HttpOnly",
			vpnauth.Cookie{Name: vpnauth.SessionCookie, Value: secret.New("kQ=="), Attributes: []string{vpnauth.Secure, vpnauth.HTTPOnly}}},
		{"webvpncontext=id; Max-Age=300; Secure; HttpOnly",
			vpnauth.Cookie{Name: "webvpncontext", Value: secret.New("id"), Attributes: []string{"Max-Age=300", vpnauth.Secure, vpnauth.HTTPOnly}}},
		{"webvpnc=bu:/&p:t&iu:1/&sh:BB; path=/; Secure; HttpOnly",
			vpnauth.Cookie{Name: vpnauth.HintsCookie, Value: secret.New("bu:/&p:t&iu:1/&sh:BB"), Attributes: []string{vpnauth.RootPath, vpnauth.Secure, vpnauth.HTTPOnly}}},
	} {
		if got := c.cookie.Line(); got != c.line {
			t.Errorf("line is %q, want %q", got, c.line)
		}
		got, err := vpnauth.ParseCookie(c.line)
		if err != nil {
			t.Errorf("%q: %v", c.line, err)
		}
		if diff := cmp.Diff(c.cookie, got, equalSecrets); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", c.line, diff)
		}
		if value := c.cookie.Value.Reveal(); value != "" && value != "1" && strings.Contains(c.cookie.String(), value) {
			t.Errorf("%q prints its value", c.line)
		}
	}
	for _, line := range []string{"", "webvpn", "=x", " ; a=b"} {
		if _, err := vpnauth.ParseCookie(line); err == nil {
			t.Errorf("%q is taken for a cookie", line)
		}
	}
	if c, _ := vpnauth.ParseCookie("a=b; Expires=x"); !c.Has("expires") || c.Has("path") {
		t.Error("attributes are not found by name")
	}
}

func TestCookies(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		lines []string
		want  vpnauth.Values
	}{
		{[]string{"webvpn=a=="}, values("webvpn", "a==")},
		{[]string{"webvpnlogin=1;webvpn=t , x = \"q\""}, values("webvpnlogin", "1", "webvpn", "t", "x", "q")},
		{[]string{"a=1", "b=2"}, values("a", "1", "b", "2")},
		{[]string{";; =v; flag; c="}, values("c", "")},
		{nil, nil},
	} {
		if diff := cmp.Diff(c.want, vpnauth.ParseCookies(c.lines...), equalSecrets); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", c.lines, diff)
		}
	}
}

func TestAgentOf(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]vpnauth.Agent{
		"Cisco SVC IPPhone Client v1.0":                     vpnauth.PhoneAgent,
		vpnauth.PhoneUserAgent:                              vpnauth.PhoneAgent,
		"CISCO SVC IPPHONE CLIENT":                          vpnauth.PhoneAgent,
		"Open AnyConnect VPN Agent v9.01-3":                 vpnauth.OpenConnect,
		"AnyConnect-compatible OpenConnect VPN Agent v9.12": vpnauth.OpenConnect,
		"OpenConnect VPN Agent (PluginVersion 1.2)":         vpnauth.OpenConnect,
		"AnyConnect Linux_64 4.10":                          vpnauth.AnyConnect,
		"Cisco AnyConnect VPN Agent for Windows 4.8":        vpnauth.AnyConnect,
		"Cisco Secure Client 5.1":                           vpnauth.AnyConnect,
		"Mozilla/5.0 imitating Cisco SVC IPPhone Client":    vpnauth.OtherAgent,
		"curl/7.88.1": vpnauth.OtherAgent,
		"":            vpnauth.OtherAgent,
	} {
		if got := vpnauth.AgentOf(line); got != want {
			t.Errorf("%q is %v, want %v", line, got, want)
		}
	}
}

func FuzzParseCookie(f *testing.F) {
	f.Add("webvpn=; expires=Thu, 01 Jan 1970 22:00:00 GMT; path=/; secure")
	f.Add("a=b;;c")
	f.Fuzz(func(t *testing.T, line string) {
		vpnauth.ParseCookies(line)
		c, err := vpnauth.ParseCookie(line)
		if err != nil {
			return
		}
		again, err := vpnauth.ParseCookie(c.Line())
		if diff := cmp.Diff(c, again, equalSecrets); err != nil || diff != "" {
			t.Fatalf("changed by a round trip: %v\n%s", err, diff)
		}
	})
}
