package gateway

import (
	"crypto/tls"
	"fmt"
	"net/http"
	"strconv"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/stage/verify"
)

// unfollowed tells of a client that says what nobody knows how to answer. The first time its words are in the log, secrets
// masked: with them it can be followed.
func (c *conn) unfollowed(r *http.Request, contact verify.FirstContact, what string) {
	f := finding.ClientDialect.With(clientName(r.UserAgent()), what).Because("gateway", 0, fmt.Sprintf("%s from %s", contact.Line, c.peer.Addr()))
	if !c.g.config.Findings.RaiseFor(remembered, f) {
		c.log.Debug("client is not understood", logging.Stage, stage.Verify.String(), logging.Finding, f.Code, "what", what)
		return
	}
	c.log.Warn("client is not understood", logging.Stage, stage.Verify.String(), logging.Finding, f.Code, "says", f.Says,
		"request", contact.Line, "header", fmt.Sprint(contact.Header), "form", contact.Body,
		"tls", tls.VersionName(c.tls.ConnectionState().Version), "certificates", c.shown())
}

// followed notes that clients by these names have come to a tunnel: they are understood.
func (g *Gateway) followed(agents ...string) {
	for _, agent := range agents {
		g.config.Findings.Clear(finding.ClientDialect, clientName(agent))
	}
}

// clientName is what findings call a client by its User-Agent, which may be anything.
func clientName(agent string) string {
	const longest = 80
	if agent == "" {
		return "a client without a name"
	}
	return strconv.QuoteToASCII(agent[:min(len(agent), longest)])
}
