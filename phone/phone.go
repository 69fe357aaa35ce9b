package phone

import (
	"context"
	"crypto"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/detect"
	"github.com/longcord/longcord/tun"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/phoneweb"
)

// VPN says when the phone uses its tunnel.
type VPN string

// The choices. Auto looks whether the phone is inside, when its file says so.
const (
	VPNAuto VPN = "auto"
	VPNOn   VPN = "on"
	VPNOff  VPN = "off"
)

// Config is a phone and what its user wants of it. Fields without a remark are required.
type Config struct {
	Name     string   // device name
	Servers  []string // TFTP 1 and TFTP 2, host or address
	ByDHCP   bool     // DHCP has named Servers: nobody has set Alternate TFTP on the phone
	StateDir string   // what survives a power cut
	Model    Model

	VPN      VPN           // empty: VPNAuto
	Detect   detect.Mode   // what counts as inside
	User     string        // for the VPN; empty: the device name
	Password secret.String // for the VPN
	// Certificate is the manufacturer's, which the phone shows to gateways, and logs in with where its file says
	// so, while it has no LSC. None: the one in StateDir, if there is one.
	Certificate tls.Certificate
	AuthString  secret.String // what somebody types for CAPF; empty: nobody does
	PSK         bool          // offer DTLS with a pre-shared key, as openconnect does, instead of a phone's suites

	Call   string // number to call once registered; the phone ends with that call. Empty: none
	Answer bool   // answer calls by itself
	Play   string // WAV file that the other side hears; empty: silence
	Record string // WAV file for what is heard; empty: none

	Web netip.AddrPort // where its web pages are served; invalid: nowhere

	OpenTUN func(tun.Settings) (tun.Device, error)
	TUN     string       // name of the tunnel's interface; empty lets the system choose
	KeyLog  io.Writer    // NSS key log lines; nil: none
	Events  func(Event)  // called from several goroutines, one at a time; nil: nobody asks
	Log     *slog.Logger // nil discards
}

// Model is what the phone is, or passes for.
type Model struct {
	Name   string // such as CP-8861
	Number int    // Cisco's number of the model
	Old    bool   // knows only TLS 1.0 and DTLS 0.9
}

// Phone is one phone.
type Phone struct {
	config Config
	log    *slog.Logger
	trust  *belief
	lsc    atomic.Pointer[tls.Certificate] // nil: none

	mu      sync.Mutex // guards what follows, and is held while Events runs
	told    map[string]bool
	running *cnf.Device // the file it has registered with last
	onLine  line        // nil while there is none
	keys    []string    // pressed by way of its web page

	panel *panel
}

// ErrCallFailed is returned by Run when the call that was asked for did not come about.
var ErrCallFailed = errors.New("phone: the call did not come about")

// New checks the configuration.
func New(config Config) (*Phone, error) {
	switch {
	case config.Name == "" || config.StateDir == "" || config.OpenTUN == nil:
		return nil, errors.New("phone: name, state folder or packet device is missing")
	case len(config.Servers) == 0 || len(config.Servers) > 2:
		return nil, fmt.Errorf("phone: %d TFTP servers; a phone has one or two", len(config.Servers))
	}
	if err := checkSoundFiles(config.Play, config.Record); err != nil {
		return nil, err
	}
	return newPhone(config)
}

func newPhone(config Config) (*Phone, error) {
	if config.VPN == "" {
		config.VPN = VPNAuto
	}
	if config.User == "" {
		config.User = config.Name
	}
	if config.Certificate.Certificate == nil {
		var err error
		if config.Certificate, err = storedCertificate(config.StateDir); err != nil {
			return nil, err
		}
	}
	p := &Phone{config: config, told: map[string]bool{}, panel: &panel{style: phoneweb.Style{Old: config.Model.Old}, device: config.Name}}
	own, err := loadLSC(config.StateDir)
	if err != nil {
		return nil, err
	}
	p.lsc.Store(own)
	p.log = logging.Or(config.Log).With(logging.Actor, "phone", logging.Phone, config.Name)
	return p, nil
}

// Run switches the phone on. It returns when ctx ends, after logging off, or, where a call was asked
// for, when that is over.
func (p *Phone) Run(ctx context.Context) error {
	stop, err := p.serveWeb()
	if err != nil {
		return err
	}
	defer stop()
	for {
		if err := p.boot(ctx); !errors.Is(err, errReset) {
			return err
		}
	}
}

func (p *Phone) boot(ctx context.Context) error {
	p.wakeUp()
	stored, err := loadConfig(p.config.StateDir, p.config.Name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		p.log.Warn("stored configuration is lost", logging.Err, err)
	}
	p.trust.config.tvs = p.asker(network{}, stored)
	outside, err := p.isOutside(ctx, stored)
	if err != nil {
		return err
	}
	if outside {
		return p.liveOutside(ctx, stored)
	}
	return p.live(ctx, network{}, stored)
}

// wakeUp takes up whom the phone believes.
func (p *Phone) wakeUp() {
	p.trust = loadBelief(beliefConfig{
		dir: p.config.StateDir, key: func() crypto.PrivateKey { return p.certificate().PrivateKey }, log: p.log,
		status: func(text string) { p.tell(Event{Event: "status", Detail: text}) }, report: p.report,
	})
}

// isOutside decides whether the tunnel is needed.
func (p *Phone) isOutside(ctx context.Context, stored *cnf.Device) (bool, error) {
	switch {
	case p.config.VPN == VPNOff:
		return false, nil
	case p.config.VPN == VPNOn:
		return true, nil
	case stored == nil || stored.VPN == nil || !stored.VPN.AutoNetDetect:
		return false, nil // a phone that never had a file of its own can only be inside
	}
	var decided detect.Decided
	err := p.step(stage.Detect, func() (_ string, err error) {
		decided, err = detectInside(ctx, p.detectConfig(stored))
		if err != nil {
			return "", err
		}
		return detail(decided, p.config.Servers), nil
	})
	return decided.Verdict == detect.Outside, err
}

func (p *Phone) detectConfig(stored *cnf.Device) detectConfig {
	return detectConfig{
		fetcher: newFetcher(network{}), servers: p.config.Servers, device: p.config.Name, mode: p.config.Detect, stored: stored, trust: p.trust,
	}
}

// live is the phone's life on a network on which its servers can be reached: it fetches its file,
// registers, and calls or waits for calls. Its call manager may make it register anew.
func (p *Phone) live(ctx context.Context, n network, stored *cnf.Device) error {
	var file *cnf.Device
	for {
		if file == nil {
			var err error
			if file, err = p.provision(ctx, n, stored); err != nil {
				return err
			}
		}
		if p.enrol(ctx, n, file) {
			stored, file = file, nil
			continue
		}
		p.runs(file)
		var again *restart
		if err := p.register(ctx, n, file); !errors.As(err, &again) {
			return err
		}
		stored, file = file, again.file
	}
}

// provision fetches the phone's file and what belongs to it. With a stored file it can live when nothing new is to
// be had. A new load makes the phone boot: errReset.
func (p *Phone) provision(ctx context.Context, n network, stored *cnf.Device) (file *cnf.Device, err error) {
	cfg := p.provisionConfig(n, stored)
	boots := false
	err = p.step(stage.Provision, func() (detail string, err error) {
		file, detail, err = fetchConfig(ctx, cfg)
		if err == nil {
			p.companions(ctx, cfg, file)
			boots = p.upgrade(ctx, cfg, file)
		}
		if err == nil || ctx.Err() != nil {
			return detail, err
		}
		if f, ok := provisionFinding(err, cfg); ok {
			err = &stepError{finding: f, err: err}
		}
		if file == nil {
			return "", err
		}
		p.found(err)
		return "goes on with the stored file: " + err.Error(), nil
	})
	if err == nil && boots {
		return nil, errReset
	}
	return file, err
}

func (p *Phone) provisionConfig(n network, stored *cnf.Device) provisionConfig {
	p.trust.config.tvs = p.asker(n, stored)
	return provisionConfig{
		fetcher: newFetcher(n), servers: p.config.Servers, device: p.config.Name, dir: p.config.StateDir,
		stored: stored, trusted: n.device != "" || p.config.VPN == VPNOff || p.config.Detect == detect.PingOnly, trust: p.trust,
	}
}

// step does one step of the phone's life and tells how it went.
func (p *Phone) step(s stage.Step, do func() (detail string, err error)) error {
	began := time.Now()
	detail, err := do()
	return p.ended(began, s, detail, err)
}

// ended tells how a step went that began earlier, and returns its error.
func (p *Phone) ended(began time.Time, s stage.Step, detail string, err error) error {
	if errors.Is(err, context.Canceled) {
		return err
	}
	e := Event{Event: "step", Step: s, OK: err == nil, Detail: detail, DurationMS: time.Since(began).Milliseconds()}
	if err != nil {
		p.found(err)
		e.Detail = err.Error()
		p.log.Warn("step failed", logging.Stage, s.String(), logging.Err, err)
	} else {
		p.log.Info("step done", logging.Stage, s.String(), "detail", detail)
	}
	p.tell(e)
	return err
}

// found tells the finding of an error that has one, each only once in a phone's life.
func (p *Phone) found(err error) {
	var step *stepError
	if !errors.As(err, &step) {
		return
	}
	p.report(step.finding)
}

func (p *Phone) report(f finding.Finding) {
	p.mu.Lock()
	again := p.told[f.Code]
	p.told[f.Code] = true
	p.mu.Unlock()
	if !again {
		p.tell(Event{Event: "finding", Finding: &f})
	}
}

// tell passes an event on.
func (p *Phone) tell(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	e.Time = time.Now()
	lines := p.panel.note(e)
	if p.config.Events == nil {
		return
	}
	p.config.Events(e)
	if !p.config.Web.IsValid() {
		return // nobody reads the console
	}
	for _, line := range lines {
		p.config.Events(Event{Time: e.Time, Event: "console", Detail: line})
	}
}
