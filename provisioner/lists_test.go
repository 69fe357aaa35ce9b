package provisioner

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/trust"
)

// Whoever fetched an older list is behind; who has none is not.
func TestLag(t *testing.T) {
	t.Parallel()
	set, profile := signedOffice()
	set.Devices[secondPhone].CommonPhoneProfile = "signed"
	authority := newAuthority(t)
	s := startWith(t, set, func(c *Config) { c.Authority = authority })
	want := func(why string, behind, without []string) {
		t.Helper()
		eventually(t, why, func() bool { // an answer is there a moment before its delivery is noted
			lag, err := s.Lag(func(Delivery) bool { return true })
			return err == nil && slices.Equal(lag.Behind, behind) && slices.Equal(lag.Without, without)
		})
	}
	want("at first all are without", nil, []string{phone, secondPhone})
	s.must("ITL" + phone + ".tlv")
	want("one has fetched its list", nil, []string{secondPhone})
	if err := authority.Replace(t.Context(), trust.CAPF, trust.Consent{}); err != nil {
		t.Fatal(err)
	}
	want("after a change it is behind", []string{phone}, []string{secondPhone})
	s.must("ITL" + phone + ".tlv")
	want("it has fetched the new one", nil, []string{secondPhone})
	profile.ClusterSecurityMode = inventory.Mixed
	want("a CTL is missing, too", nil, []string{phone, secondPhone})
	s.must("CTL" + phone + ".tlv")
	want("it has both", nil, []string{secondPhone})
	profile.SecurityByDefault = inventory.SecurityRollback
	want("on the way back it is behind", []string{phone}, []string{secondPhone})
	profile.SecurityByDefault = inventory.SecurityOff
	want("nobody is to have a list", nil, nil)
	profile.SecurityByDefault = inventory.SecurityOn
	for kind, name := range map[trust.ListKind]string{trust.CTL: "CTL" + phone + ".tlv", trust.ITL: "ITL" + phone + ".tlv"} {
		_, served := s.get("/" + name)
		if list, err := s.TrustList(kind, phone); err != nil || !bytes.Equal(list, served) {
			t.Errorf("%s: the list told is not the one served: %v", name, err)
		}
	}
	if _, err := s.TrustList(trust.ITL, "SEP00FFFFFFFFFF"); !errors.Is(err, provision.ErrNotFound) {
		t.Errorf("a device that does not exist: %v", err)
	}
}
