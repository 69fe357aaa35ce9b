package provision

// Transport is how a file is asked for.
type Transport string

// The transports in the order in which a phone tries them.
const (
	HTTPS Transport = "https" // TCP 6971, for the phone's own file and where its ITL says so
	HTTP  Transport = "http"  // TCP 6970
	TFTP  Transport = "tftp"  // UDP 69
)

// Where phones ask for files by HTTP and by HTTPS.
const (
	HTTPPort  = 6970
	HTTPSPort = 6971
)

// TVSPort is where phones ask TVS when their file says no other.
const TVSPort = 2445

// Ask is one request of a booting phone.
type Ask struct {
	Server    int // index into the phone's TFTP servers: 0 is TFTP 1
	Transport Transport
	Name      string
}

// Answer is what became of an Ask.
type Answer int

// The answers.
const (
	Found     Answer = iota + 1 // the file came
	FoundStub                   // it came, and says that the whole one is encrypted
	NotFound                    // the server says that it has no such file
	Silent                      // no connection, no answer, or an answer that is none
)

// Outcome says how a boot ended.
type Outcome int

// The outcomes. Pending is the zero value.
const (
	Pending     Outcome = iota
	GotConfig           // the phone's own file came
	GotDefault          // only the default file came: the server does not know the phone
	GotNothing          // a server answers and has neither
	Unreachable         // no server answers; the phone goes on with what it has stored
)

// Boot is the order in which a phone asks for its files. It goes through the names on one server: trust
// lists first, then the configuration, then the default. A server that is silent over HTTP is asked over
// TFTP from then on; one that is silent there too is left for the next, where the name is asked again.
//
//	           Found, NotFound            Silent
//	https   found: the end, else      same name over http
//	        same name over http
//	http    next name, still http     same name over tftp
//	tftp    next name, still tftp     same name, next server over http
//
// What the lists say decides how the rest is asked for: Trust tells it, before the configuration's turn.
type Boot struct {
	ask     Ask
	device  string
	servers int
	step    bootStep
	outcome Outcome
	signed  bool // names end in .sgn
	https   bool // the configuration is asked for by HTTPS first
	secure  bool // and is so now
}

type bootStep int

const (
	askCTL bootStep = iota
	askITL
	askSharedITL // only when the phone has no list of its own
	askConfig
	askEncrypted // only when the configuration is a stub
	askDefault   // only when the phone has no file of its own
)

// NewBoot returns the boot of a device with this many TFTP servers, one or two.
func NewBoot(device string, servers int) *Boot {
	b := &Boot{device: device, servers: servers, ask: Ask{Transport: HTTP}}
	if servers < 1 {
		b.outcome = Unreachable
	}
	return b
}

// Next returns what to ask now. It is false when the boot has ended.
func (b *Boot) Next() (Ask, bool) {
	ask := b.ask
	ask.Name = b.name()
	if b.secure {
		ask.Transport = HTTPS
	}
	return ask, b.outcome == Pending
}

// Trust tells what the phone believes now: whether it asks for signed files, and for its own by HTTPS. It is
// told after each list.
func (b *Boot) Trust(signed, https bool) {
	b.signed, b.https = signed, signed && https
}

// ListAsked reports whether the Ask that Next returns is for a trust list, and for which.
func (b *Boot) ListAsked() (ctl, ok bool) { return b.step == askCTL, b.step <= askSharedITL }

// Outcome returns how the boot ended, Pending until then.
func (b *Boot) Outcome() Outcome { return b.outcome }

// Answered tells what became of the last Ask.
func (b *Boot) Answered(answer Answer) {
	secure := b.secure
	b.secure = false
	switch {
	case b.outcome != Pending:
	case answer == FoundStub && b.step == askConfig:
		b.step = askEncrypted
	case secure && answer != Found: // asked again by HTTP
	case answer != Silent:
		b.advance(answer == Found)
	case b.ask.Transport == HTTP:
		b.ask.Transport = TFTP
	case b.ask.Server+1 < b.servers:
		b.ask.Server++
		b.ask.Transport = HTTP
		b.secure = b.https && b.step == askConfig
	default:
		b.outcome = Unreachable
	}
}

func (b *Boot) advance(found bool) {
	switch {
	case (b.step == askITL && found) || b.step == askSharedITL:
		b.step = askConfig
		b.secure = b.https
	case (b.step == askConfig || b.step == askEncrypted) && found:
		b.outcome = GotConfig
	case b.step == askConfig:
		b.step = askDefault
	case b.step == askDefault && found:
		b.outcome = GotDefault
	case b.step == askDefault, b.step == askEncrypted:
		b.outcome = GotNothing
	default:
		b.step++
	}
}

func (b *Boot) name() string {
	switch b.step {
	case askCTL:
		return CTLFile(b.device)
	case askITL:
		return ITLFile(b.device)
	case askSharedITL:
		return SharedITL
	case askConfig:
		return b.maybeSigned(ConfigFile(b.device))
	case askEncrypted:
		return ConfigFile(b.device) + EncryptedSuffix
	default:
		return b.maybeSigned(DefaultFile)
	}
}

func (b *Boot) maybeSigned(name string) string {
	if b.signed {
		return name + SignedSuffix
	}
	return name
}
