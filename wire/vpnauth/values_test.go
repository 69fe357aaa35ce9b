package vpnauth_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/wire/vpnauth"
)

func values(pairs ...string) vpnauth.Values {
	var v vpnauth.Values
	for i := 0; i < len(pairs); i += 2 {
		v = append(v, vpnauth.Value{Name: pairs[i], Text: secret.New(pairs[i+1])})
	}
	return v
}

func TestForm(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		body string
		want vpnauth.Values
		back string // as we write it
	}{
		{"username=test&password=s%2Dcret", values("username", "test", "password", "s-cret"), "username=test&password=s-cret"},
		{"username=&password=", values("username", "", "password", ""), "username=&password="},
		{"username=a+b&password=c d", values("username", "a b", "password", "c d"), "username=a%20b&password=c%20d"},
		{"password=%26%25%2B%3D", values("password", "&%+="), "password=%26%25%2B%3D"},
		{"password=100%", values("password", "100%"), "password=100%25"},
		{"password=%zz%4", values("password", "%zz%4"), "password=%25zz%254"},
		{"password=a=b", values("password", "a=b"), "password=a%3Db"},
		{"password=%C3%A9", values("password", "é"), "password=%C3%A9"},
		{"password=p\r\n", values("password", "p"), "password=p"},
		{"&&username", values("username", ""), "username="},
		{"", nil, ""},
	} {
		got, err := vpnauth.ParseForm([]byte(c.body))
		if err != nil {
			t.Errorf("%q: %v", c.body, err)
		}
		if diff := cmp.Diff(c.want, got, equalSecrets); diff != "" {
			t.Errorf("%q: (-want +got)\n%s", c.body, diff)
		}
		if back := string(got.AppendForm(nil)); back != c.back {
			t.Errorf("%q is written back as %q, want %q", c.body, back, c.back)
		}
	}
}

func TestFormMissingAndEmpty(t *testing.T) {
	t.Parallel()
	v, err := vpnauth.ParseForm([]byte("username=&password=a&password=b"))
	if err != nil {
		t.Fatal(err)
	}
	if text, ok := v.Get("username"); !ok || !text.IsZero() {
		t.Errorf("empty user name: %q, %v; want it present and empty", text.Reveal(), ok)
	}
	if text, _ := v.Get("password"); text.Reveal() != "a" {
		t.Errorf("of two passwords %q counts, want the first", text.Reveal())
	}
	if _, ok := v.Get("Login"); ok {
		t.Error("a missing field is present")
	}
}

func TestFormRefused(t *testing.T) {
	t.Parallel()
	for _, body := range []string{strings.Repeat("a=b&", 65), "a=" + strings.Repeat("b", vpnauth.MaxBody)} {
		if _, err := vpnauth.ParseForm([]byte(body)); err == nil {
			t.Errorf("%.20q… of %d bytes is taken", body, len(body))
		}
	}
}

func FuzzParseForm(f *testing.F) {
	f.Add([]byte("username=test&password=s%2Dcret&Login=Login"))
	f.Add([]byte("a=%+%4&=&b"))
	f.Fuzz(func(t *testing.T, body []byte) {
		v, err := vpnauth.ParseForm(body)
		if err != nil {
			return
		}
		again, err := vpnauth.ParseForm(v.AppendForm(nil))
		if err != nil {
			if len(v.AppendForm(nil)) > vpnauth.MaxBody {
				return // escaping made it too long
			}
			t.Fatal(err)
		}
		if diff := cmp.Diff(v, again, equalSecrets); diff != "" {
			t.Fatalf("changed by a round trip:\n%s", diff)
		}
	})
}
