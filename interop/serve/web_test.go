//go:build interop

package serve_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// The web pages of a phone at home are read through its tunnel: by curl, whose XML xmllint takes, and by
// `phones show --live`. An order to its keys makes it restart.
func TestPagesOfPhoneAtHome(t *testing.T) {
	t.Parallel()
	curl, xmllint := office.Peer(t, "curl"), office.Peer(t, "xmllint")
	o := office.New(t)
	o.Serve()
	addOwner(t, o)
	h := newHousehold(t, o)
	out := o.StartWith(o.Client, password+"\n", program(), h.home("--user", user, "--password-stdin", "--web", ":80")...)
	var session struct {
		Session struct {
			Address string `json:"inner_address"`
		} `json:"session"`
	}
	must(t, json.Unmarshal([]byte(out.Wait(`"event":"session"`)), &session))
	out.Wait(`"step":"register","ok":true`)
	address := "http://" + session.Session.Address
	get := func(path string) string {
		t.Helper()
		text, err := o.Run(o.Gateway, "", curl, "-sS", "-f", address+path)
		if err != nil {
			t.Fatalf("curl %s: %v\n%s", path, err, text)
		}
		return text
	}
	for _, path := range []string{"/DeviceInformationX", "/NetworkConfigurationX", "/EthernetInformationX", "/PortInformationX?1", "/DeviceLogX?0", "/StreamingStatisticsX?1"} {
		file := filepath.Join(t.TempDir(), "page.xml")
		must(t, os.WriteFile(file, []byte(get(path)), 0o600))
		if said, err := o.Run(o.Gateway, "", xmllint, "--noout", file); err != nil {
			t.Errorf("xmllint does not take %s: %v\n%s", path, err, said)
		}
	}
	network := filepath.Join(t.TempDir(), "network.html")
	must(t, os.WriteFile(network, []byte(get("/CGI/Java/Serviceability?adapter=device.statistics.configuration")), 0o600))
	found, err := o.Run(o.Gateway, "", xmllint, "--html", "--xpath", `string(//tr[normalize-space(td[1]/b)="CUCM server1"]/td[3]/b)`, network)
	if err != nil || strings.Join(strings.Fields(found), " ") != office.Inside+" Active" {
		t.Errorf("the page says that call manager 1 is %q (%v)", found, err)
	}
	if logs := get("/FS/messages"); !strings.Contains(logs, "SECD-Hash was found in the trust list") {
		t.Errorf("the console log is\n%s", logs)
	}

	said, code := run(t, o, "", "phones", "show", home, "--live", "-c", o.Path("longcord.yaml"))
	for _, want := range []string{"CP-8861", session.Session.Address, "alternate TFTP", office.Inside + " Active", home + ".cnf.xml"} {
		if code != 0 || !strings.Contains(said, want) {
			t.Errorf("phones show --live ends with %d and says nothing of %q:\n%s", code, want, said)
		}
	}
	// Its desk phone has no web pages.
	if said, code = run(t, o, "", "phones", "show", desk, "--live", "-c", o.Path("longcord.yaml")); code != 1 || !strings.Contains(said, "do not answer") {
		t.Errorf("of a phone without pages phones show --live ends with %d and says:\n%s", code, said)
	}

	mark := out.Mark()
	for _, keys := range []string{
		`<CiscoIPPhoneExecute><ExecuteItem URL="Key:Settings"/><ExecuteItem URL="Key:KeyPadStar"/><ExecuteItem URL="Key:KeyPadStar"/></CiscoIPPhoneExecute>`,
		`<CiscoIPPhoneExecute><ExecuteItem URL="Key:KeyPadPound"/><ExecuteItem URL="Key:KeyPadStar"/><ExecuteItem URL="Key:KeyPadStar"/></CiscoIPPhoneExecute>`,
	} {
		answer, err := o.Run(o.Gateway, "", curl, "-sS", "-f", "--data-urlencode", "XML="+keys, address+"/CGI/Execute")
		if err != nil || strings.Count(answer, `Status="0"`) != 3 {
			t.Fatalf("the phone answers an order with %q (%v)", answer, err)
		}
	}
	out.WaitAfter(mark, `"event":"registered"`)
}
