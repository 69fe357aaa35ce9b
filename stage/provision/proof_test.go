package provision_test

import (
	"net/netip"
	"testing"

	"github.com/longcord/longcord/stage/provision"
)

func TestFetches(t *testing.T) {
	t.Parallel()
	const device = "SEP001122334455"
	for name, c := range map[string]struct {
		who  provision.Asker
		by   provision.Rule
		want provision.Fetcher
	}{
		"its certificate":                {provision.Asker{Certified: device}, provision.OwnCertificate, provision.ThePhone},
		"its tunnel":                     {provision.Asker{Session: &provision.Holder{Device: device}}, provision.OwnSession, provision.ThePhone},
		"a tunnel of a user with two":    {provision.Asker{Session: &provision.Holder{User: "anna"}}, provision.OwnSession, provision.Anybody},
		"its MAC address":                {provision.Asker{MAC: "001122334455"}, provision.OfficeNetwork, provision.ThePhone},
		"its MAC address, at operators'": {provision.Asker{MAC: "001122334455"}, provision.OperatorsMachine, provision.ThePhone},
		"another MAC address":            {provision.Asker{MAC: "021122334455"}, provision.OfficeNetwork, provision.SomebodyElse},
		"this machine":                   {provision.Asker{MAC: "000000000000"}, provision.OfficeNetwork, provision.SomebodyElse},
		"behind a router":                {provision.Asker{}, provision.OfficeNetwork, provision.Anybody},
		"an operator behind a router":    {provision.Asker{}, provision.OperatorsMachine, provision.SomebodyElse},
	} {
		if got := c.who.Fetches(device, c.by); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

func TestCounts(t *testing.T) {
	t.Parallel()
	desk, operator := netip.MustParseAddr("10.1.0.20"), netip.MustParseAddr("10.1.0.7")
	for name, c := range map[string]struct {
		witness provision.Witness
		want    bool
	}{
		"proven":                  {provision.Witness{Fetcher: provision.ThePhone, From: operator, Registers: true, Registered: desk}, true},
		"from where it registers": {provision.Witness{From: desk, Registers: true, Registered: desk}, true},
		"a phone in software, where it registers": {provision.Witness{Fetcher: provision.SomebodyElse, From: desk, Registers: true, Registered: desk}, true},
		"from elsewhere":                            {provision.Witness{From: operator, Registers: true, Registered: desk, Routed: true}, false},
		"not registered yet":                        {provision.Witness{From: operator, Registers: true}, true},
		"a PBX has it, behind a router":             {provision.Witness{From: desk}, false},
		"a PBX has it, behind a router that counts": {provision.Witness{From: desk, Routed: true}, true},
		"a PBX has it, another MAC address":         {provision.Witness{Fetcher: provision.SomebodyElse, From: desk, Routed: true}, false},
	} {
		if got := c.witness.Counts(); got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}
