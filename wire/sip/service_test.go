package sip

import (
	"reflect"
	"strings"
	"testing"
)

// As Cisco's CME is documented to send it, less the multipart around it.
const checkVersion = "action=check-version\r\nRegisterCallId={001b2a89-3698011e-280209a4-567e339c@28.18.88.33}\r\n" +
	"ConfigVersionStamp={0106514225374329}\r\nDialplanVersionStamp={}\r\nSoftkeyVersionStamp={0106514225374329} \r\n"

func TestServiceControl(t *testing.T) {
	t.Parallel()
	got, err := ParseServiceControl([]byte(checkVersion))
	if err != nil {
		t.Fatal(err)
	}
	want := ServiceControl{
		Action: CheckVersion, CallID: "001b2a89-3698011e-280209a4-567e339c@28.18.88.33",
		Lines: Fields{
			{"ConfigVersionStamp", "{0106514225374329}"}, {"DialplanVersionStamp", "{}"}, {"SoftkeyVersionStamp", "{0106514225374329}"},
		},
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("parsed %v, want %v", got, want)
	}
	b, err := got.AppendBinary(nil)
	if text := strings.ReplaceAll(checkVersion, " \r\n", "\r\n"); err != nil || string(b) != text {
		t.Errorf("written as %q (%v), want %q", b, err, text)
	}
	for kind, stamp := range map[StampKind]string{ConfigStamp: "0106514225374329", DialplanStamp: ""} {
		if got, ok := got.Stamp(kind); !ok || got != stamp {
			t.Errorf("%s is %q (%v), want %q", kind, got, ok, stamp)
		}
	}
	if stamp, ok := got.Stamp(HeadsetStamp); ok {
		t.Errorf("there is a stamp of the headset: %q", stamp)
	}
}

// Servers write it with bare line feeds and without a last one; unknown lines survive.
func TestServiceControlLeniently(t *testing.T) {
	t.Parallel()
	got, err := ParseServiceControl([]byte("Action=restart\nregistercallid={a@b}\n\nSomethingNew = {x=y}\nbare=1"))
	want := ServiceControl{Action: Restart, CallID: "a@b", Lines: Fields{{"SomethingNew", "{x=y}"}, {"bare", "1"}}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("parsed %+v (%v), want %+v", got, err, want)
	}
}

func TestServiceControlRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing":         "",
		"no action":       "RegisterCallId={a}\r\n",
		"two actions":     "action=reset\r\naction=restart\r\n",
		"no key":          "action=reset\r\n=x\r\n",
		"no value":        "action=reset\r\nRegisterCallId\r\n",
		"brace left open": "action=reset\r\nRegisterCallId={a@b\r\n",
		"lone brace":      "action=reset\r\nRegisterCallId={\r\n",
		"too many lines":  "action=reset\r\n" + manyLines(),
	} {
		if s, err := ParseServiceControl([]byte(text)); err == nil {
			t.Errorf("%s: taken as %v", name, s)
		}
	}
	evil := ServiceControl{Action: Reset, CallID: "a}\r\naction=restart"}
	if b, err := evil.AppendBinary(nil); err == nil {
		t.Errorf("a line break is written: %q", b)
	}
}

func manyLines() string {
	var b strings.Builder
	for i := range maxServiceLines + 1 {
		b.WriteString(strings.Repeat("k", i+1) + "=v\n")
	}
	return b.String()
}

// A body that was cut is refused, or holds whole lines only. A bare value may be cut unseen, so the
// action, which stands bare, is checked by who obeys it.
func TestServiceControlCut(t *testing.T) {
	t.Parallel()
	whole, err := ParseServiceControl([]byte(checkVersion))
	if err != nil {
		t.Fatal(err)
	}
	for cut := range checkVersion {
		got, err := ParseServiceControl([]byte(checkVersion[:cut]))
		if err != nil {
			continue
		}
		if got.CallID != "" && got.CallID != whole.CallID {
			t.Errorf("cut at %d: call id %q", cut, got.CallID)
		}
		for i, line := range got.Lines {
			if line != whole.Lines[i] && line.Value != "" {
				t.Errorf("cut at %d: line %v, want %v", cut, line, whole.Lines[i])
			}
		}
	}
}

func FuzzServiceControl(f *testing.F) {
	f.Add([]byte(checkVersion))
	f.Add([]byte("Action=restart\nregistercallid={a@b}\n\nSomethingNew = {x=y}\nbare=1"))
	f.Add([]byte("action={}\nx={ }"))
	f.Fuzz(func(t *testing.T, b []byte) {
		first, err := ParseServiceControl(b)
		if err != nil {
			return
		}
		text, err := first.AppendBinary(nil)
		if err != nil {
			return // a carriage return inside a line
		}
		second, err := ParseServiceControl(text)
		if err != nil || !reflect.DeepEqual(first, second) {
			t.Errorf("%q is %v, written as %q and read as %v (%v)", b, first, text, second, err)
		}
	})
}
