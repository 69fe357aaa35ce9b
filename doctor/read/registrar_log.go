package read

import "github.com/longcord/longcord/doctor/fact"

// What FreeSWITCH and 3CX log of registrations: docs/wire/gateway-logs.md#other-registrars.
var registrarWords = phrasesOf(
	says(`\bIP (?P<client>\S+) Rejected by register acl "(?P<list>[^"]*)"`, fact.RegistrarDenied, "program", "FreeSWITCH", "reason", "is not in the list that apply-register-acl names"),
	says(`\bCan't find user \[(?P<line>[^@\]]+)@[^\]]*\] from (?P<client>[\da-fA-F.:]+)`, fact.RegistrarRefused, "program", "FreeSWITCH", "cause", "unknown"),
	says(`\bSIP auth failure \(REGISTER\) on sofia profile '[^']*' for \[(?P<line>[^@\]]+)@?[^\]]*\] from ip (?P<client>\S+)`, fact.RegistrarRefused, "program", "FreeSWITCH", "cause", "password", "reason", "auth failure"),
	says(`\bSIP auth (?:challenge|failure) \(`, ""),
	says(`\bAuthentication failed for SipReq: +REGISTER .*\bcontact=(?P<line>[^@\s]+)@(?P<client>[\d.]+):\d+.*Reason: Credentials don't match`, fact.RegistrarRefused,
		"program", "3CX", "cause", "credentials", "reason", "its password or its authentication ID (authName in its file) is wrong"),
	says(`\bExt\.(?P<line>\S+): new contact is registered\. Contact\(s\): \[sips?:[^@\]]*@(?P<client>[\d.]+)`, fact.RegistrarRegistered),
)

var _ = recognise(Recogniser{
	Format: "log of FreeSWITCH or 3CX",
	Marks:  []string{"by register acl", "sip auth ", "can't find user ", "sipreq:", "new contact is registered"},
	Alone:  true,
	New:    func(in *fact.Input) Reader { return &registrarLog{in} },
})

type registrarLog struct{ in *fact.Input }

func (r *registrarLog) Line(l Line) bool { return spoken(r.in, registrarWords, l.Raw, l) }

func (r *registrarLog) End() {}
