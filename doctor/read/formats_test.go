package read

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/longcord/longcord/finding"
)

// TestFormats holds the table of formats in the manual against the recognisers.
func TestFormats(t *testing.T) {
	t.Parallel()
	const (
		path  = "../../docs/operate/doctor.md"
		begin = "| of | recognised |\n| --- | --- |\n"
	)
	of := map[finding.Platform][]string{}
	for _, r := range recognisers() {
		of[r.Platform] = append(of[r.Platform], r.Format)
	}
	for _, b := range binaries {
		of[b.Platform] = append(of[b.Platform], b.Format)
	}
	want := ""
	for _, row := range []struct {
		platform finding.Platform
		words    string
	}{
		{finding.Phone, "phones"}, {finding.ASA, "ASA"}, {finding.CUCM, "CUCM"}, {finding.IOS, "IOS with CME"}, {finding.Ocserv, "ocserv"},
		{finding.Asterisk, "Asterisk"}, {finding.Kamailio, "Kamailio"}, {finding.Longcord, "Longcord"}, {"", "any"},
	} {
		slices.Sort(of[row.platform])
		want += fmt.Sprintf("| %s | %s |\n", row.words, strings.Join(of[row.platform], "; "))
		delete(of, row.platform)
	}
	if len(of) > 0 {
		t.Errorf("the table has no row for %v", of)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	before, after, ok := strings.Cut(string(text), begin)
	if !ok {
		t.Fatalf("%s has no table of formats", path)
	}
	got, after, _ := strings.Cut(after, "\n\n")
	if os.Getenv("UPDATE") != "" {
		if err := os.WriteFile(path, []byte(before+begin+want+"\n"+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if got+"\n" != want {
		t.Errorf("the table in %s is not what is recognised; run: UPDATE=1 go test ./doctor/read -run TestFormats\ngot:\n%s\nwant:\n%s", path, got, want)
	}
}
