//go:build interop

// Package textfsm_test has TextFSM read the sessions that `longcord show vpn-sessiondb` prints in the
// ASA's columns, by templates that refuse every line they do not know.
//
// The templates in testdata are ours, made after the ASA's layout. Those that network people share stand
// in the package ntc-templates, which Debian does not have: where NTC_TEMPLATES_DIR names its folder, as
// that package's own users do, they are used, too.
package textfsm_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

func TestMain(m *testing.M) { os.Exit(office.Main(m)) }

// reader prints as JSON what a template, named first, reads from standard input.
const reader = `import json, sys, textfsm
table = textfsm.TextFSM(open(sys.argv[1]))
rows = table.ParseText(sys.stdin.read())
print(json.dumps([dict(zip(table.header, row)) for row in rows]))
`

const password = "rosebud 7&+%"

// templates are the template of testdata, and the shared one where that is.
func templates(t *testing.T, ours, shared string) []string {
	t.Helper()
	absolute, err := filepath.Abs(filepath.Join("testdata", ours))
	if err != nil {
		t.Fatal(err)
	}
	all := []string{absolute}
	if dir := os.Getenv("NTC_TEMPLATES_DIR"); dir != "" && shared != "" {
		all = append(all, filepath.Join(dir, shared))
	}
	return all
}

type row map[string]any

// read has TextFSM read what the command printed.
func read(t *testing.T, o *office.Office, template string, command ...string) []row {
	t.Helper()
	text, err := o.Longcord("", append([]string{"-c", o.Path("longcord.yaml")}, command...)...)
	if err != nil {
		t.Fatalf("%v: %v\n%s", command, err, text)
	}
	said, err := o.Run(o.Client, text, office.Peer(t, "/usr/bin/python3"), "-c", reader, template)
	var rows []row
	if err == nil {
		err = json.Unmarshal([]byte(said), &rows)
	}
	if err != nil {
		t.Fatalf("TextFSM with %s: %v\n%s\nit was given\n%s", template, err, said, text)
	}
	return rows
}

func (r row) expect(t *testing.T, template string, want map[string]any) {
	t.Helper()
	for key, value := range want {
		got, there := r[key]
		if a, b := mustJSON(t, got), mustJSON(t, value); there && a != b {
			t.Errorf("%s reads %s as %s want %s", filepath.Base(template), key, a, b)
		}
	}
}

func mustJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func TestSessions(t *testing.T) {
	o := office.New(t)
	o.Serve()
	o.AddUser("anna", password)
	o.AddUser("boris.with.a.name.that.is.long", password)
	anna := o.OpenConnect(o.Client, "anna", password)
	anna.Wait("Established DTLS connection")
	boris := o.OpenConnect(o.Client, "boris.with.a.name.that.is.long", password, "--no-dtls")

	expected := map[string]map[string]any{
		"anna": {
			"USERNAME": "anna", "INDEX": "1", "ASSIGNED_IP": anna.Address, "PUBLIC_IP": "203.0.113.9",
			"PROTOCOL": "AnyConnect-Parent SSL-Tunnel DTLS-Tunnel", "GROUP_POLICY": "phones", "TUNNEL_GROUP": "phones", "INACTIVITY": "0h:00m:00s",
			"TUNNEL": []string{"AnyConnect-Parent", "SSL-Tunnel", "DTLS-Tunnel"}, "TUNNEL_ID": []string{"1.1", "1.2", "1.3"},
			"ENCAPSULATION": []string{"TLSv1.3", "DTLSv1.2"},
		},
		"boris.with.a.name.that.is.long": {
			"INDEX": "2", "ASSIGNED_IP": boris.Address, "PROTOCOL": "AnyConnect-Parent SSL-Tunnel", "TUNNEL_ID": []string{"2.1", "2.2"},
		},
	}
	for _, template := range templates(t, "anyconnect.textfsm", "cisco_asa_show_vpn-sessiondb_anyconnect.textfsm") {
		rows := read(t, o, template, "show", "vpn-sessiondb", "anyconnect")
		if len(rows) != 2 {
			t.Fatalf("%s reads %d sessions want 2: %v", template, len(rows), rows)
		}
		for _, r := range rows {
			want := expected[r["USERNAME"].(string)]
			if want == nil {
				t.Errorf("%s reads the user %q", template, r["USERNAME"])
			}
			brief := map[string]any{}
			for key, value := range want {
				if _, isText := value.(string); isText {
					brief[key] = value
				}
			}
			r.expect(t, template, brief)
		}
	}
	ours := templates(t, "anyconnect.textfsm", "")[0]
	rows := read(t, o, ours, "show", "vpn-sessiondb", "detail", "anyconnect", "filter", "name", "anna")
	if len(rows) != 1 {
		t.Fatalf("in detail %d sessions of anna: %v", len(rows), rows)
	}
	rows[0].expect(t, ours, expected["anna"])
}

func TestSummary(t *testing.T) {
	o := office.New(t)
	o.Serve()
	o.AddUser("anna", password)
	first := o.OpenConnect(o.Client, "anna", password, "--no-dtls")
	first.Signal(syscall.SIGINT)
	first.Ended()
	second := o.OpenConnect(o.Client, "anna", password)
	second.Wait("Established DTLS connection")
	for _, template := range templates(t, "summary.textfsm", "cisco_asa_show_vpn-sessiondb.textfsm") {
		rows := read(t, o, template, "show", "vpn-sessiondb", "summary")
		if len(rows) != 1 {
			t.Fatalf("%s reads %d summaries: %v", template, len(rows), rows)
		}
		names := []string{"AnyConnect-Parent", "SSL-Tunnel", "DTLS-Tunnel"}
		rows[0].expect(t, template, map[string]any{
			"SESSION_NAME": []string{"AnyConnect Client", "SSL/TLS/DTLS"}, "SESSION_ACTIVE": []string{"1", "1"}, "SESSION_CUMULATIVE": []string{"2", "2"},
			"TOTAL": "1", "TOTAL_CUMULATIVE": "2", "CAPACITY": "61", "LOAD": "2", "TUNNEL_NAME": names, "TUNNEL_CUMULATIVE": []string{"2", "2", "1"},
			"TUNNELS_ACTIVE": "3", "TUNNELS_CUMULATIVE": "5",
			"VPN_SESSION_NAME": []string{"AnyConnect Client", "SSL/TLS/DTLS"}, "VPN_SESSION_INACTIVE": []string{"0", "0"}, "TOTAL_ACTIVE_AND_INACTIVE": "1",
			"DEVICE_TOTAL_VPN_CAPACITY": "61", "TUNNELS_SUMMARY_NAME": names, "TOTALS_CUMULATIVE": "5",
		})
	}
	if dir := os.Getenv("NTC_TEMPLATES_DIR"); dir != "" {
		template := filepath.Join(dir, "cisco_asa_show_version.textfsm")
		host, err := os.Hostname()
		if err != nil {
			t.Fatal(err)
		}
		rows := read(t, o, template, "show", "version")
		if len(rows) != 1 || rows[0]["HOSTNAME"] != host || rows[0]["VERSION"] == "" || rows[0]["UPTIME"] == "" {
			t.Errorf("%s reads %v", template, rows)
		}
	}
}
