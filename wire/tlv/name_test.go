package tlv

import (
	"crypto/x509/pkix"
	"encoding/asn1"
	"testing"
)

func TestNameText(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name pkix.Name
		want string
	}{
		{pkix.Name{}, ""},
		{pkix.Name{CommonName: "ITLRECOVERY_pub"}, "CN=ITLRECOVERY_pub"},
		{pkix.Name{Country: []string{"US"}, Organization: []string{"Example"}, OrganizationalUnit: []string{"TAC"}, Locality: []string{"RTP"}, Province: []string{"NC"}, CommonName: "cm1"},
			"CN=cm1;OU=TAC;O=Example;L=RTP;ST=NC;C=US"},
		{pkix.Name{CommonName: "phone", SerialNumber: "PID:CP-8861"}, "CN=phone;2.5.4.5=PID:CP-8861"},
		{pkix.Name{Names: []pkix.AttributeTypeAndValue{
			{Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "first"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 10}, Value: "second"},
			{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "name"},
		}}, "CN=name;O=first;O=second"},
	} {
		if got := NameText(test.name); got != test.want {
			t.Errorf("got %q, want %q", got, test.want)
		}
	}
}
