package provisioner

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"time"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/stage/enrol"
	"github.com/longcord/longcord/stage/provision"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust/rollover"
	"github.com/longcord/longcord/wire/capf"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tlv"
	"github.com/longcord/longcord/wire/tvs"
)

// roamer is a phone that knows only what it has fetched itself.
type roamer struct {
	house   *yearsHouse
	name    string
	address netip.Addr // in its tunnel

	belief verify.TrustStore
	config *cnf.Device // nil: the first day, when it stands in the office
	lsc    *x509.Certificate
	key    crypto.Signer
	issued int // LSCs that it got

	back time.Time // when it is switched on again
}

func (r *roamer) away() bool { return time.Now().Before(r.back) }

// come switches the phone on: it meets the gateway, logs in by its LSC, fetches its lists and its file
// through the tunnel, enrols if the file says so, and registers. A cut takes its power before it has stored
// the file.
func (r *roamer) come(cut bool) {
	r.house.t.Helper()
	if r.config != nil {
		r.meet()
		r.logIn()
	}
	if cut {
		stored := r.config
		r.boot()
		r.config = stored
		r.house.counts.cuts++
		return
	}
	for again := true; again; {
		r.boot()
		again = r.enrol()
	}
	time.Sleep(time.Second)
	r.house.keeper.Heard(rollover.Registration{Device: r.name, Began: time.Now(), From: r.address})
}

func (r *roamer) lost(why string, args ...any) {
	r.house.t.Helper()
	r.house.t.Fatalf("%s: "+r.name+" is lost: "+why, append([]any{today()}, args...)...)
}

// meet has the phone look at the gateway's certificate.
func (r *roamer) meet() {
	r.house.t.Helper()
	c := r.house.presented()
	if _, _, ok := verify.Match(rollover.Chain(c), r.config.VPN.CertificateHashes); !ok {
		r.lost("the gateway presents %s, and its file has the hashes %v", c.Name, r.config.VPN.CertificateHashes)
	}
}

// logIn has the gateway look at the phone's.
func (r *roamer) logIn() {
	r.house.t.Helper()
	found, err := verify.CheckClient(time.Now(), []*x509.Certificate{r.lsc}, []verify.Authority{*r.house.book.Authority()})
	if err != nil || inventory.DeviceInName(found.Name) != r.name {
		r.lost("the gateway does not take its LSC as %q: %v", found.Name, err)
	}
	r.house.must(r.house.book.Seen(r.house.t.Context(), r.lsc))
}

// boot fetches what a phone fetches, in its order.
func (r *roamer) boot() {
	r.house.t.Helper()
	boot := provision.NewBoot(r.name, 1)
	boot.Trust(r.belief.WantsSigned(), r.belief.WantsHTTPS())
	for ask, ok := boot.Next(); ok; ask, ok = boot.Next() {
		content, found := r.get(ask.Name)
		ctl, isList := boot.ListAsked()
		switch {
		case !found:
			boot.Answered(provision.NotFound)
			continue
		case isList:
			r.listCame(ctl, content)
			boot.Trust(r.belief.WantsSigned(), r.belief.WantsHTTPS())
		default:
			r.fileCame(ask.Name, content)
		}
		boot.Answered(provision.Found)
	}
	if boot.Outcome() != provision.GotConfig {
		r.lost("its boot ends with %v", boot.Outcome())
	}
}

// get asks the file server through the tunnel.
func (r *roamer) get(name string) (content []byte, found bool) {
	r.house.t.Helper()
	request := httptest.NewRequest(http.MethodGet, "http://10.20.0.1:6970/"+name, nil)
	request.RemoteAddr = netip.AddrPortFrom(r.address, 50000).String()
	answer := httptest.NewRecorder()
	r.house.files.handle(answer, request)
	if answer.Code != http.StatusOK && answer.Code != http.StatusNotFound {
		r.lost("%s: the file server answers %d", name, answer.Code)
	}
	return answer.Body.Bytes(), answer.Code == http.StatusOK
}

func (r *roamer) listCame(ctl bool, raw []byte) {
	r.house.t.Helper()
	r.settle("trust list", func() verify.Answer { return r.belief.ListOffered(time.Now(), raw) })
	list, err := verify.ReadTrustList(raw)
	r.house.must(err)
	if ctl {
		r.belief.CTL = list
	} else {
		r.belief.ITL = list
	}
}

func (r *roamer) fileCame(name string, raw []byte) {
	r.house.t.Helper()
	if _, _, signed := provision.Unsigned(name); !signed {
		r.lost("it is given %s, which is not signed", name)
	}
	believed := r.settle(name, func() verify.Answer { return r.belief.FileOffered(time.Now(), name, raw) })
	config, err := cnf.Parse(believed.Content)
	r.house.must(err)
	r.config = config
}

// settle puts a question to what the phone believes, and once more when TVS has answered.
func (r *roamer) settle(what string, question func() verify.Answer) verify.Believe {
	r.house.t.Helper()
	answer := question()
	if asked, unknown := answer.(verify.AskTVS); unknown {
		vouched, err := r.askTVS(asked)
		if err != nil {
			r.lost("%s: TVS about %q: %v", what, asked.Signer.Name, err)
		}
		r.house.counts.vouched++
		r.belief.Vouch(time.Now(), vouched)
		answer = question()
	}
	believed, ok := answer.(verify.Believe)
	if !ok {
		r.lost("%s: %+v", what, answer)
	}
	return believed
}

// askTVS asks about a signer the service that its file names.
func (r *roamer) askTVS(asked verify.AskTVS) (vouched verify.Vouched, err error) {
	if r.config == nil || len(r.config.TVS) == 0 {
		return vouched, errors.New("its file names none")
	}
	question := tvs.Request{
		Session: 7, Device: "CP-8861-" + r.name, Subject: asked.Signer.Name, Issuer: asked.Signer.Issuer, Serial: asked.Signer.Serial,
	}
	err = r.talk(r.house.trust.serveTVS, tlv.TVS, func(conn net.Conn) error {
		text, err := question.Message().AppendBinary(nil)
		if err != nil {
			return err
		}
		if _, err := conn.Write(text); err != nil {
			return err
		}
		m, err := tvs.Read(conn)
		if err != nil {
			return err
		}
		answer, err := m.Answer()
		if err != nil {
			return err
		}
		certificate, roles, holds, err := verify.TakeTVS(question, answer)
		vouched = verify.Vouched{
			Certificate: certificate, Subject: question.Subject, Issuer: question.Issuer, Serial: question.Serial, Roles: roles, Lifetime: holds,
		}
		return err
	})
	return vouched, err
}

// tunnelled is a connection that comes out of the phone's tunnel.
type tunnelled struct {
	net.Conn
	from net.Addr
}

func (c tunnelled) RemoteAddr() net.Addr { return c.from }

// talk holds a conversation by TLS with a server whose certificate the phone believes for a role.
func (r *roamer) talk(serve func(context.Context, net.Conn) error, role tlv.Role, speak func(net.Conn) error) error {
	ours, theirs := net.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := serve(r.house.t.Context(), tunnelled{theirs, net.TCPAddrFromAddrPort(netip.AddrPortFrom(r.address, 50001))})
		ended <- errors.Join(err, theirs.Close())
	}()
	conn := tls.Client(ours, &tls.Config{
		InsecureSkipVerify: true, // by list instead of by name
		VerifyConnection: func(state tls.ConnectionState) error {
			if !r.belief.Knows(time.Now(), state.PeerCertificates[0], role) {
				return errors.New("its certificate is not believed")
			}
			return nil
		},
	})
	err := speak(conn)
	if err == nil {
		_, _ = io.Copy(io.Discard, conn) // until the server hangs up
	}
	_ = ours.Close()
	return errors.Join(err, <-ended)
}

// enrol goes to CAPF when the file says so, and reports whether the phone starts anew.
func (r *roamer) enrol() (anew bool) {
	r.house.t.Helper()
	mode := enrol.Mode(r.config.CAPFAuthMode)
	if mode == enrol.NotPending {
		return false
	}
	c := enrol.ClientConfig{Device: r.name}
	if r.lsc != nil {
		c.LSC = r.lsc.Raw
	}
	if mode == enrol.ByCertificate {
		c.Certificate, c.Key = capf.Certificate{Type: capf.LSC, DER: r.lsc.Raw}, r.key
	}
	e := &roamerEnrols{roamer: r, client: enrol.NewClient(c)}
	if err := r.talk(r.house.trust.serveCAPF, tlv.CAPF, e.speak); err != nil {
		r.lost("CAPF: %v", err)
	}
	if !e.outcome.Done {
		r.lost("CAPF: %s", e.outcome.Says)
	}
	return e.outcome.Operation == enrol.Install
}

// roamerEnrols is a conversation with CAPF.
type roamerEnrols struct {
	*roamer
	client  *enrol.Client
	made    *ecdsa.PrivateKey
	outcome *enrol.Outcome
}

func (e *roamerEnrols) speak(conn net.Conn) error {
	for e.outcome == nil {
		m, err := capf.Read(conn)
		if err != nil {
			return err
		}
		actions, err := e.client.Received(m)
		if err == nil {
			err = e.do(conn, actions)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (e *roamerEnrols) do(conn net.Conn, actions []enrol.Action) (err error) {
	for _, a := range actions {
		switch a := a.(type) {
		case enrol.Send:
			var text []byte
			if text, err = a.Message.AppendBinary(nil); err == nil {
				_, err = conn.Write(text)
			}
		case enrol.Generate:
			var spki []byte
			if e.made, err = ecdsa.GenerateKey(a.Key.Curve.Elliptic(), rand.Reader); err == nil {
				spki, err = x509.MarshalPKIXPublicKey(e.made.Public())
			}
			if err == nil {
				err = e.do(conn, e.client.Generated(spki))
			}
		case enrol.Keep:
			if e.lsc, err = x509.ParseCertificate(a.Certificate); err == nil {
				e.key, e.issued = e.made, e.issued+1
				err = e.do(conn, e.client.Kept(nil))
			}
		case enrol.End:
			e.outcome = &a.Outcome
		}
		if err != nil {
			return err
		}
	}
	return nil
}
