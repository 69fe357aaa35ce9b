package asterisk

import (
	"fmt"
	"strings"
	"testing"
)

const sample = `; comment
[general]
context=default ; behind
[office](!)
type = friend
host => dynamic
;-- over
[hidden]
several lines --; 
[1001](office)
secret = a\;b
[1002](office,nowhere)
secret=c
#include "more.conf"
#tryinclude "none.conf"
#include <none.conf>
#exec /bin/false
[1001](+)
callerid = "Anna" <1001>
prose
`

func files(name string) (string, []byte, bool) {
	if name != "more.conf" {
		return "", nil, false
	}
	return "dir/more.conf", []byte("mailbox=5\n[1003](office)\n"), true
}

func TestRead(t *testing.T) {
	t.Parallel()
	f, err := Read("sip.conf", []byte(sample), files)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, s := range f.Sections {
		line := fmt.Sprintf("%s:%d [%s] %v", s.File, s.Line, s.Name, s.Template)
		for _, each := range s.Settings {
			line += fmt.Sprintf(" %s=%s", each.Key, each.Value)
		}
		got = append(got, line)
	}
	for _, r := range f.Remarks {
		got = append(got, fmt.Sprintf("%s:%d %s", r.File, r.Line, r.Says))
	}
	want := `sip.conf:2 [general] false context=default
sip.conf:4 [office] true type=friend host=dynamic
sip.conf:10 [1001] false type=friend host=dynamic secret=a;b callerid="Anna" <1001>
sip.conf:12 [1002] false type=friend host=dynamic secret=c mailbox=5
dir/more.conf:2 [1003] false type=friend host=dynamic
sip.conf:12 takes after nowhere, which does not stand above it
sip.conf:16 the file is not among those that were given
sip.conf:17 is not followed: only files that are given are read
sip.conf:20 is neither a section nor key = value`
	if strings.Join(got, "\n") != want {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), want)
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	grow := "[t](!)\n" + strings.Repeat("a=b\n", 1000) + strings.Repeat("[s](t)\n", 1000)
	for name, text := range map[string]string{"binary": "[a]\x00", "long line": strings.Repeat("x", maxLine+1), "size": strings.Repeat(";\n", MaxSize), "templates": grow} {
		if _, err := Read("x", []byte(text), files); err == nil {
			t.Errorf("%s: read without complaint", name)
		}
	}
	circle := func(string) (string, []byte, bool) { return "circle", []byte("#include circle\n"), true }
	if f, err := Read("x", []byte("#include circle\n"), circle); err != nil || len(f.Remarks) != 1 {
		t.Errorf("a circle of includes: %+v, %v", f, err)
	}
}

// TestTruncated: sections before the cut stay as they are.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for cut := range len(sample) {
		f, err := Read("sip.conf", []byte(sample[:cut]), files)
		if err != nil {
			t.Fatal(err)
		}
		if cut > strings.Index(sample, "[1002]") && f.Sections[2].Name != "1001" {
			t.Fatalf("cut to %d bytes, the third section is %s", cut, f.Sections[2].Name)
		}
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(sample))
	f.Add([]byte("[a](a)\n[a](!,+)\nx\n;--\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		file, err := Read("x", text, func(name string) (string, []byte, bool) { return "y", text, len(name)%2 == 0 })
		if err != nil {
			return
		}
		n := 0
		for _, s := range file.Sections {
			n += len(s.Settings)
		}
		if n > maxSettings {
			t.Fatalf("%d settings", n)
		}
	})
}
