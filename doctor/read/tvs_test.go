package read

import (
	"slices"
	"strings"
	"testing"
)

// publishedTVS has the lines of published traces: a certificate that only the second store has, then one that none has, both
// in a trace that also has lines of bytes.
const publishedTVS = `04:04:15.270 |   debug ipAddrStr (Phone) 10.106.111.121
23:00:22.051 | debug 8:UNKNOWN:Incoming Phone Msg:
HEX_DUMP: Len = 153:
23:00:22.051 | debug 57 01 03 00 00 00 03 e9
23:00:22.051 | debug MsgType : TVS_MSG_QUERY_CERT_REQ
23:00:22.052 | debug tvsHandleQueryCertReq : Issuer Name is: cn=Cisco Manufacturing CA;o=Cisco Systems
23:00:22.052 | debug tvsHandleQueryCertReq : SAST Issuer Name  is: cn=Cisco Manufacturing CA;o=Cisco Systems
23:00:22.052 | debug tvsHandleQueryCertReq : Serial Number is: 83E9080000005545AF31
23:00:22.052 | debug ERROR:CertificateDBCache::getCertificateInformation - Cannot find the certificate in the cache
23:00:22.052 | debug CertificateCTLCache::getCertificateInformation - Found entry {rolecount : 1}
23:00:22.053 | debug 8:UNKNOWN:Sending QUERY_CERT_RES msg
23:00:23.272 |   debug tvsGetIssuerNameFromX509 - issuerName : CN=cucm10;OU=TAC;O=Cisco and Length: 43
23:00:23.272 |   debug tvsGetSerialNumberFromX509 - serialNumber : 6F969D5B784D0448980F7557A90A6344 and Length: 16
23:00:23.272 |   debug ERROR:CertificateDBCache::getCertificateInformation - Cannot find the certificate in the cache
23:00:23.272 |   debug ERROR:CertificateCTLCache::getCertificateInformation - Cannot find the certificate in the cache
23:00:23.273 |   debug 8:UNKNOWN:Sending CERT_VERIF_RES msg
`

func TestTVS(t *testing.T) {
	t.Parallel()
	want := []string{"tvs.unknown issuer=CN=cucm10;OU=TAC;O=Cisco serial=6F969D5B784D0448980F7557A90A6344"}
	if got := told(factsOf(t, publishedTVS).Facts); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if got := told(factsOf(t, strings.ReplaceAll(publishedTVS, "debug", "trace")).Facts); len(got) > 0 {
		t.Errorf("of another program: %q", got)
	}
}

// TestTVSCut cuts the trace anywhere: there is never more than one certificate that is looked for and not found.
func TestTVSCut(t *testing.T) {
	t.Parallel()
	for end := range publishedTVS {
		if got := told(factsOf(t, publishedTVS[:end]).Facts); len(got) > 1 {
			t.Errorf("cut at %d: %q", end, got)
		}
	}
}
