package doctor_test

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
)

// FuzzDoctor has anything at all read, judged and shown.
func FuzzDoctor(f *testing.F) {
	var all []string
	for _, d := range finding.All() {
		all = append(all, d.Messages...)
		f.Add([]byte(strings.Join(d.Messages, "\n")))
	}
	f.Add([]byte(strings.Join(all, "\r\n")))
	f.Fuzz(func(t *testing.T, data []byte) {
		c := fact.NewCollector("test", "x")
		if err := read.Input(t.Context(), c, "x", bytes.NewReader(data), read.Options{Now: time.Unix(1_790_000_000, 0), Limit: 4 << 20}); err != nil {
			t.Fatal(err)
		}
		saved := c.File()
		report := judge.Facts(saved, "test")
		if report.Verdict == judge.Fault && len(report.Findings) == 0 || report.Verdict == judge.Insufficient && len(report.Needs) == 0 {
			t.Errorf("the verdict %s has no reason", report.Verdict)
		}
		var text strings.Builder
		doctor.Print(&text, saved, report, doctor.Style{Width: 60})
		if strings.ContainsAny(text.String(), "\x00\x07\x1b\u202e") {
			t.Errorf("what was read steers the terminal: %q", text.String())
		}
	})
}
