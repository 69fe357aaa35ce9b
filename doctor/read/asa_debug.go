package read

import (
	"slices"
	"strings"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Output of debug webvpn anyconnect (svc before 8.4), debug aaa and debug crypto ca of an ASA.
var _ = recognise(Recogniser{
	Format: "ASA debug", Follows: true, Platform: finding.ASA,
	Marks: []string{
		"webvpn", "http_", "cstp", "svc", "vpn_", "ewaform", "tunnel group:", "setting ", "crypto_pki", "pki[", "cert-c:", "cert_api", "cert api", "aaa", "authentication status", "back end", "radius", "rad_", "user: ", "of user ", "initiating ",
		"validating address", "[saml]", "initiate nac", "no subnetmask", "...input", "user-agent", "x-dtls", "ipphone", "no address",
	},
	Alone: true,
	New:   func(in *fact.Input) Reader { return &asaDebugReader{in: in} },
})

type asaDebugReader struct {
	in   *fact.Input
	user string // of the login at hand

	begins string // when the assertion at hand may be used

	logins []asaLogin // that were refused, and not accepted later

	refused func() // adds that a certificate was refused, unless it is validated after all
	trouble func() // likewise, that something of certificates went wrong in words that are not known
}

type asaLogin struct {
	user string
	tell func()
}

// maxASALogins bounds how many refused logins are kept; more than that are told at once.
const maxASALogins = 500

var (
	// asaDebug are beginnings of lines that only these debugs have.
	asaDebug = compile(`^\s*(?:webvpn_(?:cstp|rx_data|svc|auth|portal|login|allocate|free|remove|put|add)|http_(?:parse_cstp|webvpn)|cstp_util_|CSTP (?:state|TLS)|Processing CSTP header|\.\.\.input: '|` +
		`np_svc_|svc_|SVC:? (?:ACL|NP|IPv6|adding|Sending|message)|vpn_(?:put|remove)_uauth|ewaForm|Tunnel Group: \S+, (?:groupCert|Client Cert)|\[SAML\] |WebVPN: |WebVPN Cookie|Found WebVPN cookie|Setting (?:user-agent|hostname|version|mtu|base-mtu|address|netmask)|` +
		`CRYPTO_PKI|PKI\[|CERT-C:|CERT[_ ]API|Authentication Status: |AAA_NextFunction|AAA session|callback_aaa_task|Back End response|radius mkreq|rad_procpkt|rad_vrfy|RADIUS_|Radius: |AAA (?:API|FSM|Status|Task)|Initiating (?:authentication|authorization)|AAA_BindServer|In aaai_|aaai_|aaa_|Validating address|Unable to initiate NAC|Sending X-CSTP|No subnetmask)`)
	asaAgent      = compile(`(?i)(?:User-Agent: |Setting user-agent to: ?')'?(Cisco SVC IPPhone[^']*)`)
	asaHostname   = compile(`(?:X-CSTP-Hostname: |Setting hostname to: ?')(SEP[0-9A-Fa-f]{12})`)
	asaDebugGroup = compile(`Tunnel Group: (\S+?), groupCert`)
	asaDebugUser  = compile(`WebVPN: user: \((.*?)\) (authenticated|rejected)`)
	asaNoAddress  = compile(`(?i)(?:no assigned address|no address (?:available|assigned)|address request failed|accept_(?:ipv4_)?address: no address)`)
	asaGiven      = compile(`^webvpn_cstp_accept_(?:ipv4_)?address: (\d+\.\d+\.\d+\.\d+)/`)
	asaSuites     = compile(`(?i)(?:unable to negotiate|no common|no matching) (?:DTLS )?cipher`)
	asaLoginUser  = compile(`^(?:Local authentication of user|User:|User Name:|username:?)\s+(\S+)$`)
	asaReject     = compile(`(?:Authentication Status: *-?\d+ *\(REJECT\)|auth_status = REJECT|AAA status = \(REJECT\)|rad_procpkt: REJECT|Radius: Code = 3 |RADIUS_(?:ACCESS_)?REJECT)`)
	asaAccept     = compile(`(?:Authentication Status: *1 *\(ACCEPT\)|auth_status = ACCEPT|AAA status = \(ACCEPT\)|rad_procpkt: ACCEPT|Radius: Code = 2 |RADIUS_(?:ACCESS_)?ACCEPT)`)
	asaNoShow     = compile(`Client Cert Auth Failed!`)
	asaNotBefore  = compile(`^\[SAML\] NotBefore:(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)`)
	asaTooMany    = compile(`(?i)simultaneous logins? exceeded|exceeded (?:the )?(?:max(?:imum)? )?simultaneous logins?`)
	asaValidated  = compile(`(?i)certificate (?:was )?(?:successfully )?validated|certificate validation: (?:success|passed)|calling user callback=\S+ with status=0\b`)
	asaPKI        = compile(`(?:CRYPTO_PKI|PKI\[\d+\]|CERT-C|CERT[_ ]API|[Ww]eb[Vv][Pp][Nn]\w*).*?(No suitable trustpoints? found.*|[Cc]ertificate (?:is |has )?expired.*|[Cc]ert(?:ificate)? (?:is )?not (?:yet )?valid.*|(?:[Cc]ertificate )?[Vv]alidation failed.*|no suitable trustpoint.*|[Cc]ertificate (?:is |has been )?revoked.*|No trust ?points? found.*|No acceptable ExtendedKeyUsage.*|calling user callback=\S+ with status=[1-9].*|(?i:unable to get (?:local )?issuer cert.*|cert\w*\b[^.]*\b(?:fail\w*|reject\w*|untrusted|not trusted|not validated).*)|[Cc]ert(?:ificate)? date.*(?:out|invalid).*)`)
)

// What a debug of certificates says in words that asaPKI does not know: that something failed, and not what.
var (
	asaPKIFails = compile(`(?i)(?:CRYPTO_PKI|PKI\[\d+\]|CERT-C|CERT[_ ]API).*\b(?:fail\w*|errors?|reject\w*|refus\w*|denied|invalid\w*|unable|cannot|could not|can't|untrusted|not (?:trusted|validated|verified|accepted|valid)|bad|mismatch\w*|unsupported|status[ :=]+-?[1-9]\d*)\b`)
	asaPKIFine  = compile(`(?i)\b(?:no errors?|0 errors?|without errors?|errors?[ :=]+0|success\w*)\b`)
)

func (r *asaDebugReader) Line(l Line) bool {
	text := strings.TrimSpace(l.Text)
	if m := asaLoginUser.FindStringSubmatch(text); m != nil {
		r.user = m[1]
		return false // others have such lines, too
	}
	if !asaDebug.MatchString(text) && !strings.HasPrefix(text, "'") && !asaReject.MatchString(text) && !asaAccept.MatchString(text) {
		return false
	}
	switch {
	case asaNotBefore.MatchString(text):
		r.begins = asaNotBefore.FindStringSubmatch(text)[1]
		return true
	case strings.HasPrefix(text, "[SAML] "):
		if r.begins != "" && strings.Contains(text, "not valid") {
			r.in.Add(fact.ASAAssertionRefused, l.Number, text, l.Time, "begins", r.begins)
		}
		return false // what else it says of logins is not known here
	case asaNoShow.MatchString(text):
		r.refused = func() { r.in.Add(fact.ASACertificateRefused, l.Number, text, l.Time) }
	case asaAgent.MatchString(text):
		r.in.Add(fact.ASAEntered, l.Number, text, l.Time, "phone", "true")
	case asaHostname.MatchString(text):
		r.in.Add(fact.Device, l.Number, text, l.Time, "device", strings.ToUpper(asaHostname.FindStringSubmatch(text)[1]))
	case asaDebugGroup.MatchString(text):
		r.in.Add(fact.ASAEntered, l.Number, text, l.Time, "group", asaDebugGroup.FindStringSubmatch(text)[1])
	case asaDebugUser.MatchString(text):
		if m := asaDebugUser.FindStringSubmatch(text); m[2] == "rejected" {
			r.rejected(l, text, m[1])
		} else {
			r.let(m[1])
		}
	case asaTooMany.MatchString(text):
		r.in.Add(fact.ASASessionLimit, l.Number, text, l.Time, "whose", "user")
	case asaReject.MatchString(text):
		r.rejected(l, text, r.user)
	case asaAccept.MatchString(text):
		r.let(r.user)
	case asaGiven.MatchString(text):
		if address := asaGiven.FindStringSubmatch(text)[1]; address != "0.0.0.0" {
			r.in.Add(fact.ASAAddress, l.Number, text, l.Time, "address", address)
		}
	case asaNoAddress.MatchString(text):
		r.in.Add(fact.ASANoAddress, l.Number, text, l.Time)
	case asaSuites.MatchString(text):
		r.in.Add(fact.ASANoDTLS, l.Number, text, l.Time)
	default:
		if m := asaPKI.FindStringSubmatch(text); m != nil {
			values := []string{"reason", m[1]}
			if subject := asaSubject(text); subject != "" {
				values = append(values, "subject", subject)
			}
			r.refused = func() { r.in.Add(fact.ASACertificateRefused, l.Number, text, l.Time, values...) }
		} else if asaValidated.MatchString(text) {
			r.refused, r.trouble = nil, nil
		} else if asaPKIFails.MatchString(text) && !asaPKIFine.MatchString(text) {
			r.trouble = func() { r.in.Add(fact.ASATrouble, l.Number, text, l.Time, "text", text) }
		}
	}
	return asaDebug.MatchString(text) || asaReject.MatchString(text) || strings.Contains(text, "X-CSTP") || strings.Contains(text, "X-DTLS") || strings.Contains(text, "User-Agent")
}

// rejected keeps a login that was refused.
func (r *asaDebugReader) rejected(l Line, text, user string) {
	values := []string{}
	if user != "" {
		values = append(values, "user", user)
	}
	tell := func() { r.in.Add(fact.ASALoginRefused, l.Number, text, l.Time, values...) }
	if len(r.logins) >= maxASALogins {
		tell()
		return
	}
	r.logins = append(r.logins, asaLogin{user, tell})
}

// let notes that a user was let in: what was refused before was mistyped, or another server knew better.
func (r *asaDebugReader) let(user string) {
	r.logins = slices.DeleteFunc(r.logins, func(l asaLogin) bool { return l.user != "" && l.user == user })
}

func (r *asaDebugReader) End() {
	for _, l := range r.logins {
		l.tell()
	}
	if r.refused != nil {
		r.refused()
	} else if r.trouble != nil {
		r.trouble()
	}
}
