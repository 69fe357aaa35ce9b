//go:build interop

package sipp

import (
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/servertest"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/register"
	"github.com/longcord/longcord/store/memory"
	"github.com/longcord/longcord/wire/sip"
)

const notified = "SEP001122334455"

// A phone that SIPp plays registers with a Cisco phone's Contact and is told to restart. It answers 400 to
// what holds FeatureControlVersionStamp, is told in another manner, and answers 200. SIPp checks each request
// itself: Event, the Call-ID of its REGISTER in the body, and the user of its Contact in the request line.
func TestNotify(t *testing.T) {
	t.Parallel()
	at := netip.AddrFrom4([4]byte{127, 202, byte(os.Getpid()), 5})
	set := inventory.NewSet()
	set.Lines["1001"] = &inventory.Line{Name: "1001", Secret: secret.New("secret")}
	set.Devices[notified] = &inventory.Device{Name: notified, Lines: []string{"1001"}}
	m, err := callmanager.New(callmanager.Config{
		Settings: callmanager.Settings{Listen: at}, Inventory: func() *inventory.Set { return set }, Store: memory.New(),
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := m.Open(t.Context()); err != nil {
		t.Fatal(err)
	}
	defer servertest.Start(t, m.Serve)()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "register.xml"), registersAsCisco)
	write(t, filepath.Join(dir, "notified.xml"), isNotified)
	own := netip.AddrFrom4([4]byte{127, 202, byte(os.Getpid()), 6})
	here := []string{"-i", own.String(), "-p", "5061"}
	if err := sipp(t, append(here, at.String(), "-sf", filepath.Join(dir, "register.xml"), "-m", "1", "-cid_str", "register-call-id")...); err != nil {
		t.Fatalf("the phone did not register: %v", err)
	}
	phone := make(chan error, 1)
	go func() {
		phone <- sipp(t, append(here, "-sf", filepath.Join(dir, "notified.xml"), "-m", "2", "-timeout", "30s", "-timeout_error")...)
	}()
	// SIPp may not listen yet; what it misses comes again.
	m.Tell([]string{notified}, func(string) register.Order {
		return register.Order{Action: sip.Restart, Stamp: "0106514225374329"}
	})
	if err := <-phone; err != nil {
		t.Errorf("the phone was not told as it wants: %v", err)
	}
	deadline := time.Now().Add(10 * time.Second)
	for told := m.Tellings(); len(told) != 1 || told[0].State != register.Taken || !strings.Contains(told[0].Why, "200"); told = m.Tellings() {
		if time.Now().After(deadline) {
			t.Fatalf("tellings %+v, want one that was taken", told)
		}
	}
}

const registersAsCisco = `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="register">
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:1001@[remote_ip]>;tag=[call_number]
To: <sip:1001@[remote_ip]>
Call-ID: [call_id]
CSeq: 1 REGISTER
User-Agent: Cisco-CP8851/12.1.1
Contact: <sip:a-uuid@[local_ip]:[local_port]>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-001122334455>";+u.sip!devicename.ccm.cisco.com="SEP001122334455";+u.sip!model.ccm.cisco.com="684"
Expires: 3600
Content-Length: 0

]]></send>
<recv response="401" auth="true"/>
<send retrans="500"><![CDATA[
REGISTER sip:[remote_ip] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
Max-Forwards: 70
From: <sip:1001@[remote_ip]>;tag=[call_number]
To: <sip:1001@[remote_ip]>
Call-ID: [call_id]
CSeq: 2 REGISTER
User-Agent: Cisco-CP8851/12.1.1
Contact: <sip:a-uuid@[local_ip]:[local_port]>;+sip.instance="<urn:uuid:00000000-0000-0000-0000-001122334455>";+u.sip!devicename.ccm.cisco.com="SEP001122334455";+u.sip!model.ccm.cisco.com="684"
Expires: 3600
[authentication username=1001 password=secret]
Content-Length: 0

]]></send>
<recv response="200"/>
</scenario>
`

const isNotified = `<?xml version="1.0" encoding="UTF-8"?>
<scenario name="notified">
<recv request="NOTIFY" next="1" test="many">
<action>
<ereg regexp="FeatureControlVersionStamp" search_in="msg" assign_to="many"/>
<ereg regexp="service-control" search_in="hdr" header="Event:" check_it="true" assign_to="event"/>
<ereg regexp="active" search_in="hdr" header="Subscription-State:" check_it="true" assign_to="state"/>
<ereg regexp="RegisterCallId=.register-call-id." search_in="msg" check_it="true" assign_to="id"/>
<ereg regexp="ConfigVersionStamp=.0106514225374329." search_in="msg" check_it="true" assign_to="stamp"/>
<ereg regexp="^NOTIFY sip:a-uuid@[0-9.]+:5061 SIP/2.0" search_in="msg" check_it="true" assign_to="line"/>
</action>
</recv>
<Reference variables="event,state,id,stamp,line"/>
<send next="2"><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="1"/>
<send><![CDATA[
SIP/2.0 400 Bad Request
[last_Via:]
[last_From:]
[last_To:];tag=[call_number]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
<label id="2"/>
<nop/>
</scenario>
`
