package main

import (
	"crypto/sha1" // of fingerprints
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/longcord/longcord/control"
	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/trust"
	"github.com/longcord/longcord/wire/tlv"
)

// shownRecord is a record of a trust list for scripts.
type shownRecord struct {
	Role       string `json:"role"`
	Subject    string `json:"subject,omitempty"`
	Issuer     string `json:"issuer,omitempty"`
	Serial     string `json:"serial,omitempty"`
	SHA1       string `json:"certificate_sha1,omitempty"`
	DNSName    string `json:"dns_name,omitempty"`
	Address    string `json:"address,omitempty"`
	SignedThis bool   `json:"signed_this"`
}

// shownList is a trust list for scripts.
type shownList struct {
	File          string        `json:"file"`
	Bytes         int           `json:"bytes"`
	Version       string        `json:"version"`
	SignerVersion string        `json:"signer_version,omitempty"`
	Signed        time.Time     `json:"signed"`
	Digest        string        `json:"digest"`
	Signer        string        `json:"signer"`
	Verified      bool          `json:"verified" doc:"the signer is in the list and the signature fits"`
	Records       []shownRecord `json:"records"`
}

func (p *program) showListCommand(kind trust.ListKind) *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   strings.ToLower(string(kind)) + " [SEP… | FILE]",
		Short: fmt.Sprintf("Show the %s, as phones are given it", kind),
		Long: fmt.Sprintf(`Shows the %[1]s of the running system record by record, or that of one phone, or one
in a file, which needs no running system: what a phone or another server has. Exit
code 1: its own signer has not signed it.`, kind),
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			raw, err := p.trustList(c, kind, args)
			if err != nil {
				return err
			}
			list, err := verify.ReadTrustList(raw)
			if err != nil {
				return usage(err, "give a CTL or ITL as phones fetch it, such as ITLFile.tlv")
			}
			shown := shownOf(list)
			if asJSON {
				err = p.printJSON(map[string]any{"schema": 1, "list": shown})
			} else {
				err = p.printList(kind, list, shown)
			}
			if err == nil && !shown.Verified {
				return notWell(errors.New("the list is not signed by a signer that it names"))
			}
			return err
		},
	}
	jsonFlag(c, &asJSON)
	return c
}

func (p *program) trustList(c *cobra.Command, kind trust.ListKind, args []string) ([]byte, error) {
	device := ""
	if len(args) == 1 {
		device = args[0]
		if !deviceName.MatchString(device) {
			raw, err := os.ReadFile(device)
			if errors.Is(err, fs.ErrNotExist) {
				return nil, usage(err, "name a device, SEP and twelve upper-case hex digits, or a file")
			}
			return raw, err
		}
	}
	client, err := p.client()
	if err != nil {
		return nil, err
	}
	if device == "" {
		if err := p.sayUnused(c, client, kind); err != nil {
			return nil, err
		}
	}
	return client.TrustList(c.Context(), kind, device)
}

// sayUnused says so when a list is shown that no phone is given.
func (p *program) sayUnused(c *cobra.Command, client *control.Client, kind trust.ListKind) error {
	set, err := client.Set(c.Context())
	if err != nil {
		return err
	}
	for _, device := range set.Devices {
		if security := set.SecurityFor(device); kind == trust.ITL && security.ITL || kind == trust.CTL && security.CTL {
			return nil
		}
	}
	fmt.Fprintf(p.err, "no phone is given this %s: signing is off\n  hint: %s\n", kind, map[trust.ListKind]string{
		trust.ITL: "turn it on: longcord trust enable PROFILE --phone SEP…", trust.CTL: "a CTL is for profiles with clusterSecurityMode: mixed",
	}[kind])
	return nil
}

func shownOf(list *verify.TrustList) shownList {
	h := list.Header
	shown := shownList{
		File: h.FileName, Bytes: len(list.Raw), Version: h.Version.String(), Signed: h.Time, Digest: h.Digest.String(), Signer: h.Signer.Name,
		Records: []shownRecord{},
	}
	if h.SignerVersion != (tlv.Version{}) {
		shown.SignerVersion = h.SignerVersion.String()
	}
	_, shown.Verified = new(verify.TrustStore).ListOffered(time.Now(), list.Raw).(verify.Believe)
	for _, r := range list.Records {
		one := shownRecord{
			Role: r.Role.String(), Subject: r.Subject, Issuer: r.Issuer, Serial: strings.ToUpper(hex.EncodeToString(r.Serial)), DNSName: r.DNSName,
			SignedThis: r.Role == tlv.SAST && r.Is(h.Signer),
		}
		if len(r.Certificate) > 0 {
			one.SHA1 = fmt.Sprintf("%X", sha1.Sum(r.Certificate))
		}
		if r.Address.IsValid() {
			one.Address = r.Address.String()
		}
		shown.Records = append(shown.Records, one)
	}
	return shown
}

// printList prints a list in the words of CUCM's show itl and show ctl.
func (p *program) printList(kind trust.ListKind, list *verify.TrustList, shown shownList) error {
	fmt.Fprintf(p.out, "Length of %s file: %d\n", kind, shown.Bytes)
	fmt.Fprintf(p.out, "The %s File was last modified on %s\n\n", kind, shown.Signed.Format(time.UnixDate))
	rows := [][]string{
		{"Version:", shown.Version}, {"SIGNERNAME", shown.Signer}, {"SERIALNUMBER", strings.ToUpper(hex.EncodeToString(list.Header.Signer.Serial))},
		{"CANAME", list.Header.Signer.Issuer}, {"DIGESTALGORITHM", shown.Digest}, {"SIGNATURE", fmt.Sprintf("%d BYTES", len(list.Header.Signature))}, {"FILENAME", shown.File},
	}
	if shown.SignerVersion != "" {
		rows = append(rows, []string{"SIGNERVERSION", shown.SignerVersion})
	}
	if err := p.table([]string{"Parse " + string(kind) + " File"}, rows); err != nil {
		return err
	}
	for i, r := range shown.Records {
		fmt.Fprintln(p.out)
		rows := [][]string{{"SUBJECTNAME", r.Subject}, {"FUNCTION", r.Role}, {"ISSUERNAME", r.Issuer}, {"SERIALNUMBER", r.Serial}, {"CERTIFICATE", r.SHA1}}
		if r.DNSName != "" {
			rows = append(rows, []string{"DNSNAME", r.DNSName})
		}
		if r.Address != "" {
			rows = append(rows, []string{"IPADDRESS", r.Address})
		}
		if err := p.table([]string{fmt.Sprintf("%s Record #:%d", kind, i+1)}, rows); err != nil {
			return err
		}
		if r.SignedThis {
			fmt.Fprintf(p.out, "This certificate was used to sign the %s file.\n", kind)
		}
	}
	if shown.Verified {
		fmt.Fprintf(p.out, "\nThe %s file was verified successfully.\n", kind)
	}
	return nil
}
