package main

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
)

// pilotSuffix names the profile of the phone that tries signing first.
const pilotSuffix = "-signed"

func (p *program) trustEnableCommand() *cobra.Command {
	var phone string
	var yes, dryRun, force bool
	c := &cobra.Command{
		Use:   "enable PROFILE",
		Short: "Turn on trust lists and signed files, for one phone and then for all",
		Long: `Turns on securityByDefault of a common phone profile. A phone that has a trust list
takes no file that is not signed, and no other list than one that a signer it knows has
signed: it follows this system and no other from then on. So one phone goes first:

  longcord trust enable PROFILE --phone SEP…   that phone alone, by a profile of its own
  longcord trust enable PROFILE                all phones of the profile, when it has gone well

Before anything changes, TVS is asked at every address that the phones' files name; with
a TVS that does not answer nothing is turned on. Back goes "longcord trust disable".`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.enableTrust(c.Context(), enabling{args[0], phone, yes, dryRun, force})
		},
	}
	c.Flags().StringVar(&phone, "phone", "", "only this phone, `SEP…`")
	c.Flags().BoolVar(&force, "force", false, "all phones, although none has gone first")
	changeFlags(c, &dryRun, &yes)
	return c
}

// enabling is what the command was told.
type enabling struct {
	profile, phone     string
	yes, dryRun, force bool
}

func (p *program) enableTrust(ctx context.Context, e enabling) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	set, err := client.Set(ctx)
	if err != nil {
		return err
	}
	profile, ok := set.CommonPhoneProfiles[e.profile]
	if !ok {
		return usage(fmt.Errorf("there is no common phone profile %q", e.profile), "longcord get CommonPhoneProfile")
	}
	objects, devices, err := e.objects(set, profile)
	if err != nil {
		return err
	}
	if err := p.checkTVS(ctx, client, devices); err != nil {
		return err
	}
	if e.phone == "" && !e.force {
		if err := p.pilotWentWell(ctx, client, set, e.profile); err != nil {
			return err
		}
	}
	fmt.Fprintf(p.out, "%s: from its next start it believes this system's lists and takes signed files only\n", strings.Join(devices, ", "))
	if !e.dryRun {
		if err := p.confirm(e.yes); err != nil {
			return err
		}
	}
	changes, err := client.Apply(ctx, objects, catalog.Options{DryRun: e.dryRun}, control.ExpectAny)
	if err != nil {
		return err
	}
	if e.phone == "" {
		if err := dropPilot(ctx, client, set, e.profile, e.dryRun, &changes); err != nil {
			return err
		}
	}
	if err := p.printChanges(changes, e.dryRun, false); err != nil {
		return err
	}
	if !e.dryRun && e.phone != "" {
		fmt.Fprintf(p.out, "start the phone anew; when \"longcord trust show\" does not name it any more, go on with: longcord trust enable %s\n", e.profile)
	}
	return nil
}

// objects are what has to be applied, and the phones that this concerns.
func (e enabling) objects(set *inventory.Set, profile *inventory.CommonPhoneProfile) ([]inventory.Object, []string, error) {
	on := *profile
	on.SecurityByDefault = inventory.SecurityOn
	if e.phone != "" {
		device, ok := set.Devices[e.phone]
		if !ok || device.CommonPhoneProfile != e.profile && device.CommonPhoneProfile != e.profile+pilotSuffix {
			return nil, nil, usage(fmt.Errorf("there is no device %q with profile %q", e.phone, e.profile), "longcord phones list")
		}
		on.Name += pilotSuffix
		moved := *device
		moved.CommonPhoneProfile = on.Name
		return []inventory.Object{&on, &moved}, []string{e.phone}, nil
	}
	objects := []inventory.Object{&on}
	devices := devicesOf(set, e.profile)
	for _, name := range devicesOf(set, e.profile+pilotSuffix) {
		moved := *set.Devices[name]
		moved.CommonPhoneProfile = e.profile
		objects, devices = append(objects, &moved), append(devices, name)
	}
	if len(devices) == 0 {
		return nil, nil, usage(fmt.Errorf("no device has profile %q", e.profile), "longcord phones list")
	}
	return objects, devices, nil
}

// dropPilot deletes the profile of the phone that went first, which nobody has any more: who adds a phone would have to
// choose between the two.
func dropPilot(ctx context.Context, client *control.Client, set *inventory.Set, profile string, dryRun bool, changes *catalog.Changes) error {
	pilot := catalog.Ref{Kind: inventory.KindCommonPhoneProfile, Name: profile + pilotSuffix}
	if set.CommonPhoneProfiles[pilot.Name] == nil {
		return nil
	}
	if !dryRun { // before, the phone has it still
		if _, err := client.Delete(ctx, []catalog.Ref{pilot}, false); err != nil {
			return err
		}
	}
	changes.Deleted = append(changes.Deleted, pilot)
	return nil
}

// devicesOf are the devices with a profile, in order.
func devicesOf(set *inventory.Set, profile string) []string {
	return slices.DeleteFunc(slices.Sorted(maps.Keys(set.Devices)), func(name string) bool { return set.Devices[name].CommonPhoneProfile != profile })
}

// checkTVS refuses to go on unless TVS answers at every address that the phones' files name.
func (p *program) checkTVS(ctx context.Context, client *control.Client, devices []string) error {
	checks, err := client.CheckTVS(ctx, devices)
	if err != nil {
		return err
	}
	var bad []string
	for _, check := range checks {
		if check.Problem == "" {
			fmt.Fprintf(p.out, "TVS answers at %s, which the files of %d phones name\n", check.Address, len(check.Devices))
			continue
		}
		bad = append(bad, fmt.Sprintf("%s (%d phones): %s", check.Address, len(check.Devices), check.Problem))
	}
	if len(bad) > 0 {
		return notWell(fmt.Errorf("TVS does not answer as phones need it; nothing was changed\n  %s", strings.Join(bad, "\n  ")),
			"TVS is what saves a phone that meets a key it does not know: let it run first, and let phones reach TCP 2445")
	}
	return nil
}

// pilotWentWell looks whether a phone has taken its list already.
func (p *program) pilotWentWell(ctx context.Context, client *control.Client, set *inventory.Set, profile string) error {
	status, err := client.Trust(ctx)
	if err != nil {
		return err
	}
	for name, device := range set.Devices {
		ours := device.CommonPhoneProfile == profile || device.CommonPhoneProfile == profile+pilotSuffix
		if ours && set.SecurityFor(device).ITL && !slices.Contains(status.Behind, name) && !slices.Contains(status.Without, name) {
			return nil
		}
	}
	return notWell(errors.New("no phone of this profile has taken a trust list yet; nothing was changed"),
		fmt.Sprintf("let one go first: longcord trust enable %s --phone SEP…, and start it anew", profile), "or give --force")
}

func (p *program) trustDisableCommand() *cobra.Command {
	var yes, dryRun, force bool
	c := &cobra.Command{
		Use:   "disable PROFILE",
		Short: "Take trust lists and signed files away again, in two steps",
		Long: `Phones that hold a list take no plain file. So they are first given lists that name no
file server (rollback), after which they ask for plain files. When all phones of the
profile have fetched theirs, the same command turns lists off. Phones keep that last
list, and take another only from a signer that it names.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.disableTrust(c.Context(), args[0], yes, dryRun, force)
		},
	}
	forceFlag(c, &force)
	changeFlags(c, &dryRun, &yes)
	return c
}

func (p *program) disableTrust(ctx context.Context, name string, yes, dryRun, force bool) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	set, err := client.Set(ctx)
	if err != nil {
		return err
	}
	profile, ok := set.CommonPhoneProfiles[name]
	if !ok {
		return usage(fmt.Errorf("there is no common phone profile %q", name), "longcord get CommonPhoneProfile")
	}
	changed := *profile
	objects, base := []inventory.Object{&changed}, ""
	switch profile.SecurityByDefault {
	case inventory.SecurityOn:
		changed.SecurityByDefault, changed.TFTPEncryptedConfig = inventory.SecurityRollback, false
		fmt.Fprintf(p.out, "phones are given lists that name no file server, and ask for plain files after that\n"+
			"next: have them start anew (longcord phones restart --all), and when each has fetched its list, the same command again\n")
	case inventory.SecurityRollback:
		status, err := client.Trust(ctx)
		if err != nil {
			return err
		}
		late := slices.DeleteFunc(devicesOf(set, name), func(d string) bool { return !slices.Contains(status.Behind, d) })
		if len(late) > 0 && !force {
			return notWell(fmt.Errorf("these phones have not fetched the list that leads back to plain files: %s", strings.Join(late, ", ")),
				"start them anew, wait for those that are away, or give --force and cure them by hand")
		}
		changed.SecurityByDefault, changed.ClusterSecurityMode = inventory.SecurityOff, inventory.NonSecure
		fmt.Fprintln(p.out, "no more lists are given to phones of this profile")
		fmt.Fprintln(p.out, "phones keep their last list, which names no CAPF: they cannot enrol until it is turned on again, or their lists are erased")
		if base = baseOf(set, name); base != "" { // nobody goes first any more
			objects = nil
			for _, device := range devicesOf(set, name) {
				moved := *set.Devices[device]
				moved.CommonPhoneProfile = base
				objects = append(objects, &moved)
			}
		}
	default:
		return usage(fmt.Errorf("profile %q gives phones no trust lists", name))
	}
	if !dryRun {
		if err := p.confirm(yes); err != nil {
			return err
		}
	}
	var changes catalog.Changes
	if len(objects) > 0 {
		if changes, err = client.Apply(ctx, objects, catalog.Options{DryRun: dryRun}, control.ExpectExisting); err != nil {
			return err
		}
	}
	if base != "" {
		if err := dropPilot(ctx, client, set, base, dryRun, &changes); err != nil {
			return err
		}
	}
	return p.printChanges(changes, dryRun, false)
}

// baseOf is the profile from which the phone that goes first was taken and that gives no lists either, by the name of
// its own profile; empty: there is none.
func baseOf(set *inventory.Set, pilot string) string {
	name, ok := strings.CutSuffix(pilot, pilotSuffix)
	base := set.CommonPhoneProfiles[name]
	if !ok || base == nil || base.SecurityByDefault == inventory.SecurityOn || base.SecurityByDefault == inventory.SecurityRollback {
		return ""
	}
	return name
}
