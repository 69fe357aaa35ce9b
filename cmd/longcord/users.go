package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/login"
)

func (p *program) usersCommand() *cobra.Command {
	c := &cobra.Command{Use: "users", Short: "Logins of the VPN"}
	c.AddCommand(p.usersAddCommand(), p.usersImportCommand(), p.usersPasswdCommand(), p.usersSetCommand(), p.usersRemoveCommand(), p.usersListCommand(),
		p.blockCommand(inventory.KindUser, "NAME", "user"), p.unblockCommand(inventory.KindUser, "NAME", "user"))
	return c
}

func (p *program) usersAddCommand() *cobra.Command {
	var user inventory.User
	var fromStdin, codes bool
	c := &cobra.Command{
		Use:   "add NAME --password-stdin",
		Short: "Add a user",
		Long: `Adds a user who may log in to the VPN. Without --group-lock a user may use every
tunnel group that is not for phones and, with --device, that device's group.

A small set-up needs neither: where there is one tunnel group for phones, every user
may use it until some user gets a lock.

--totp makes a key of one-time codes, for tunnel groups with secondaryAuthentication, and
prints it once: type it, or the URL as a QR code, into the user's app.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			if user.Password, err = p.password(fromStdin); err != nil {
				return err
			}
			user.Name = args[0]
			if codes {
				user.TOTPSecret = login.NewTOTPSecret()
			}
			if err := p.applyUsers(c.Context(), []inventory.Object{&user}, control.ExpectNew); err != nil {
				return err
			}
			return p.printCodes(c.Context(), &user)
		},
	}
	passwordFlag(c, &fromStdin)
	c.Flags().BoolVar(&codes, "totp", false, "make a key of one-time codes and print it")
	c.Flags().StringVar(&user.GroupLock, "group-lock", "", "the one `TUNNELGROUP` this user may use")
	c.Flags().StringSliceVar(&user.Devices, "device", nil, "a `SEP…` that this user's sessions belong to; may be given again")
	return c
}

func passwordFlag(c *cobra.Command, fromStdin *bool) {
	c.Flags().BoolVar(fromStdin, "password-stdin", false, "read the password from standard input")
}

// applyUsers applies user objects and says what happened to them.
func (p *program) applyUsers(ctx context.Context, users []inventory.Object, expect control.Expectation) error {
	client, err := p.client()
	if err != nil {
		return err
	}
	changes, err := client.Apply(ctx, users, catalog.Options{}, expect)
	if err != nil {
		return err
	}
	return p.printChanges(changes, false, false)
}

func (p *program) usersImportCommand() *cobra.Command {
	var dryRun bool
	c := &cobra.Command{
		Use:   "import FILE",
		Short: "Add users from a file: name:password, ocpasswd, or an ASA's configuration",
		Long: `Reads one user a line: name:password, name:{ARGON2ID}…, ocpasswd's name:group:hash, or
the username lines of an ASA with pbkdf2. Foreign hashes are verified as they are and
renewed at the first login. If one name exists already, nothing is imported.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			users, err := p.usersOf(args[0])
			if err != nil {
				return err
			}
			client, err := p.client()
			if err != nil {
				return err
			}
			changes, err := client.Apply(c.Context(), users, catalog.Options{DryRun: dryRun}, control.ExpectNew)
			if err != nil {
				return err
			}
			return p.printChanges(changes, dryRun, false)
		},
	}
	c.Flags().BoolVar(&dryRun, "dry-run", false, "say what would happen, and change nothing")
	return c
}

func (p *program) usersOf(name string) ([]inventory.Object, error) {
	text, err := p.readFile(name)
	if err != nil {
		return nil, usage(err)
	}
	imported, err := login.ParseUsersFile(bytes.NewReader(text))
	if err != nil {
		return nil, usage(fmt.Errorf("%s: %w", name, err), "longcord users import --help")
	}
	if len(imported) == 0 {
		return nil, usage(fmt.Errorf("%s is empty: it holds no user", name), "longcord users import --help")
	}
	users := make([]inventory.Object, len(imported))
	for i := range imported {
		users[i] = &imported[i].User
	}
	return users, nil
}

func (p *program) usersPasswdCommand() *cobra.Command {
	var fromStdin, codes, noCodes bool
	c := &cobra.Command{
		Use:   "passwd NAME [--password-stdin] [--totp | --no-totp]",
		Short: "Change a user's password or key of one-time codes",
		Long: `Gives a user a new password, a new key of one-time codes, or both. What is not named
stays as it was. A new password counts at once, also for a user whose logins are put off
after too many failures.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) (err error) {
			var password secret.String
			if fromStdin || !codes && !noCodes {
				if password, err = p.password(fromStdin); err != nil {
					return err
				}
			}
			user, err := p.userCalled(c.Context(), args[0])
			if err != nil {
				return err
			}
			user.Password = password
			switch {
			case codes:
				user.TOTPSecret = login.NewTOTPSecret()
			case noCodes:
				user.TOTPSecret = secret.New(inventory.NoTOTP)
			}
			if err := p.applyUsers(c.Context(), []inventory.Object{user}, control.ExpectExisting); err != nil || !codes {
				return err
			}
			return p.printCodes(c.Context(), user)
		},
	}
	passwordFlag(c, &fromStdin)
	c.Flags().BoolVar(&codes, "totp", false, "make a new key of one-time codes and print it")
	c.Flags().BoolVar(&noCodes, "no-totp", false, "take the key of one-time codes away")
	c.MarkFlagsMutuallyExclusive("totp", "no-totp")
	return c
}

func (p *program) usersSetCommand() *cobra.Command {
	var add, drop []string
	c := &cobra.Command{
		Use:   "set NAME [--device SEP…] [--no-device SEP…]",
		Short: "Say which phones a user's sessions belong to",
		Long: `Says which phones are a user's. A session gets the files of its user's phones and no
others, and none at all while its user has no phone. It counts at once, for sessions that
are up as well. Password, group lock and other phones stay as they were.`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(add)+len(drop) == 0 {
				return usage(errors.New("nothing to set"), "name a phone with --device or --no-device")
			}
			user, err := p.userCalled(c.Context(), args[0])
			if err != nil {
				return err
			}
			for _, device := range drop {
				if !slices.Contains(user.Devices, device) {
					return usage(fmt.Errorf("%s is no phone of %s", device, user.Name), "longcord users list")
				}
			}
			for _, device := range add {
				if !slices.Contains(user.Devices, device) {
					user.Devices = append(user.Devices, device)
				}
			}
			user.Devices = slices.DeleteFunc(user.Devices, func(device string) bool { return slices.Contains(drop, device) })
			return p.applyUsers(c.Context(), []inventory.Object{user}, control.ExpectExisting)
		},
	}
	c.Flags().StringSliceVar(&add, "device", nil, "a `SEP…` that this user's sessions belong to; may be given again")
	c.Flags().StringSliceVar(&drop, "no-device", nil, "a `SEP…` that is not this user's any more")
	return c
}

// userCalled returns a user of the running system, without its secrets.
func (p *program) userCalled(ctx context.Context, name string) (*inventory.User, error) {
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	set, err := client.Set(ctx)
	if err != nil {
		return nil, err
	}
	user, ok := set.Users[name]
	if !ok {
		return nil, usage(fmt.Errorf("there is no User %q", name), "longcord users list")
	}
	return user, nil
}

// printCodes prints a user's new key of one-time codes, if there is one. It cannot be had again.
func (p *program) printCodes(ctx context.Context, user *inventory.User) error {
	if user.TOTPSecret.IsZero() {
		return nil
	}
	client, err := p.client()
	if err != nil {
		return err
	}
	set, err := client.Set(ctx)
	if err != nil {
		return err
	}
	fmt.Fprintf(p.out, "key: %s\nurl: %s\n", user.TOTPSecret.Reveal(), login.TOTPURL(issuerOf(set), user.Name, user.TOTPSecret))
	return nil
}

// issuerOf is what apps list our codes under: the gateway's host, as group URLs have it.
func issuerOf(set *inventory.Set) string {
	for _, name := range slices.Sorted(maps.Keys(set.TunnelGroups)) {
		for _, groupURL := range set.TunnelGroups[name].GroupURLs {
			if u, err := url.Parse(groupURL); err == nil && u.Hostname() != "" {
				return u.Hostname()
			}
		}
	}
	return "Longcord"
}

func (p *program) usersRemoveCommand() *cobra.Command {
	var dryRun, yes bool
	c := &cobra.Command{
		Use:   "remove NAME",
		Short: "Remove a user",
		Args:  cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			return p.deleteObjects(c.Context(), []catalog.Ref{{Kind: inventory.KindUser, Name: args[0]}}, dryRun, yes)
		},
	}
	changeFlags(c, &dryRun, &yes)
	return c
}

// listedUser is a user as lists show it.
type listedUser struct {
	Name      string   `json:"name"`
	Devices   []string `json:"devices"`
	GroupLock string   `json:"group_lock,omitempty"`
}

func (p *program) usersListCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "list",
		Short: "List the users",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			client, err := p.client()
			if err != nil {
				return err
			}
			set, err := client.Set(c.Context())
			if err != nil {
				return err
			}
			users := []listedUser{}
			var rows [][]string
			for _, name := range slices.Sorted(maps.Keys(set.Users)) {
				user := set.Users[name]
				users = append(users, listedUser{name, append([]string{}, user.Devices...), user.GroupLock})
				rows = append(rows, []string{name, strings.Join(user.Devices, ","), user.GroupLock})
			}
			if asJSON {
				return p.printJSON(map[string]any{"schema": 1, "users": users})
			}
			return p.table([]string{"NAME", "DEVICES", "GROUP LOCK"}, rows)
		},
	}
	jsonFlag(c, &asJSON)
	return c
}
