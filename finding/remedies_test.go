package finding

import (
	"slices"
	"testing"
)

var forRemedies = Declaration{
	Fix: []string{"do x", "type `longcord do x`"},
	Elsewhere: map[Platform][]string{
		ASA: {"`asa x`"}, Ocserv: {"`ocserv x`"}, Phone: {"press x"},
	},
}

// TestOn gives the equipment that was seen, and the remedies that its owner should read.
func TestRemedies(t *testing.T) {
	t.Parallel()
	unknown := []string{"do x", "with Longcord: type `longcord do x`", "on an ASA: `asa x`", "with ocserv: `ocserv x`", "on the phone: press x"}
	elsewhere := []string{"do x", "on an ASA: `asa x`", "with ocserv: `ocserv x`", "on the phone: press x"}
	tests := map[string]struct {
		seen []Platform
		want []string
	}{
		"nothing":          {nil, unknown},
		"only a phone":     {[]Platform{Phone}, unknown},
		"ASA":              {[]Platform{ASA}, []string{"`asa x`", "on the phone: press x"}},
		"phone and ASA":    {[]Platform{Phone, ASA}, []string{"`asa x`", "on the phone: press x"}},
		"two gateways":     {[]Platform{Ocserv, ASA}, []string{"on an ASA: `asa x`", "with ocserv: `ocserv x`", "on the phone: press x"}},
		"ours":             {[]Platform{Longcord}, []string{"do x", "type `longcord do x`", "on the phone: press x"}},
		"ours and an ASA":  {[]Platform{ASA, Longcord}, []string{"with Longcord: type `longcord do x`", "on an ASA: `asa x`", "on the phone: press x"}},
		"something else's": {[]Platform{Asterisk}, elsewhere},
		"ASA and Asterisk": {[]Platform{Asterisk, ASA}, []string{"`asa x`", "on the phone: press x"}},
	}
	for name, test := range tests {
		if got := forRemedies.remedies(test.seen); !slices.Equal(got, test.want) {
			t.Errorf("%s: got\n%q\nwant\n%q", name, got, test.want)
		}
	}
}
