package read

import (
	"slices"
	"strings"
	"testing"
)

func TestOwn(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"a finding", `{"time":"2026-11-26T10:00:00Z","event":"finding","step":"verify","finding":{"code":"login-refused","step":"verify","severity":"fault","certainty":"certain","says":"the gateway refuses the login of alice","evidence":[],"fix":[],"docs":""}}`,
			[]string{"own.finding certainty=certain code=login-refused says=the gateway refuses the login of alice"}},
		{"steps", `{"time":"2026-11-26T10:00:00Z","event":"step","step":"provision","ok":true,"detail":"x"}
{"time":"2026-11-26T10:00:01Z","event":"step","step":"verify","detail":"phone: nobody is there"}`,
			[]string{"own.step step=provision", "own.step-failed detail=phone: nobody is there step=verify"}},
		{"a phone that lives without its new file", `{"time":"2026-11-26T10:00:00Z","event":"step","step":"provision","ok":true,"detail":"goes on with the stored file: x"}`,
			[]string{"own.step step=provision stored=true"}},
		{"a session", `{"time":"2026-11-26T10:00:00Z","event":"session","session":{"phone":"SEP001122334455","user":"alice","certificate_sha1":"` + leafSHA1 + `"}}`,
			[]string{"device device=SEP001122334455", "phone.leaf-hash hash=" + leafSHA1, "phone.hash-found"}},
		{"the console", `{"time":"2026-11-26T10:00:00Z","event":"console","detail":"7: ERR 10:00:00.000001 VPNC: 'webvpn=' not found in cookie"}`,
			[]string{"phone.cookie-missing"}},
		{"a finding that quotes the console", `{"time":"2026-11-26T10:00:00Z","event":"console","detail":"CAPF: server certificate not trusted"}
{"time":"2026-11-26T10:00:01Z","event":"finding","finding":{"code":"capf-untrusted","certainty":"certain","says":"X got no certificate","evidence":[{"source":"phone","text":"phone: CAPF: it failed"}]}}`,
			[]string{"phone.capf-failed text=server certificate not trusted", "own.finding certainty=certain code=capf-untrusted says=X got no certificate"}},
		{"a log, as text", `time=2026-11-26T10:00:00.000Z level=WARN msg="not registered" actor=phone phone=SEP001122334455 line=2001 why="403 \"Forbidden\"" finding=registration-refused`,
			[]string{`own.finding actor=phone code=registration-refused line=2001 msg=not registered phone=SEP001122334455 why=403 "Forbidden"`, "device device=SEP001122334455"}},
		{"a log, as JSON", `{"time":"2026-11-26T10:00:00Z","level":"WARN","msg":"step failed","actor":"phone","stage":"connect","err":"phone: no answer"}`,
			[]string{"own.step-failed detail=phone: no answer step=connect"}},
		{"a client that is lost and comes back", `time=2026-11-26T10:00:00.000Z level=INFO msg="channel up" actor=gateway session=7 user=anna phone=SEP001122334455 channel=cstp
time=2026-11-26T10:01:00.000Z level=INFO msg="channel down" actor=gateway session=7 user=anna phone=SEP001122334455 channel=cstp reason="DPD failure"
time=2026-11-26T10:01:00.000Z level=INFO msg="channel down" actor=gateway session=8 user=bert phone=SEP001122334466 channel=cstp reason="Transport closing"
{"time":"2026-11-26T10:02:00Z","level":"INFO","msg":"channel up","actor":"gateway","session":7,"user":"anna","phone":"SEP001122334455","channel":"cstp"}
time=2026-11-26T10:03:00.000Z level=INFO msg="channel up" actor=gateway session=7 user=anna phone=SEP001122334455 channel=cstp`,
			[]string{"own.lost device=SEP001122334455 session=7 user=anna", "own.back session=7"}},
		{"a client whose UDP is lost", `time=2026-11-26T10:01:00.000Z level=INFO msg="channel down" actor=gateway session=7 user=anna channel=dtls reason="DPD failure"`, nil},
		{"what a command ends with", `longcord: tcp 203.0.113.2:443 is already in use by nginx (pid 7) (port-taken)`,
			[]string{"own.finding code=port-taken says=tcp 203.0.113.2:443 is already in use by nginx (pid 7)"}},
		{"what serve says at its start", `warning, likely: the gateway stopped answering (dead-peer)`,
			[]string{"own.finding certainty=likely code=dead-peer says=the gateway stopped answering"}},
		{"what another command ends with", `longcord: the file is not there (no such file)`, nil},
		{"what a phone shows", "10:00:00.000 detect    outside (12 ms)\n10:00:01.000 connect   failed: phone: nobody is there\n10:00:01.000 finding   tftp-unreachable, likely: no answer\n",
			[]string{"own.step step=detect", "own.step-failed detail=phone: nobody is there step=connect", "own.finding certainty=likely code=tftp-unreachable says=no answer"}},
		{"what another program shows", "10:00:00.000 transfer  outside (12 ms)\n10:00:01.000 connect   failed\n10:00:01.000 finding   nothing: no answer\n", nil},
		{"another program's log", `time=2026-11-26T10:00:00.000Z level=WARN msg="actor=me"`, nil},
		{"JSON of another program", `{"event":"login","user":"x"}`, nil},
		{"cut", `{"time":"2026-11-26T10:00:00Z","event":"finding","fin`, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if got := told(phoneFacts(t, c.text+"\n")); !slices.Equal(got, c.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(c.want, "\n"))
			}
		})
	}
}
