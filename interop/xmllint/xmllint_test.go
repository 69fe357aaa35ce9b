//go:build interop

// Package xmllint_test has xmllint read every file that phones get: for each model that is known, by each
// protocol that it has loads for, and the files beside it.
package xmllint_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/wire/cnf"
)

const fixture = "../../stage/provision/testdata/office.yaml"

// xmllint returns what an XPath expression gives in a document, and fails on one that is not well formed.
func xmllint(t *testing.T, content []byte, xpath string) string {
	t.Helper()
	cmd := exec.Command(office.Peer(t, "xmllint"), "--nonet", "--xpath", "string("+xpath+")", "-")
	cmd.Stdin = bytes.NewReader(content)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil || complaints.Len() > 0 {
		t.Fatalf("xmllint: %v: %s\n%s", err, complaints.String(), content)
	}
	return strings.TrimRight(string(out), "\n")
}

func TestEveryModelByEachProtocol(t *testing.T) {
	t.Parallel()
	read, err := file.Read(fixture)
	if err != nil {
		t.Fatal(err)
	}
	set, err := read.Set()
	if err != nil {
		t.Fatal(err)
	}
	set.Lines["1002"].DisplayName = "Zoë <]]> & \"R&D\" '"
	seen := 0
	for i, model := range inventory.Models() {
		for _, protocol := range model.Protocols() {
			device := &inventory.Device{
				Name: fmt.Sprintf("SEP0011223355%02X", i), Model: model.Name, Protocol: protocol, Site: "berlin", Lines: []string{"1002"}, CommonPhoneProfile: "office",
			}
			if model.VPN {
				device.CommonPhoneProfile = "home"
			}
			set.Devices[device.Name] = device
			seen++
			t.Run(model.Name+" "+protocol, func(t *testing.T) { judge(t, set, device, model, protocol) })
			delete(set.Devices, device.Name)
		}
	}
	if seen < 55 {
		t.Errorf("only %d files were read", seen)
	}
}

// judge compares elements by the published names with what was declared.
func judge(t *testing.T, set *inventory.Set, device *inventory.Device, model inventory.Model, protocol string) {
	made, err := provision.Renderer{CallManagers: []string{"10.0.0.1"}}.File(set, provision.ConfigFile(device.Name))
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/device/deviceProtocol": protocol, "/device/devicePool/dateTimeSetting/timeZone": "W. Europe Standard/Daylight Time",
		"/device/devicePool/callManagerGroup/members/member[@priority=1]/callManager/processNodeName": "pbx.example.net",
		"/device/phoneServices/provisioning": "2", "/device/userLocale/winCharSet": "utf-8", "/device/versionStamp": made.VersionStamp,
		"count(/device/vpnGroup)": "0", "count(/device/sipProfile)": "0", "/device/dscpForSCCPPhoneConfig": "104", "/device/transportLayerProtocol": "4",
	}
	if protocol == inventory.SIP {
		want["count(/device/sipProfile)"], want["/device/dscpForSCCPPhoneConfig"], want["/device/transportLayerProtocol"] = "1", "", "1"
		want["/device/sipProfile/sipLines/line[@button=1]/displayName"] = "Zoë <]]> & \"R&D\" '"
		want["/device/sipProfile/dialTemplate"] = "DRBerlin.xml"
	}
	if model.VPN {
		want["count(/device/vpnGroup)"], want["/device/vpnGroup/addresses/url1"] = "1", "https://vpn.example.net/phones"
		want["string-length(/device/vpnGroup/credentials/certHash1)"] = "28"
	}
	for xpath, value := range want {
		if got := xmllint(t, made.Content, xpath); got != value {
			t.Errorf("%s is %q, want %q", xpath, got, value)
		}
	}
}

func TestCompanions(t *testing.T) {
	t.Parallel()
	read, err := file.Read(fixture)
	if err != nil {
		t.Fatal(err)
	}
	set, err := read.Set()
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string][2]string{
		"DRBerlin.xml":                {"/dialTemplate/TEMPLATE[1]/@match", "0,*"},
		"SKFew.xml":                   {"/softKeyCfg/softKeySets/softKeySet[@id='On Hook']/softKey[2]/@keyID", "CFwdAll"},
		"FPVideo.xml":                 {"/featurePolicy/featureDef[@name='Barge']/enable", "true"},
		provision.RingList:            {"/CiscoIPPhoneRingList/Ring/FileName", "Old_Telephone.raw"},
		provision.WidebandRingList:    {"/CiscoIPPhoneRingList/Ring/FileName", "Old_Telephone.rwb"},
		provision.DefaultFile:         {"/Default/loadInformation685/@model", "Cisco 8861"},
		"SEP001122334404.cnf.xml":     {"/device/featurePolicyFile", "FPVideo.xml"},
		"SEP001122334403.cnf.xml":     {"/device/addOnModules/addOnModule[@idx=1]/deviceType", "7916"},
		provision.DistinctiveRingList: {"/CiscoIPPhoneRingList/Ring/DisplayName", "Old Telephone"},
	} {
		made, err := provision.Renderer{CallManagers: []string{"10.0.0.1"}}.File(set, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := xmllint(t, made.Content, want[0]); got != want[1] {
			t.Errorf("%s: %s is %q, want %q", name, want[0], got, want[1])
		}
	}
}

// TestAdoptedFile has a file written over that another call manager made.
func TestAdoptedFile(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../wire/cnf/testdata/foreign.cnf.xml")
	if err != nil {
		t.Fatal(err)
	}
	// The prefix is declared nowhere, which call managers do and xmllint minds.
	doc, err := cnf.Parse(bytes.Replace(text, []byte(`xsi:type="axl:XIPPhone" `), nil, 1))
	if err != nil {
		t.Fatal(err)
	}
	doc.SIPProfile.PhoneLabel, doc.TVS = "Zoë & <", []cnf.TVSServer{{Host: "10.0.0.1"}}
	content, err := doc.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	for xpath, want := range map[string]string{
		"/device/sipProfile/phoneLabel": "Zoë & <", "/device/TVS/members/member[@priority=0]/address": "10.0.0.1", "/device/TVS/members/member/port": "2445",
		"/device/vendorConfig/loggingDisplay": "1", "count(//comment())": "1",
	} {
		if got := xmllint(t, content, xpath); got != want {
			t.Errorf("%s is %q, want %q", xpath, got, want)
		}
	}
}
