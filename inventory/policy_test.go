package inventory

import "testing"

func TestPolicyFor(t *testing.T) {
	t.Parallel()
	s := NewSet()
	s.Users["anna"] = &User{Name: "anna", VPNGroupPolicy: "own"}
	s.Users["carl"] = &User{Name: "carl", VPNGroupPolicy: "gone"}
	for _, name := range []string{"own", "class", "group"} {
		s.GroupPolicies[name] = &GroupPolicy{Name: name}
	}
	group, without := &TunnelGroup{DefaultGroupPolicy: "group"}, &TunnelGroup{}
	for _, c := range []struct {
		group             *TunnelGroup
		user, named, want string
	}{
		{group, "anna", "class", "own"},
		{group, "boris", "class", "class"},
		{group, "boris", "gone", "group"},
		{group, "carl", "", "group"},
		{group, "", "", "group"},
		{without, "anna", "", "own"},
		{without, "boris", "", DefaultPolicy},
	} {
		if got := s.PolicyFor(c.group, c.user, c.named); got.Name != c.want {
			t.Errorf("%q with %q in %+v gets %q want %q", c.user, c.named, *c.group, got.Name, c.want)
		}
	}
}

// TestPolicyTakesFromDefault: unset fields are DfltGrpPolicy's, set ones are not, be they zero.
func TestPolicyTakesFromDefault(t *testing.T) {
	t.Parallel()
	s := NewSet()
	s.GroupPolicies[DefaultPolicy] = &GroupPolicy{
		Name: DefaultPolicy, Banner: "Hello", Filter: "list", IdleTimeout: new(60), KeepAlive: new(7), DNSServers: []string{"10.0.0.1"}, DTLS: new(false),
	}
	s.GroupPolicies["own"] = &GroupPolicy{Name: "own", Filter: None, IdleTimeout: new(0), DTLS: new(true), DefaultDomain: "example.net"}
	got := s.PolicyFor(&TunnelGroup{DefaultGroupPolicy: "own"}, "", "")
	if got.Name != "own" || got.Banner != "Hello" || got.Filters() || *got.IdleTimeout != 0 || *got.KeepAlive != 7 || len(got.DNSServers) != 1 ||
		!*got.DTLS || got.DefaultDomain != "example.net" {
		t.Errorf("got %+v", got)
	}
	if s.GroupPolicies["own"].Banner != "" {
		t.Error("the declared policy was changed")
	}
}
