package doctor_test

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
)

// phoneFile reads a sample of what phones write.
func phoneFile(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile("read/testdata/phone/" + name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// judgedTogether reads inputs, pairs of name and text, and judges them together.
func judgedTogether(t *testing.T, inputs ...string) *judge.Report {
	t.Helper()
	c := fact.NewCollector("test", "files")
	for i := 0; i+1 < len(inputs); i += 2 {
		err := read.Input(t.Context(), c, inputs[i], strings.NewReader(inputs[i+1]), read.Options{Now: time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)})
		if err != nil {
			t.Fatal(err)
		}
	}
	return judge.Facts(c.File(), "test")
}

// TestPhoneFilesTogether: what a phone says, its file, and its gateway's certificate and configuration are judged together.
func TestPhoneFilesTogether(t *testing.T) {
	t.Parallel()
	const name = "SEP001122334455.cnf.xml"
	file, chain := phoneFile(t, name), phoneFile(t, "s_client.txt")
	leaf := file[strings.Index(file, "<certHash1>")+len("<certHash1>") : strings.Index(file, "</certHash1>")]
	issuer := file[strings.Index(file, "<certHash2>")+len("<certHash2>") : strings.Index(file, "</certHash2>")]
	other := "NZN+UWM8ux0TNYXSTnEW/RzWS0A="
	asa := func(url string) string {
		return "ASA Version 9.8(4)\nhostname asa\nwebvpn\n enable outside\n anyconnect enable\ntunnel-group PHONES type remote-access\ntunnel-group PHONES webvpn-attributes\n authentication certificate\n group-url " + url + " enable\n"
	}
	for _, c := range []struct {
		name    string
		inputs  []string
		verdict judge.Verdict
		want    string // code and certainty; empty: none of these files' findings is a fault
	}{
		{"all is well", []string{name, file, "chain", chain}, judge.OK, ""},
		{"two hashes of other certificates", []string{name, strings.NewReplacer(leaf, other, issuer, "qq"+other[2:]).Replace(file), "chain", chain}, judge.Fault, "certificate-hash-mismatch certain"},
		{"the issuer's hash alone, and it is sent", []string{name, strings.Replace(file, leaf, issuer, 1), "chain", chain}, judge.OK, ""},
		{"the issuer's hash alone, and it is not sent", []string{name, strings.Replace(file, leaf, issuer, 1), "chain", chain[:strings.Index(chain, " 1 s:")] + "---\n", "issuer.pem", phoneFile(t, "issuer.pem")},
			judge.Fault, "certificate-hash-of-wrong-certificate certain"},
		{"another host", []string{name, strings.ReplaceAll(file, "https://vpn.", "https://vpn2."), "chain", chain}, judge.Fault, "host-id-mismatch certain"},
		{"another host, unchecked", []string{name, strings.NewReplacer("https://vpn.", "https://vpn2.", "HostIDCheck>1", "HostIDCheck>0").Replace(file), "chain", chain}, judge.OK, ""},
		{"the ASA's group URL", []string{name, file, "asa.cfg", asa("https://vpn.example.com/phones")}, "", ""},
		{"the ASA's group URL in other letters", []string{name, file, "asa.cfg", asa("https://vpn.example.com/Phones")}, judge.Fault, "group-url-mismatch certain"},
		{"the log of a phone with an older file", []string{name, file, "console.log", "12: NOT 10:00:00.000001 SECD: Leaf cert hash = A80863799A3EAA98 17E6D8715F443E4B FCD08EE4\n13: ERR 10:00:00.000002 VPNC: VPN cert chain verification failed, issuer certificate not found and leaf not trusted\n"}, judge.Fault, ""},
		{"two words from the screen", []string{"-", "Trust List Update Failed\n"}, judge.Fault, "trust-list-mismatch likely"},
		{"one word that may be anything", []string{"-", "Registering\n"}, judge.Insufficient, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := judgedTogether(t, c.inputs...)
			var got []string
			for _, f := range r.Findings {
				got = append(got, fmt.Sprintf("%s %s", f.Code, f.Certainty))
			}
			if c.verdict != "" && r.Verdict != c.verdict {
				t.Errorf("verdict %s, want %s: %q, needs %q", r.Verdict, c.verdict, got, r.Needs)
			}
			if c.want != "" && !slices.Contains(got, c.want) {
				t.Errorf("got %q, want %q among them", got, c.want)
			}
			if c.want == "" && slices.ContainsFunc(got, func(s string) bool {
				return strings.HasPrefix(s, "group-url-mismatch") || strings.HasPrefix(s, "host-id")
			}) {
				t.Errorf("got %q", got)
			}
		})
	}
}

// A display that says only "Version error" names no load, and what is said of it is a sentence all the same.
func TestVersionError(t *testing.T) {
	t.Parallel()
	r := diagnose(t, "Version Error\n")
	want := "phones are told to run the load in the phone's file, and the folder of files lacks its .loads file under that name"
	if len(r.Findings) != 1 || r.Findings[0].Says != want {
		t.Errorf("got %+v, want %q", r.Findings, want)
	}
}
