package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/callmanager"
	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/gateway"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/syslog"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
	"github.com/longcord/longcord/login"
	"github.com/longcord/longcord/provisioner"
	"github.com/longcord/longcord/provisioner/door"
	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/sqlite"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/trust/acme"
	"github.com/longcord/longcord/trust/lsc"
	"github.com/longcord/longcord/trust/rollover"
	"github.com/longcord/longcord/tun"
)

// system is the running system: its store, its catalog and its parts.
type system struct {
	settings config.Config
	log      *slog.Logger
	began    time.Time
	ready    atomic.Bool

	store       store.Store
	catalog     *catalog.Catalog
	authority   *trust.Authority
	strangers   *strangers
	control     *control.Server
	provisioner *provisioner.Provisioner // nil: not run
	trustServer *provisioner.TrustServer // likewise
	door        *door.Keeper             // nil: nobody can be invited
	gateway     *gateway.Gateway         // nil: not run
	callmanager *callmanager.Manager     // likewise
	accounts    *login.Accounts          // likewise
	rollover    *rollover.Keeper
	keys        *keyTeller   // where a PBX has the phones
	issuer      *acme.Issuer // nil: certificates are made here
	routing     *gateway.Routing
	keyLog      *os.File
	listening   []string
	findings    *finding.Board
	syslog      *syslog.Sender // nil: nobody wants it

	phoneCertificates *lsc.Book
	backups           *backups
}

// openSystem opens the store and makes the parts; no port is open yet. An empty store is filled from the
// inventory file.
func openSystem(ctx context.Context, settings config.Config, parts []string, logTo io.Writer) (*system, error) {
	s := &system{settings: settings, began: time.Now(), findings: finding.NewBoard()}
	s.log = slog.New(slog.NewTextHandler(logTo, &slog.HandlerOptions{Level: settings.LogLevel.Level(), ReplaceAttr: nameTrace}))
	if err := s.prepare(ctx, parts); err != nil {
		return nil, errors.Join(err, s.close())
	}
	return s, nil
}

// nameTrace writes the level trace by its name, as the configuration file does.
func nameTrace(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.LevelKey && a.Value.Any() == logging.LevelTrace {
		a.Value = slog.StringValue("TRACE")
	}
	return a
}

func (s *system) prepare(ctx context.Context, parts []string) (err error) {
	if err := s.openCatalog(ctx); err != nil {
		return err
	}
	s.strangers = newStrangers(s.catalog.Current, s.findings)
	s.backups = newBackups(s.store, s.findings, s.setUp)
	if err := s.openKeyLog(); err != nil {
		return err
	}
	if err := s.makeParts(parts); err != nil {
		if hinted := (*failure)(nil); errors.As(err, &hinted) {
			return err
		}
		return usage(err)
	}
	if err := s.openRollover(ctx); err != nil {
		return err
	}
	s.control, err = control.New(control.Config{
		Socket: s.settings.Socket, Catalog: s.catalog,
		Status: s.status, Sessions: s.sessions(), Registrations: s.registrations, Deliveries: s.deliveries, Strangers: s.strangers.list,
		Invitations: s.invitations(), Fitness: s.fitness, Findings: s.findings, Log: s.log,
		Certificates: s.certificates, Rollovers: s.rollover, Enrolments: s.enrolments(), Impact: s.impact,
		Trust: s.trust(), Stamps: s.stamps, Teller: s.teller(), Live: s.live, Exported: s.exported,
	})
	return err
}

func (s *system) openCatalog(ctx context.Context) error {
	sealer, err := loadKey(s.settings)
	if err != nil {
		return err
	}
	if s.store, err = sqlite.Open(s.settings.Database()); err != nil {
		return notWell(err, "one longcord serves a state folder: end the other, or name another folder with state:",
			"if no other runs, put the folder back from a backup")
	}
	s.catalog, err = catalog.Open(ctx, catalog.Config{
		Store: s.store, Sealer: sealer, HashPassword: login.HashPassword, VerifyPassword: login.VerifyPassword,
	})
	if errors.Is(err, trust.ErrSealed) {
		return usage(fmt.Errorf("%s does not fit the store %s: %w", s.settings.MasterKey(), s.settings.Database(), err),
			"restore the master.key that belongs to this store, or the store that belongs to this master.key",
			"if both are lost, move the store away: the next start makes one from the inventory file, and users have to be added again")
	}
	if err != nil {
		return err
	}
	s.authority, err = trust.OpenAuthority(ctx, trust.AuthorityConfig{Store: s.store, Sealer: sealer, Address: s.settings.Inside, Findings: s.findings})
	if err != nil {
		return err
	}
	if err := s.openBook(ctx, sealer); err != nil {
		return err
	}
	if err := s.openACME(ctx, sealer); err != nil {
		return err
	}
	return s.fill(ctx)
}

// loadKey reads the master key. What LoadKey itself refuses says what to do in its own words.
func loadKey(settings config.Config) (*trust.Sealer, error) {
	sealer, err := trust.LoadKey(settings.MasterKey())
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, usage(err, "state in "+config.DefaultName+" names the folder that holds master.key",
			"longcord init makes one; restore yours from where you keep it")
	case errors.Is(err, fs.ErrPermission):
		return nil, usage(err, "run this as its owner, or as root")
	case err != nil:
		return nil, usage(err)
	}
	return sealer, nil
}

// fill takes the inventory file into an empty store; into another it only looks whether they differ.
func (s *system) fill(ctx context.Context) error {
	declared, err := file.Read(s.settings.Inventory)
	if err != nil {
		if len(s.catalog.Current().Objects()) > 0 {
			s.log.Warn("inventory file cannot be read; the store's inventory stays in force", "file", s.settings.Inventory)
			return nil
		}
		return usage(err)
	}
	if len(s.catalog.Current().Objects()) == 0 {
		if _, err := declared.Set(); err != nil {
			return usage(err)
		}
		_, err := s.catalog.Apply(ctx, declared.Objects, catalog.Options{})
		return err
	}
	changes, err := s.catalog.Apply(ctx, declared.Objects, catalog.Options{DryRun: true})
	if err == nil && !changes.Empty() {
		s.log.Warn("inventory file and store differ; the store is in force", "apply_with", "longcord apply -f "+s.settings.Inventory,
			"created", len(changes.Created), "changed", len(changes.Changed))
	}
	return nil
}

// openKeyLog honours SSLKEYLOGFILE, as other programs do: whoever sets it wants to read captures.
func (s *system) openKeyLog() (err error) {
	s.keyLog, err = openKeyLog()
	if s.keyLog != nil {
		s.log.Warn("session keys are written to a file", "file", s.keyLog.Name())
	}
	return err
}

func openKeyLog() (*os.File, error) {
	path := os.Getenv("SSLKEYLOGFILE")
	if path == "" {
		return nil, nil
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
}

func (s *system) makeParts(parts []string) (err error) {
	if slices.Contains(parts, partProvisioner) {
		s.provisioner, err = provisioner.New(s.provisionerConfig())
		if err != nil {
			return err
		}
		if err := s.makeTrustServer(); err != nil {
			return err
		}
	}
	if slices.Contains(parts, partGateway) {
		if err := errors.Join(s.makeDoor(), s.makeGateway()); err != nil {
			return err
		}
	}
	if slices.Contains(parts, partCallManager) && s.settings.Calls.Mode == config.Own {
		s.callmanager, err = callmanager.New(callmanager.Config{
			Settings: callmanager.Settings{Listen: s.settings.Inside}, Inventory: s.catalog.Current, Store: s.store, Log: s.log,
			Behind:     s.behind,
			Tunnel:     s.phonesOfTunnel(),
			Registered: s.registrationBegan,
			Findings:   s.findings,
			Unknown: func(device string, peer netip.AddrPort, line, agent string) {
				what := "registration of line " + line
				if line == "" {
					what = askedBySCCP
				}
				s.strangers.met(device, peer, what, agent)
			},
		})
	}
	if s.provisioner != nil && s.settings.Calls.Mode == config.Aside {
		s.keys = s.newKeyTeller()
	}
	return err
}

func (s *system) makeGateway() error {
	logins := login.Config{
		Users: s.catalog.Current, Renew: s.catalog.RenewPasswordHash, Store: s.store, Findings: s.findings, Logger: s.log,
	}
	users, err := login.New(logins)
	if err != nil {
		return err
	}
	s.accounts = login.NewAccounts(logins, func() []login.Session { return s.gateway.Accounts() })
	sockets, err := passedSockets()
	if err != nil {
		return err
	}
	c := gateway.Config{
		Settings: gateway.Settings{
			Listen: netip.AddrPortFrom(s.settings.Outside, s.settings.Gateway.Port),
			DTLS:   netip.AddrPortFrom(s.settings.Outside, dtlsPort),
			TUN:    s.settings.Gateway.TUN, Inside: s.settings.Inside, BatchDelay: s.settings.Gateway.BatchDelay.Duration,
			AllowCapture: s.settings.Gateway.AllowCapture,
			MorePorts:    s.settings.Gateway.MorePorts,
			Outside6:     s.settings.Outside6, ProxyProtocol: s.settings.Gateway.ProxyProtocol, Tunneled: s.settings.Gateway.TunneledDefaultRoute,
		},
		Inventory: s.catalog.Current, Login: users, Accounting: s.accounts, Store: s.store, OpenTUN: tun.Open, Findings: s.findings, Log: s.log,
		Sockets: sockets, Busy: s.inCall, Mistrusted: s.mistrusted, Challenge: s.challenge, Own: s.phoneCertificates.Authority, Seen: s.sawCertificate,
		Route: func(c gateway.RoutingConfig) (gateway.Router, error) {
			routing, err := gateway.OpenRouting(c)
			if err != nil {
				return nil, err
			}
			s.routing = routing
			return routing, nil
		},
	}
	if s.keyLog != nil {
		c.KeyLog = s.keyLog
	}
	if s.door != nil {
		c.Door = s.door
	}
	if err := s.makeSyslog(); err != nil {
		return err
	}
	if s.syslog != nil {
		c.Syslog = s.syslog
	}
	s.gateway, err = gateway.New(c)
	return err
}

// makeSyslog makes the second log, for collectors that know the ASA's.
func (s *system) makeSyslog() error {
	to := s.settings.Gateway.Syslog
	if to.Server == "" {
		return nil
	}
	host, err := os.Hostname()
	if err != nil {
		return err
	}
	s.syslog, err = syslog.New(syslog.Config{Server: to.Server, Protocol: to.Protocol, Facility: to.Facility, Host: host, Log: s.log})
	return err
}

// dtlsPort is where phones send DTLS, whatever they are told.
const dtlsPort = 443

// part is what runs.
type part struct {
	name  string
	serve func(context.Context) error
}

// run opens everything, the control socket first, and runs it until ctx ends or a part fails. onReady is
// called when all ports are open.
func (s *system) run(ctx context.Context, onReady func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var running sync.WaitGroup
	var mu sync.Mutex
	var failures []error
	start := func(p part) {
		running.Go(func() {
			err := p.serve(ctx)
			if err != nil && !errors.Is(err, context.Canceled) {
				mu.Lock()
				failures = append(failures, fmt.Errorf("%s: %w", p.name, err))
				mu.Unlock()
			}
			cancel(nil)
		})
	}
	err := s.open(ctx, start)
	if err == nil {
		s.ready.Store(true)
		err = onReady()
	}
	if err != nil {
		cancel(nil)
	}
	<-ctx.Done()
	running.Wait()
	return errors.Join(append([]error{err}, failures...)...)
}

// open takes one port after another and starts what listens there.
func (s *system) open(ctx context.Context, start func(part)) error {
	if err := s.control.Open(); err != nil {
		return usage(err, "socket in "+config.DefaultName+" names a place in a folder that is there, for this system alone")
	}
	start(part{"control", s.control.Serve})
	start(part{"inventory", s.catalog.Run})
	start(part{"certificates", s.rollover.Run})
	if s.issuer != nil {
		start(part{"acme", s.rollover.RunRenewal})
	}
	signals := listenForSignals()
	start(part{"signals", func(ctx context.Context) error { return s.obey(ctx, signals) }})
	if s.syslog != nil {
		start(part{"syslog", s.syslog.Serve})
	}
	if p := s.provisioner; p != nil {
		if err := p.Open(); err != nil {
			return notOpened(err)
		}
		s.listens("files udp %s:69", "files tcp %s:6970", s.settings.Inside)
		s.listens("", "files tcp %s:6971", s.settings.Inside)
		if err := s.trustServer.Open(); err != nil {
			return notOpened(err)
		}
		start(part{"trust", s.trustServer.Serve})
		s.listens("trust tcp %s:2445", "enrolment tcp %s:3804", s.settings.Inside)
	}
	if s.door != nil {
		start(part{"door", s.door.Serve})
	}
	start(part{"certificates", s.watchCertificates})
	start(part{"keys of the house", s.authority.Run})
	start(part{"clock", s.watchClock})
	start(part{"backup", s.watchBackup})
	if g := s.gateway; g != nil {
		start(part{"accounts", s.accounts.Run})
		if err := g.Open(ctx); err != nil {
			return notOpened(err)
		}
		start(part{partGateway, g.Serve})
		start(part{"way back", s.watchWayBack})
		for _, address := range g.Listening() {
			s.listening = append(s.listening, "gateway "+address)
		}
	}
	if p := s.provisioner; p != nil { // only now: the gateway, which it asks who is in which tunnel, has taken up its sessions
		start(part{partProvisioner, p.Serve})
		if own := s.settings.Provisioner.Address; own.IsValid() {
			beside, err := p.OpenBeside(own)
			if err != nil {
				return notOpened(err)
			}
			start(part{"files beside", beside.Serve})
			s.listens("files udp %s:69", "files tcp %s:6970", own)
		}
	}
	if s.keys != nil {
		start(part{"keys of phones", s.keys.run})
	}
	if m := s.callmanager; m != nil {
		if err := m.Open(ctx); err != nil {
			return notOpened(err)
		}
		start(part{partCallManager, m.Serve})
		start(part{"files of phones", s.watchFiles})
		s.listens("calls udp %s:5060", "calls tcp %s:5060", s.settings.Inside)
		s.listens("", "sccp tcp %s:2000", s.settings.Inside)
	}
	return nil
}

func (s *system) listens(udp, tcp string, address netip.Addr) {
	for _, format := range []string{udp, tcp} {
		if format != "" {
			s.listening = append(s.listening, fmt.Sprintf(format, address))
		}
	}
}

// atStart is what is worth knowing before the first phone leaves: what is wrong with phones' files, whether
// the office can answer phones, and who may use old cryptography.
func (s *system) atStart(ctx context.Context) (found []finding.Finding) {
	if s.provisioner != nil {
		found = s.provisioner.Findings()
	}
	if s.routing == nil {
		return found
	}
	return slices.Concat(found, s.routing.CheckWayBack(ctx), s.gateway.LegacyInUse())
}

func (s *system) close() error {
	var errs []error
	for _, c := range []io.Closer{s.store, s.keyLog} {
		if v := reflect.ValueOf(c); c != nil && !(v.Kind() == reflect.Pointer && v.IsNil()) {
			errs = append(errs, c.Close())
		}
	}
	return errors.Join(errs...)
}

func (s *system) status() control.Status {
	ready := s.ready.Load()
	status := control.Status{Version: version(), Began: s.began, Ready: ready}
	if ready {
		status.Listening = s.listening
	}
	return status
}
