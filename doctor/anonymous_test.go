package doctor_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
)

// TestAnonymousIsJudgedAlike has every input of the cases lead to the same with other names and addresses in its facts, so
// that what somebody sends can be judged by who gets it.
func TestAnonymousIsJudgedAlike(t *testing.T) {
	t.Parallel()
	judged := 0
	err := filepath.WalkDir(filepath.Join("testdata", "cases"), func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || strings.HasSuffix(path, ".md") {
			return err
		}
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		defer file.Close()
		c := fact.NewCollector("test", "files")
		if err := read.Input(t.Context(), c, entry.Name(), file, read.Options{Now: time.Date(2026, 12, 1, 0, 0, 0, 0, time.UTC)}); err != nil {
			return err
		}
		f := c.File()
		named, anonymous := judge.Facts(f, "test"), judge.Facts(f.Anonymous(), "test")
		if judged++; named.Verdict != anonymous.Verdict || !slices.Equal(codes(named), codes(anonymous)) {
			t.Errorf("%s: %s %v, anonymous %s %v", path, named.Verdict, codes(named), anonymous.Verdict, codes(anonymous))
		}
		return nil
	})
	if err != nil || judged < 1000 {
		t.Errorf("judged %d: %v", judged, err)
	}
}
