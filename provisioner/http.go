package provisioner

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage/provision"
)

// Limits against peers that are slow on purpose. A phone's whole request fits one packet.
const (
	httpHeaderTime = 5 * time.Second
	httpIdleTime   = 30 * time.Second
	httpWriteTime  = 15 * time.Minute // firmware through a thin tunnel
	httpStallTime  = time.Minute      // for 32 kB of it
	httpHeaderSize = 8 << 10          // bytes
	httpMaxConns   = 512
	httpMaxPerPeer = 64              // connections of one address; it may be that of a whole branch office
	httpGrace      = 2 * time.Second // for transfers under way when the server stops
)

// serveHTTP serves on a listener until ctx ends; by HTTPS where a configuration is given.
func (p *Provisioner) serveHTTP(ctx context.Context, listener net.Listener, secure *tls.Config) error {
	server := &http.Server{
		Handler:           http.HandlerFunc(p.handle),
		ReadHeaderTimeout: httpHeaderTime,
		ReadTimeout:       2 * httpHeaderTime,
		WriteTimeout:      httpWriteTime,
		IdleTimeout:       httpIdleTime,
		MaxHeaderBytes:    httpHeaderSize,
		ErrorLog:          slog.NewLogLogger(p.log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), httpGrace)
		defer cancel()
		if server.Shutdown(grace) != nil {
			p.log.Debug("http connections cut", logging.Err, server.Close())
		}
	})
	listener = listenerWithPlaces{listener, newPlaces(httpMaxConns, httpMaxPerPeer)}
	if secure != nil {
		listener = tls.NewListener(listener, secure)
	}
	err := server.Serve(listener)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

// handle answers GET and HEAD of /NAME.
func (p *Provisioner) handle(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == AuthenticatePath && r.Method == http.MethodGet {
		p.authenticate(w, r)
		return
	}
	peer, _ := netip.ParseAddrPort(r.RemoteAddr)
	asked := request{name: r.URL.Path, peer: peer, transport: provision.HTTP}
	if r.TLS != nil {
		asked.transport, asked.certified = provision.HTTPS, p.certified(peer, r.TLS.PeerCertificates)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		p.ledger.turnedAway(asked, "method "+r.Method)
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "only reading is possible", http.StatusMethodNotAllowed)
		return
	}
	f, err := p.find(asked)
	if err != nil {
		switch p.ledger.refused(asked, err) {
		case missing:
			http.Error(w, "no such file", http.StatusNotFound)
		case denied:
			http.Error(w, "not for you", http.StatusForbidden)
		case unfit:
			http.Error(w, "the file cannot be served", http.StatusInternalServerError)
		}
		return
	}
	defer f.Close()
	p.deliver(w, r, asked, f)
}

func (p *Provisioner) deliver(w http.ResponseWriter, r *http.Request, asked request, f *file) {
	w.Header().Set("Content-Type", contentType(f.name))
	counted := &countedWriter{ResponseWriter: w, status: http.StatusOK, until: time.Now().Add(httpWriteTime)}
	http.ServeContent(counted, r, "", f.modified, f.body)
	switch {
	case r.Method == http.MethodHead || counted.status != http.StatusOK: // nothing was to be sent, or a part
	case counted.sent == f.size:
		p.ledger.delivered(asked, f, counted.sent)
	default:
		p.ledger.failed(asked, errors.Join(errors.New("provisioner: connection ended early"), counted.err))
	}
}

func contentType(name string) string {
	if strings.HasSuffix(strings.ToLower(name), ".xml") {
		return "text/xml"
	}
	return "application/octet-stream"
}

// countedWriter knows what became of an answer.
type countedWriter struct {
	http.ResponseWriter
	status int
	sent   int64
	err    error
	until  time.Time // when it must have been written
}

func (w *countedWriter) WriteHeader(status int) {
	w.status = status
	w.ResponseWriter.WriteHeader(status)
}

// Write gives each piece its own time, so that who does not read keeps no place for long.
func (w *countedWriter) Write(b []byte) (int, error) {
	stalled := time.Now().Add(httpStallTime)
	if stalled.After(w.until) {
		stalled = w.until
	}
	_ = http.NewResponseController(w.ResponseWriter).SetWriteDeadline(stalled) // a connection without one has the server's
	n, err := w.ResponseWriter.Write(b)
	w.sent += int64(n)
	if err != nil {
		w.err = err
	}
	return n, err
}
