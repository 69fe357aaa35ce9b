package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

func (p *program) enrollSwitchCommand() *cobra.Command {
	var dryRun, yes, asJSON bool
	c := &cobra.Command{
		Use: "switch [SEP…]", Short: "Give phones that have a certificate the login by certificate",
		Long: `Without names: every phone that has proved its certificate and still logs in by password.
Phones that have not are left as they are; named, they are refused. What is needed is
made once: a tunnel group that takes certificates alone at the URL of the old one with
-lsc behind it, VPN gateway, group and profile, and a CommonPhoneProfile, all named as the
old ones with -lsc behind. The old ones stay for the others. A phone keeps its tunnel; it
logs in by certificate from the next time on. Back: give the Device its old
commonPhoneProfile.`,
		RunE: func(c *cobra.Command, args []string) error {
			return p.enrollSwitch(c.Context(), args, dryRun, yes, asJSON)
		},
	}
	changeFlags(c, &dryRun, &yes)
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) enrollSwitch(ctx context.Context, names []string, dryRun, yes, asJSON bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	all, err := client.Enrolments(ctx)
	if err != nil {
		return err
	}
	ready, err := readyToSwitch(all, names)
	if err != nil {
		return err
	}
	if len(ready) == 0 {
		return p.printSwitched(ready, nil, dryRun, asJSON)
	}
	set, err := client.Set(ctx)
	if err != nil {
		return err
	}
	objects, err := switchToCertificates(set, ready)
	if err != nil {
		return err
	}
	if !dryRun {
		fmt.Fprintf(p.err, "to log in by certificate alone from now on: %s\n", strings.Join(ready, ", "))
		if err := p.confirm(yes); err != nil {
			return err
		}
	}
	changes, err := client.Apply(ctx, objects, catalog.Options{DryRun: dryRun}, control.ExpectAny)
	if err != nil {
		return err
	}
	return p.printSwitched(ready, changes.Created, dryRun, asJSON)
}

// readyToSwitch are the phones that have proved their certificate and do not log in by it.
func readyToSwitch(all []control.Enrolment, names []string) (ready []string, err error) {
	for _, e := range all {
		if len(names) > 0 && !slices.Contains(names, e.Phone) {
			continue
		}
		proved := e.State == "proved" && e.Login != ""
		switch {
		case proved && e.Login != string(inventory.ByCertificate):
			ready = append(ready, e.Phone)
		case len(names) > 0 && !proved:
			return nil, notWell(fmt.Errorf("%s has not shown a certificate, so it would be locked out", e.Phone), "longcord certs enroll status "+e.Phone)
		}
	}
	return ready, nil
}

func (p *program) printSwitched(ready []string, made []catalog.Ref, dryRun, asJSON bool) error {
	if asJSON {
		created := []string{}
		for _, ref := range made {
			created = append(created, string(ref.Kind)+"/"+ref.Name)
		}
		return p.printJSON(map[string]any{"schema": 1, "dry_run": dryRun, "phones": append([]string{}, ready...), "created": created})
	}
	verb := "switched"
	if dryRun {
		verb = "would be switched"
	}
	fmt.Fprintf(p.out, "%s to certificates: %d phones\n", verb, len(ready))
	for _, ref := range made {
		fmt.Fprintf(p.out, "  new: %s %s\n", ref.Kind, ref.Name)
	}
	for _, name := range ready {
		fmt.Fprintf(p.out, "  %s\n", name)
	}
	return nil
}

// lscSuffix marks what is made for phones with a certificate.
const lscSuffix = "-lsc"

// switching collects what has to be applied.
type switching struct {
	set     *inventory.Set
	made    map[string]bool // kind and name
	objects []inventory.Object
}

// switchToCertificates returns what has to be applied for phones to log in by certificate.
func switchToCertificates(set *inventory.Set, devices []string) ([]inventory.Object, error) {
	s := &switching{set: set, made: map[string]bool{}}
	for _, name := range devices {
		device := *set.Devices[name]
		profile, err := s.profile(device.CommonPhoneProfile)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		device.CommonPhoneProfile = profile
		s.objects = append(s.objects, &device)
	}
	return s.objects, nil
}

// add takes an object in, unless the inventory has it already.
func (s *switching) add(o inventory.Object, there bool) {
	key := string(o.Kind()) + "/" + o.ObjectName()
	if !there && !s.made[key] {
		s.made[key] = true
		s.objects = append(s.objects, o)
	}
}

// profile makes the profile of phones with a certificate out of the one without.
func (s *switching) profile(name string) (string, error) {
	old, ok := s.set.CommonPhoneProfiles[name]
	if !ok {
		return "", errors.New("its file has no VPN")
	}
	next := *old
	next.Name = old.Name + lscSuffix
	if _, there := s.set.CommonPhoneProfiles[next.Name]; there {
		return next.Name, nil
	}
	var err error
	if next.VPNGroup, err = s.group(old.VPNGroup); err != nil {
		return "", err
	}
	vpn := inventory.VPNProfile{Name: next.Name}
	if before, ok := s.set.VPNProfiles[old.VPNProfile]; ok {
		vpn = *before
		vpn.Name = before.Name + lscSuffix
	}
	vpn.ClientAuthentication, vpn.PasswordPersistence = inventory.ByCertificate, nil
	next.VPNProfile = vpn.Name
	s.add(&vpn, s.set.VPNProfiles[vpn.Name] != nil)
	s.add(&next, false)
	return next.Name, nil
}

func (s *switching) group(name string) (string, error) {
	old, ok := s.set.VPNGroups[name]
	if !ok {
		return "", fmt.Errorf("there is no VPNGroup %q", name)
	}
	next := *old
	next.Name, next.Gateways = old.Name+lscSuffix, nil
	for _, gateway := range old.Gateways {
		made, err := s.gateway(gateway)
		if err != nil {
			return "", err
		}
		next.Gateways = append(next.Gateways, made)
	}
	s.add(&next, s.set.VPNGroups[next.Name] != nil)
	return next.Name, nil
}

// gateway makes the URL at which certificates are taken, and the tunnel group behind it.
func (s *switching) gateway(name string) (string, error) {
	old, ok := s.set.VPNGateways[name]
	if !ok {
		return "", fmt.Errorf("there is no VPNGateway %q", name)
	}
	for _, groupName := range slices.Sorted(maps.Keys(s.set.TunnelGroups)) {
		group := s.set.TunnelGroups[groupName]
		if !slices.Contains(group.GroupURLs, old.URL) {
			continue
		}
		next := *old
		next.Name = old.Name + lscSuffix
		var err error
		if next.URL, err = lscURL(old.URL); err != nil {
			return "", err
		}
		s.tunnelGroup(group, next.URL)
		s.add(&next, s.set.VPNGateways[next.Name] != nil)
		return next.Name, nil
	}
	return "", fmt.Errorf("%s is no URL of a TunnelGroup here: the gateway is somebody else's, and has to take certificates first", old.URL)
}

func (s *switching) tunnelGroup(old *inventory.TunnelGroup, url string) {
	next := *old
	next.Name, next.GroupURLs, next.GroupAliases = old.Name+lscSuffix, []string{url}, nil
	next.Authentication, next.SecondaryAuthentication = inventory.AuthenticateCertificate, ""
	next.CertificateAuthorities = []string{s.authority()}
	s.add(&next, s.set.TunnelGroups[next.Name] != nil)
}

// authority is the CertificateAuthority that stands for this house's own.
func (s *switching) authority() string {
	for _, name := range slices.Sorted(maps.Keys(s.set.CertificateAuthorities)) {
		if s.set.CertificateAuthorities[name].Own {
			return name
		}
	}
	s.add(&inventory.CertificateAuthority{Name: "LSC", Own: true}, false)
	return "LSC"
}

// lscURL is a URL with the suffix behind its path.
func lscURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil {
		return "", err
	}
	if u.Path == "" || u.Path == "/" {
		u.Path = "/phones"
	}
	u.Path = strings.TrimSuffix(u.Path, "/") + lscSuffix
	return u.String(), nil
}
