package judge

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
)

// walked is one fact of a walk.
type walked struct {
	kind   fact.Kind
	values string // name=value, by semicolon
}

func judged(facts []walked) (*Report, []string) {
	c := fact.NewCollector("test", "SEP001122334455")
	in := c.Open("walk")
	in.Recognised("a walk as the phone", "")
	for _, f := range facts {
		var values []string
		for pair := range strings.SplitSeq(f.values, ";") {
			if name, value, ok := strings.Cut(pair, "="); ok {
				values = append(values, name, value)
			}
		}
		in.Add(f.kind, 0, "seen", time.Time{}, values...)
	}
	r := Facts(c.File(), "test")
	var codes []string
	for _, f := range r.Findings {
		codes = append(codes, f.Code+" "+string(f.Certainty)+": "+f.Says)
	}
	return r, codes
}

const (
	up     = "gateway=https://vpn/p;ok=true;address=10.9.0.7;mtu=1290;include=;exclude=;dtls=443"
	silent = "server=10.1.1.5;name=CTL.tlv;from=tunnel;outcome=silent;by="
)

func TestWalk(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		facts []walked
		want  []string // code, certainty and the beginning of the sentence
	}{
		"no file server": {[]walked{{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;from=here;outcome=silent"}},
			[]string{"tftp-unreachable certain: no file server answers at 10.1.1.5"}},
		"no file": {[]walked{{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;outcome=missing"}},
			[]string{"tftp-file-missing certain: 10.1.1.5 does not have the file SEP.cnf.xml"}},
		"not for us": {[]walked{{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;outcome=refused"}},
			[]string{"files-refused likely: "}},
		"signed by a stranger": {[]walked{{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;outcome=unbelieved"}},
			[]string{"trust-list-mismatch certain: "}},
		"somebody else's file": {[]walked{{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;outcome=foreign"}},
			[]string{"foreign-tftp-server certain: 10.1.1.5"}},
		"somebody else answers pings": {[]walked{{fact.WalkPlace, "place=outside;reason=foreign;server=10.1.1.5"}},
			[]string{"foreign-tftp-server likely: 10.1.1.5"}},
		"the file server's address is at home": {[]walked{{fact.WalkPlace, "place=outside;reason=foreign;server=10.1.1.5;network=10.1.1.0/24"}},
			[]string{"home-network-overlaps certain: the phones' file server 10.1.1.5 is in 10.1.1.0/24"}},
		"it is the office": {[]walked{{fact.WalkPlace, "place=inside;reason=proven;server=10.1.1.5;network=10.1.1.0/24"}}, nil},
		"it does not look": {[]walked{{fact.SEPVPN, "auto-detect=0"}, {fact.WalkPlace, "place=outside;reason=silent;server=10.1.1.5"}},
			[]string{"network-detection-unreliable certain: "}},
		"rubbish": {[]walked{{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;outcome=invalid;reason=no XML"}},
			[]string{"config-invalid certain: SEP.cnf.xml is not a file that a phone can use: no XML"}},
		"no VPN outside": {[]walked{{fact.WalkVPN, "device=SEP;ok=false"}, {fact.WalkStep, "step=connect;ok=false"}},
			[]string{"vpn-not-configured certain: SEP has no file"}},
		"no trust verification service": {[]walked{{fact.WalkReach, "what=trust verification service;address=10.1.1.5:2445;from=here;ok=false;reason=timeout"}},
			[]string{"tvs-unreachable likely: no trust verification service answers at 10.1.1.5:2445"}},
		"TLS too old": {[]walked{{fact.WalkTLS, "address=1.2.3.4:443;ok=false;lacks=version"}},
			[]string{"tls-version certain: the gateway 1.2.3.4:443"}},
		"no cipher": {[]walked{{fact.WalkTLS, "address=1.2.3.4:443;ok=false;lacks=cipher"}},
			[]string{"tls-cipher certain: the gateway 1.2.3.4:443"}},
		"another certificate": {[]walked{{fact.WalkPinned, "gateway=https://vpn/p;ok=false;sha1=825C338A1FA0B45BFA35E2D02B42892091B9A809"}},
			[]string{"certificate-hash-mismatch certain: the gateway presents a certificate whose hash, 825C338A1FA0B45BFA35E2D02B42892091B9A809 (glwzih"}},
		"another host": {[]walked{{fact.WalkNamed, "gateway=https://vpn/p;host=vpn;ok=false;checked=true"}},
			[]string{"host-id-mismatch certain: the gateway's certificate does not name vpn"}},
		"no such URL": {[]walked{{fact.WalkGroupURL, "url=https://vpn/p;outcome=missing"}},
			[]string{"group-url-mismatch certain: "}},
		"a page without cookies": {[]walked{{fact.WalkGroupURL, "url=https://vpn/p;outcome=no-cookie"}},
			[]string{"group-url-mismatch likely: "}},
		"no such URL, and a computer without UDP": {[]walked{{fact.WalkGroupURL, "url=https://vpn/p;outcome=no-cookie"},
			{fact.WalkComputer, "what=login;user=alice;by=password;outcome=in"}, {fact.WalkComputer, "what=dtls;outcome=silent;port=443"}},
			[]string{"group-url-mismatch likely: ", "dtls-blocked certain: UDP 443"}},
		"no such URL, and a wrong password": {[]walked{{fact.WalkGroupURL, "url=https://vpn/p;outcome=no-cookie"},
			{fact.WalkComputer, "what=login;user=alice;by=password;outcome=refused;reason=Login failed."}},
			[]string{"group-url-mismatch likely: ", "login-refused likely: the gateway refuses the login of alice"}},
		"no such URL, and a wrong certificate": {[]walked{{fact.WalkGroupURL, "url=https://vpn/p;outcome=no-cookie"},
			{fact.WalkAuthorities, "gateway=https://vpn/;names=CN=Phones;issuer=CN=Others;among=false"},
			{fact.WalkComputer, "what=login;gateway=https://vpn/;user=SEP;by=certificate;outcome=certificate;reason=Not accepted here."}},
			[]string{"client-certificate-untrusted likely: the gateway does not take the client certificate of SEP001122334455: it says Not accepted here.; it asks for one of CN=Phones, and this one is of CN=Others", "group-url-mismatch likely: "}},
		"no such URL, and a code is asked for": {[]walked{{fact.WalkGroupURL, "url=https://vpn/p;outcome=no-cookie"},
			{fact.WalkComputer, "what=login;user=alice;by=password;outcome=second-factor;reason=Code:"}},
			[]string{"group-url-mismatch likely: "}},
		"wrong password": {[]walked{{fact.WalkLogin, "user=alice;by=password;outcome=refused;reply=401"}},
			[]string{"login-refused certain: the gateway refuses the login of alice"}},
		"asked again": {[]walked{{fact.WalkLogin, "user=alice;by=password;outcome=again;reply=200 OK"}},
			[]string{"login-refused likely: "}},
		"wrong certificate": {[]walked{{fact.WalkLogin, "user=SEP;by=certificate;outcome=refused;reply=401"}},
			[]string{"client-certificate-untrusted likely: "}},
		"an unknown issuer": {[]walked{{fact.WalkAuthorities, "gateway=https://vpn/p;names=CN=Phones;issuer=CN=Others;among=false"},
			{fact.WalkTLS, "gateway=https://vpn/p;address=1.2.3.4:443;ok=false;lacks=certificate;shown=true;alert=unknown ca"}},
			[]string{"client-certificate-untrusted certain: the gateway does not take the client certificate of SEP001122334455: it answers unknown ca; it asks for one of CN=Phones, and this one is of CN=Others"}},
		"an expired certificate": {[]walked{{fact.WalkTLS, "gateway=https://vpn/p;address=1.2.3.4:443;ok=false;lacks=certificate;shown=true;alert=certificate expired"}},
			[]string{"client-certificate-expired certain: "}},
		"hung up on a certificate": {[]walked{{fact.WalkTLS, "gateway=https://vpn/p;address=1.2.3.4:443;ok=false;lacks=certificate;shown=true;alert="}},
			[]string{"client-certificate-untrusted likely: "}},
		"a space": {[]walked{{fact.WalkCredential, "user=al ice;what=user name;problem=a space in it"}},
			[]string{"credential-characters certain: "}},
		"split": {[]walked{{fact.WalkTunnel, "gateway=https://vpn/p;ok=true;include=10.0.0.0/8;exclude="}},
			[]string{"split-tunnel likely: "}},
		"two file servers": {[]walked{{fact.WalkAsked, "server=10.1.1.5;name=SEP.cnf.xml;outcome=came;sha256=aa;place=1"},
			{fact.WalkAsked, "server=10.1.1.6;name=SEP.cnf.xml;outcome=came;sha256=bb;place=2"}},
			[]string{"second-tftp-answers certain: besides the file server 10.1.1.5 another one, 10.1.1.6,"}},
		"two file servers of one mind": {[]walked{{fact.WalkAsked, "server=10.1.1.5;name=SEP.cnf.xml;outcome=came;sha256=aa;place=1"},
			{fact.WalkAsked, "server=10.1.1.6;name=SEP.cnf.xml;outcome=came;sha256=aa;place=2"}, {fact.WalkAsked, "server=10.1.1.6;name=CTL.tlv;outcome=missing"}}, nil},
		"no address": {[]walked{{fact.WalkTunnel, "gateway=https://vpn/p;ok=false;status=503;reason=No assigned address"}},
			[]string{"address-pool-exhausted likely: "}},
		"no DTLS": {[]walked{{fact.WalkTunnel, up}, {fact.WalkDTLS, "gateway=https://vpn/p;outcome=none"}},
			[]string{"dtls-disabled certain: "}},
		"no cipher for DTLS": {[]walked{{fact.WalkDTLS, "gateway=https://vpn/p;port=443;outcome=unknown;reason=it chooses nothing"}},
			[]string{"dtls-cipher-mismatch certain: "}},
		"no UDP": {[]walked{{fact.WalkDTLS, "gateway=https://vpn/p;port=443;outcome=silent"}},
			[]string{"dtls-blocked certain: UDP 443"}},
		"a narrow line": {[]walked{{fact.WalkMTU, "gateway=https://vpn/p;told=1290;passes=1180"}},
			[]string{"mtu certain: large packets do not pass the line to https://vpn/p: 1180 bytes pass, and the gateway says 1290"}},
		"a call manager on the gateway": {[]walked{{fact.SEPServer, "host=10.9.0.1"}, {fact.WalkTunnel, up}, {fact.GatewayPool, "network=10.9.0.0/24"},
			{fact.WalkReach, "what=call manager;address=10.9.0.1:2000;from=tunnel;ok=true"}}, nil},
		"a call manager's address given to phones": {[]walked{{fact.SEPServer, "host=10.9.0.2"}, {fact.WalkTunnel, up}, {fact.GatewayPool, "network=10.9.0.0/24"}},
			[]string{"pool-overlaps certain: "}},
		"a dark office": {[]walked{{fact.WalkTunnel, up}, {fact.GatewayPool, "network=10.9.0.0/24"},
			{fact.WalkPing, "what=file server;address=10.1.1.5;from=tunnel;ok=false"}, {fact.WalkAsked, silent + "HTTP"}, {fact.WalkAsked, silent + "TFTP"},
			{fact.WalkReach, "what=call manager;address=10.1.1.6:5060;from=tunnel;ok=false;reason=timeout"},
			{fact.WalkStep, "step=tunnel;ok=false"}},
			[]string{"no-route-to-pool likely: the office has no way back to the phones' addresses 10.9.0.0/24"}},
		"no file server beyond the tunnel": {[]walked{{fact.WalkTunnel, up},
			{fact.WalkPing, "what=file server;address=10.1.1.5;from=tunnel;ok=false"}, {fact.WalkAsked, silent + "HTTP"}, {fact.WalkAsked, silent + "TFTP"},
			{fact.WalkReach, "what=call manager;address=10.1.1.6:5060;from=tunnel;ok=true"}, {fact.WalkStep, "step=tunnel;ok=true"}},
			[]string{"tftp-unreachable certain: no file server answers at 10.1.1.5 through the tunnel"}},
		"no call manager": {[]walked{{fact.WalkReach, "what=call manager;address=10.1.1.6:2000;from=tunnel;ok=false;reason=refused"}},
			[]string{"registration-unreachable certain: no call manager answers at 10.1.1.6:2000"}},
		"a call manager beside the gateway": {[]walked{{fact.WalkTunnel, up}, {fact.GatewayPool, "network=10.9.0.0/24"}, {fact.SEPServer, "host=10.9.0.1"}}, nil},
		"one of two call managers": {[]walked{{fact.WalkReach, "what=call manager;address=10.1.1.6:2000;from=tunnel;ok=false;reason=timeout"},
			{fact.WalkReach, "what=call manager;address=10.1.1.7:2000;from=tunnel;ok=true"}}, nil},
		"no answer to REGISTER": {[]walked{{fact.WalkRegister, "line=1001;manager=10.1.1.6;outcome=silent"}},
			[]string{"registration-unreachable certain: no call manager answers at 10.1.1.6"}},
		"a wrong secret": {[]walked{{fact.WalkRegister, "line=1001;manager=10.1.1.6;outcome=refused;reason=403 Forbidden"}},
			[]string{"registration-refused certain: the call manager refuses to register 1001: 403 Forbidden"}},
		"TLS of the call manager": {[]walked{{fact.WalkRegister, "line=1001;manager=10.1.1.6;outcome=tls;reason=remote error: tls: unknown certificate authority"}},
			[]string{"registration-tls certain: TLS with the call manager 10.1.1.6 does not come up: remote error: tls: unknown certificate authority"}},
		"registered already": {[]walked{{fact.WalkRegister, "line=1001;manager=10.1.1.6;outcome=occupied;reason=10.1.1.7:5060"}}, nil},
		"deaf": {[]walked{{fact.WalkCall, "number=1002;line=1001;outcome=talked;sent=400;received=0;reports=0;heard=0;remote=10.1.1.9:16400;local=10.9.0.7:16384"}},
			[]string{"one-way-audio certain: 1001 at 10.9.0.7:16384 does not hear 1002 at 10.1.1.9:16400"}},
		"mute": {[]walked{{fact.WalkCall, "number=1002;line=1001;outcome=talked;sent=400;received=400;reports=2;heard=0"}},
			[]string{"one-way-audio likely: 1002 does not hear 1001"}},
		"healthy": {[]walked{
			{fact.WalkFile, "server=10.1.1.5;name=SEP.cnf.xml;from=tunnel;outcome=came"}, {fact.WalkVPN, "device=SEP;ok=true"},
			{fact.WalkPlace, "place=outside;reason=silent;server=10.1.1.5"}, {fact.WalkPing, "what=file server;address=10.1.1.5;from=here;ok=false"},
			{fact.WalkAsked, "server=10.1.1.5;name=CTL.tlv;by=HTTP;from=here;outcome=silent"},
			{fact.WalkTLS, "address=1.2.3.4:443;ok=true;version=TLS 1.0"}, {fact.WalkPinned, "ok=true;index=1"}, {fact.WalkNamed, "host=vpn;ok=false;checked=false"},
			{fact.WalkAuthorities, "gateway=https://vpn/p;names=CN=CA"}, {fact.WalkGroupURL, "url=https://vpn/p;outcome=login"},
			{fact.WalkLogin, "user=alice;by=password;outcome=in"}, {fact.WalkTunnel, up}, {fact.WalkDTLS, "outcome=up"}, {fact.WalkMTU, "told=1290;passes=1290"},
			{fact.WalkReach, "what=call manager;address=10.1.1.6:5060;from=tunnel;ok=true"},
			{fact.WalkCompanion, "name=dialplan.xml"}, {fact.WalkRegister, "line=1001;outcome=in"},
			{fact.WalkCall, "number=1002;line=1001;outcome=talked;sent=400;received=399;reports=2;heard=2"}, {fact.WalkStep, "step=call;ok=true"},
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, got := judged(c.facts)
			if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
				t.Errorf("found %q, want %q", got, c.want)
			}
		})
	}
}

// TestWalkStuck has a step end for a reason that nobody knows: more is asked for, and what comes after is not judged.
func TestWalkStuck(t *testing.T) {
	t.Parallel()
	r, found := judged([]walked{{fact.WalkStep, "step=verify;ok=false"}, {fact.WalkStuck(4), ""}})
	if r.Verdict != Insufficient || len(found) != 0 || len(r.Needs) == 0 || len(r.NotJudged) != 3 {
		t.Errorf("verdict %s, %q, needs %q, not judged %v", r.Verdict, found, r.Needs, r.NotJudged)
	}
	r, _ = judged([]walked{{fact.WalkTLS, "address=1.2.3.4:443;ok=false;lacks=cipher"}, {fact.WalkStep, "step=verify;ok=false"}, {fact.WalkStuck(4), ""}})
	if r.Verdict != Fault || len(r.Needs) != 0 {
		t.Errorf("explained: verdict %s, needs %q", r.Verdict, r.Needs)
	}
	r, _ = judged([]walked{{fact.WalkAuthorities, "gateway=https://vpn/p;names=CN=Phones"},
		{fact.WalkTLS, "gateway=https://vpn/p;address=1.2.3.4:443;ok=false;lacks=certificate;shown=false"}, {fact.WalkStep, "step=verify;ok=false"}, {fact.WalkStuck(4), ""}})
	if r.Verdict != Insufficient || !slices.ContainsFunc(r.Needs, func(n string) bool { return strings.Contains(n, "--cert") && strings.Contains(n, "CN=Phones") }) {
		t.Errorf("a gateway that wants a certificate: verdict %s, needs %q", r.Verdict, r.Needs)
	}
}
