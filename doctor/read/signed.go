package read

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha1"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/wire/cnf"
	"github.com/longcord/longcord/wire/tlv"
)

// maxSigned bounds a signed file or a trust list, in bytes: a phone's file and its header.
const maxSigned = cnf.MaxSize + 64<<10

// Signed and encrypted files and trust lists: .sgn, .enc.sgn, .tlv.
var _ = recogniseBinary(Binary{
	Format: "signed file or trust list of a phone", Platform: finding.Phone,
	Is: func(head []byte) bool {
		return len(head) > 10 && bytes.HasPrefix(head, []byte{1, 0, 2}) && bytes.HasPrefix(head[5:], []byte{2, 0, 2})
	},
	Read: readSigned,
})

func readSigned(_ context.Context, in *fact.Input, r *bufio.Reader, o Options) error {
	b, err := io.ReadAll(io.LimitReader(r, maxSigned))
	if err != nil {
		return err
	}
	f, err := tlv.Parse(b)
	if err != nil {
		in.Source().Problem = "it begins like a signed file and cannot be read: " + err.Error()
		return nil
	}
	h := f.Header
	said := fmt.Sprintf("%s, signed by %s on %s", h.FileName, h.Signer.Name, h.Time.UTC().Format(time.DateTime))
	signer := pairs("file", h.FileName, "subject", h.Signer.Name, "issuer", h.Signer.Issuer, "serial", fmt.Sprintf("%X", h.Signer.Serial))
	device := strings.ToUpper(sepName.FindString(h.FileName))
	if h.Version.Major == tlv.VersionList.Major && h.Version.Minor == tlv.VersionList.Minor {
		return tellList(in, f, said, signer)
	}
	in.Add(fact.SEPSigner, 0, said, h.Time, signer...)
	if device != "" {
		in.Add(fact.Device, 0, said, h.Time, "device", device)
	}
	if h.Encryption != nil {
		in.Add(fact.SEPFile, 0, said, h.Time, pairs("device", device, "form", "encrypted")...)
		return nil
	}
	return text(in, bufio.NewReaderSize(bytes.NewReader(f.Content), maxLine), f.Content[:min(len(f.Content), headSize)], o)
}

// tellList tells who is in a trust list.
func tellList(in *fact.Input, f *tlv.File, text string, signer []string) error {
	records, err := f.Records()
	if err != nil {
		in.Source().Problem = err.Error()
	}
	in.Add(fact.TrustList, 0, text, f.Header.Time, append(signer, "records", strconv.Itoa(len(records)))...)
	for _, r := range records {
		hash := ""
		if len(r.Certificate) > 0 {
			hash = fmt.Sprintf("%X", sha1.Sum(r.Certificate))
		}
		host := r.DNSName
		if host == "" && r.Address.IsValid() {
			host = r.Address.String()
		}
		in.Add(fact.TrustRecord, 0, r.String(), time.Time{}, pairs("list", f.Header.FileName, "role", r.Role.String(), "subject", r.Subject,
			"issuer", r.Issuer, "serial", fmt.Sprintf("%X", r.Serial), "sha1", hash, "host", host)...)
	}
	return nil
}
