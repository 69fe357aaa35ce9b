//go:build interop

package doctor_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"testing"

	"github.com/longcord/longcord/interop/baresip"
	"github.com/longcord/longcord/interop/office"
)

var authPassword = regexp.MustCompile(`<authPassword>([^<]+)</authPassword>`)

// baresipAnswers has baresip be the line 1002 inside, which takes calls.
func baresipAnswers(t *testing.T, o *office.Office) {
	t.Helper()
	file, err := o.Run(o.Inside, "", office.Peer(t, "curl"), "-sSf", "http://"+office.Inside+":6970/"+other+".cnf.xml")
	found := authPassword.FindStringSubmatch(file)
	if err != nil || found == nil {
		t.Fatalf("the other phone's file: %v\n%s", err, file)
	}
	var p *baresip.Phone
	must(t, o.Inside.Do(func() error {
		p = baresip.Start(t, baresip.Account{Own: netip.MustParseAddr(office.Desk), Server: office.Inside, Transport: "udp", Number: "1002", Secret: found[1], Auto: true})
		return nil
	}))
	p.Registered()
}

// TestOneWayAudio calls through a firewall at the gateway that lets voice through in one direction only, to a phone of
// ours and to baresip.
func TestOneWayAudio(t *testing.T) {
	t.Parallel()
	const ports = "udp dport 16384-32767"
	us, them := `1001 at 10\.20\.0\.1\d\d:\d+`, `1002 at 10\.20\.0\.9:\d+`
	for name, c := range map[string]struct {
		rule      string
		other     func(*testing.T, *office.Office)
		certainty string
		says      string // as a pattern
		told      string // likewise, of the line about the call
	}{
		"nothing comes":                {`iifname "inside" ` + ports + ` drop`, answering, "certain", us + " does not hear " + them, "0 received at .*, 0 reports"},
		"no voice comes, but reports":  {`iifname "inside" ` + ports + ` meta length > 190 drop`, answering, "certain", us + " does not hear " + them, "it says that it has sent [1-9]"},
		"nothing goes":                 {`oifname "inside" ` + ports + ` drop`, answering, "likely", them + " does not hear " + us, "0 of them about our sound"},
		"nothing comes from baresip":   {`iifname "inside" ` + ports + ` meta length > 190 drop`, baresipAnswers, "certain", us + " does not hear " + them, "it says that it has sent [1-9]"},
		"nothing goes to baresip":      {`oifname "inside" ` + ports + ` drop`, baresipAnswers, "likely", them + " does not hear " + us, "0 of them about our sound"},
		"healthy, and baresip answers": {`accept`, baresipAnswers, "", "", "[1-9] of them about our sound"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := ourOffice(t)
			c.other(t, o)
			shut := "table inet shut { chain f { type filter hook forward priority 0; " + c.rule + "; }; }"
			if out, err := o.Run(o.Gateway, shut, office.Peer(t, "nft"), "-f", "-"); err != nil {
				t.Fatalf("nft: %v\n%s", err, out)
			}
			r := judge(t, on(o.Client), password+"\n", "--file", fileOf(t, o), "--tftp", office.Inside, "--user", "alice", "--password-stdin", "--call", "1002")
			if !regexp.MustCompile(c.told).MatchString(r.progress) {
				t.Errorf("%q is not told:\n%s", c.told, r.progress)
			}
			if c.says == "" {
				r.expect(t, "ok", "")
				return
			}
			r.expect(t, "fault", "one-way-audio")
			if len(r.Findings) == 0 || r.Findings[0].Certainty != c.certainty || !regexp.MustCompile(c.says).MatchString(r.Findings[0].Says) {
				t.Errorf("found %s, want %s: %s\n%s", fmt.Sprint(r.Findings), c.certainty, c.says, r.progress)
			}
		})
	}
}
