package vpnauth_test

import (
	"testing"

	"github.com/longcord/longcord/wire/vpnauth"
)

func TestOpaque(t *testing.T) {
	t.Parallel()
	own := vpnauth.Opaque("Staff <1>", "staff")
	for text, want := range map[string]string{
		string(own): "Staff <1>",
		`<opaque is-for="sg"><config-hash>17</config-hash><tunnel-group> Staff </tunnel-group></opaque>`: "Staff", // an ASA's
		`<opaque is-for="vpn-client"/>`:                               "",
		`<other><tunnel-group>Staff</tunnel-group></other>`:           "",
		`<opaque><a><tunnel-group>deeper</tunnel-group></a></opaque>`: "",
		``: "",
	} {
		if got := vpnauth.OpaqueGroup([]byte(text)); got != want {
			t.Errorf("%s: group %q, want %q", text, got, want)
		}
	}
	for n := range own {
		if got := vpnauth.OpaqueGroup(own[:n]); got != "" {
			t.Errorf("cut at %d it names group %q", n, got)
		}
	}
}

func FuzzOpaque(f *testing.F) {
	f.Add("Staff", "staff")
	f.Add("]]><!--", "")
	f.Fuzz(func(t *testing.T, group, alias string) {
		_ = vpnauth.OpaqueGroup([]byte(group)) // whatever it is, no panic
		opaque := vpnauth.Opaque(group, alias)
		if got := vpnauth.OpaqueGroup(opaque); len(opaque) < vpnauth.MaxBody && got != vpnauth.OpaqueGroup(vpnauth.Opaque(got, alias)) {
			t.Errorf("%q changes to %q and again", group, got)
		}
	})
}
