//go:build interop

package rollover_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/interop/office"
)

// The files of a call manager of others, on a TFTP server of others.
const foreignFile = `<?xml version="1.0" encoding="UTF-8"?>
<device><vpnGroup><mtu>1290</mtu><enableHostIDCheck>1</enableHostIDCheck>
<addresses><url1>%s</url1></addresses>
<credentials><hashAlg>0</hashAlg>%s</credentials></vpnGroup></device>
`

func certHash(t *testing.T, fingerprint string) string {
	t.Helper()
	sum, err := hex.DecodeString(fingerprint)
	must(t, err)
	return base64.StdEncoding.EncodeToString(sum)
}

// TestAudit asks about phones whose files lie on another's TFTP server, before openssl's new certificate is
// presented.
func TestAudit(t *testing.T) {
	t.Parallel()
	server := office.Peer(t, "in.tftpd")
	h := newHouse(t)
	files := t.TempDir()
	must(t, os.Chmod(files, 0o755))
	now, ecdsa, next := h.presented(), h.met("443", "-tls1_3"), h.newCertificate("next")
	file := func(url string, fingerprints ...string) string {
		hashes := ""
		for i, f := range fingerprints {
			hashes += fmt.Sprintf("<certHash%d>%s</certHash%d>", i+1, certHash(t, f), i+1)
		}
		return fmt.Sprintf(foreignFile, url, hashes)
	}
	for name, content := range map[string]string{
		"SEP000000000001.cnf.xml":     file(office.URL, now, ecdsa, next),
		"SEP000000000002.cnf.xml":     file(office.URL, now),
		"SEP000000000003.cnf.xml":     file(office.URL, strings.Repeat("AB", 20)),
		"SEP000000000004.cnf.xml.sgn": "\x01\x00\x02\x01\x02" + strings.Repeat("\x99", 400) + file(office.URL, now, ecdsa, next),
		"SEP000000000005.cnf.xml":     file("https://other.example.net/", now),
		"SEP000000000008.cnf.xml":     file(office.URL, now, next),
		"SEP000000000006.cnf.xml":     "\x00\x01rubbish",
	} {
		must(t, os.WriteFile(filepath.Join(files, name), []byte(content), 0o644))
	}
	list := filepath.Join(h.dir, "phones.csv")
	must(t, os.WriteFile(list, []byte("Device Name,Description\nsep000000000001,\"a\"\nSEP000000000002,b\nSEP000000000003,c\nSEP000000000004,d\nSEP000000000005,e\nSEP000000000006,f\nSEP000000000007,g\nSEP000000000008,h\n"), 0o600))
	h.Start(h.Inside, server, "-L", "-a", office.Desk+":69", "-s", "-u", "root", files)

	args := []string{"certs", "audit", "--url", office.URL, "--tftp", office.Desk, "--phones", list, "--new", filepath.Join(h.dir, "next.pem")}
	h.refused(1, args, "SEP000000000002  would-lose", "SEP000000000003  locked-out", "SEP000000000005  apart", "SEP000000000006  unknown",
		"SEP000000000007  unknown: the file server has no file", "SEP000000000008  unknown: the gateway also presents an ECDSA certificate",
		"2 stay, 1 would be lost, 1 are locked out, 1 do not come here, 3 cannot be told", "1 of 8 phones would be locked out by the new certificate")
	out, code := h.command("", append(args, "--json")...)
	var report struct {
		Schema int
		Phones []struct{ Device, Outcome string }
		Counts map[string]int
	}
	if err := json.Unmarshal([]byte(out), &report); err != nil || code != 1 || report.Schema != 1 || len(report.Phones) != 8 || report.Counts["stays"] != 2 {
		t.Errorf("as JSON: exit code %d, %v\n%s", code, err, out)
	}

	must(t, os.WriteFile(list, []byte("SEP000000000001 SEP000000000004"), 0o600))
	h.good("", args...)
	must(t, os.WriteFile(list, []byte("SEP000000000001 SEP000000000007"), 0o600))
	h.refused(3, args, "of 1 of 2 phones nothing can be told")

	// Our own phones, by HTTP.
	must(t, os.WriteFile(list, []byte(desk+"\n"+home+"\n"), 0o600))
	h.good("", "certs", "audit", "--url", office.URL, "--tftp", office.Inside, "--phones", list)
}

// TestAuditOfOthers asks about gateways that openssl plays: one of many years ago, one of today, and one that lets in by
// certificate alone.
func TestAuditOfOthers(t *testing.T) {
	t.Parallel()
	server, program := office.Peer(t, "in.tftpd"), office.Peer(t, "openssl")
	h := newHouse(t)
	files := t.TempDir()
	must(t, os.Chmod(files, 0o755))
	list := filepath.Join(h.dir, "phones.csv")
	must(t, os.WriteFile(list, []byte("SEP000000000001,SEP000000000002"), 0o600))
	theirs, next := h.newCertificate("theirs"), h.newCertificate("next")
	unchecked := strings.Replace(foreignFile, "<enableHostIDCheck>1", "<enableHostIDCheck>0", 1) // they name another host
	h.Start(h.Inside, server, "-L", "-a", office.Desk+":69", "-s", "-u", "root", files)
	for port, flags := range map[string]string{
		"8001": "-tls1 -cipher AES128-SHA:@SECLEVEL=0", "8002": "-tls1_2", "8003": "-tls1_3", "8004": "-tls1_2 -Verify 1 -verify_return_error", "8005": "-tls1_3 -Verify 1 -verify_return_error",
	} {
		gateway := h.Start(h.Client, program, append([]string{"s_server", "-www", "-accept", authority + ":" + port, "-cert", filepath.Join(h.dir, "theirs.pem"), "-key", filepath.Join(h.dir, "theirs.key")}, strings.Fields(flags)...)...)
		gateway.Wait("ACCEPT")
		url := "https://" + authority + ":" + port + "/phone"
		for name, hashes := range map[string]string{
			"SEP000000000001": "<certHash1>" + certHash(t, theirs) + "</certHash1><certHash2>" + certHash(t, next) + "</certHash2>",
			"SEP000000000002": "<certHash1>" + certHash(t, theirs) + "</certHash1>",
		} {
			must(t, os.WriteFile(filepath.Join(files, name+".cnf.xml"), []byte(fmt.Sprintf(unchecked, url, hashes)), 0o644))
		}
		args := []string{"certs", "audit", "--url", url, "--tftp", office.Desk, "--phones", list}
		if out := h.good("", args...); !strings.Contains(out, "2 stay") {
			t.Errorf("s_server %s:\n%s", flags, out)
		}
		h.refused(1, append(args, "--new", filepath.Join(h.dir, "next.pem")), "SEP000000000002  would-lose", "1 stay")
		gateway.Kill()
	}
}
