package verify

import (
	"net/http"
	"slices"
	"strings"

	"github.com/longcord/longcord/wire/vpnauth"
)

// What AnyConnect asks for beside the login: updates of itself, translations, profiles. The gateway has
// none of it, and says so in the way that each question expects; an error would end some clients' login
// (docs/wire/vpn-login.md#beside-the-login).

var (
	noUpdate   = "0,0,0000\n"                                                               // version 0.0.0000 is there to fetch
	noPackages = `<?xml version="1.0" encoding="UTF-8"?>` + "\n<vpn rev=\"1.0\">\n</vpn>\n" // and no file of it
)

// empty are the pages whose content no client looks at.
var empty = []string{"/1/index.html", "/1/Linux", "/1/Linux_64", "/1/Windows", "/1/Darwin_i386", "/1/binaries/vpndownloader.sh"}

// sideways answers what belongs to no login, or reports false.
func (s *Server) sideways(r Request) ([]Action, bool) {
	switch {
	case r.Path == "/1/binaries/update.txt":
		return s.page("text/plain", noUpdate), true
	case r.Path == "/1/VPNManifest.xml":
		return s.page("text/xml", noPackages), true
	case slices.Contains(empty, r.Path), strings.HasPrefix(r.Path, "/+CSCOT+/"):
		return s.page("text/html", ""), true
	case r.Path == "/profiles", strings.HasPrefix(r.Path, "/profiles/"):
		return s.send(http.StatusNotFound, "", nil, vpnauth.Length(0)), true
	}
	return nil, false
}

func (s *Server) page(kind, text string) []Action {
	return s.send(http.StatusOK, "", []byte(text), vpnauth.Field{Name: "Content-Type", Value: kind}, vpnauth.Length(len(text)), transcend)
}
