package phoneweb

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

const anOrder = `<CiscoIPPhoneExecute><ExecuteItem Priority="0" URL="Key:Settings"/><ExecuteItem Priority="2" URL="http://10.20.0.1/a?b=1&amp;c=2"/></CiscoIPPhoneExecute>`

func TestExecute(t *testing.T) {
	t.Parallel()
	items := []ExecuteItem{{URL: "Key:Settings"}, {URL: "http://10.20.0.1/a?b=1&c=2", Priority: 2}}
	b, err := AppendExecute(nil, items...)
	if err != nil || string(b) != anOrder {
		t.Errorf("written as %s (%v), want %s", b, err, anOrder)
	}
	if got, err := ParseExecute(b); err != nil || !reflect.DeepEqual(got, items) {
		t.Errorf("read as %v (%v), want %v", got, err, items)
	}
	for cut := range anOrder {
		if got, err := ParseExecute([]byte(anOrder[:cut])); err == nil {
			t.Errorf("cut at %d it is %v", cut, got)
		}
	}
	for name, wrong := range map[string]func() error{
		"no item":    func() error { _, err := AppendExecute(nil); return err },
		"four items": func() error { _, err := AppendExecute(nil, make([]ExecuteItem, 4)...); return err },
		"too long":   func() error { _, err := AppendExecute(nil, ExecuteItem{URL: strings.Repeat("x", 500)}); return err },
		"too long to read": func() error {
			_, err := ParseExecute([]byte(strings.Replace(anOrder, "Key:", strings.Repeat("x", 500), 1)))
			return err
		},
		"nothing in it": func() error { _, err := ParseExecute([]byte("<CiscoIPPhoneExecute/>")); return err },
		"another root":  func() error { _, err := ParseExecute([]byte("<CiscoIPPhoneText/>")); return err },
		"two roots":     func() error { _, err := ParseExecute([]byte(anOrder + anOrder)); return err },
	} {
		if wrong() == nil {
			t.Errorf("%s is taken", name)
		}
	}
}

func TestExecuteResponse(t *testing.T) {
	t.Parallel()
	want := []ExecuteResult{{ExecuteItem{URL: "Key:Settings"}, 0, ""}, {ExecuteItem{URL: "Dial:1"}, 1, `"no"`}}
	b := AppendExecuteResponse(nil, want)
	if got, err := ParseExecuteResponse(b); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("read as %v (%v), want %v", got, err, want)
	}
	for cut := range b {
		if got, err := ParseExecuteResponse(b[:cut]); err == nil {
			t.Errorf("cut at %d it is %v", cut, got)
		}
	}
	_, err := ParseExecuteResponse(ExecuteError(ExecuteDenied))
	var number ExecuteNumber
	if !errors.As(err, &number) || number != ExecuteDenied || !strings.Contains(err.Error(), "authorize") {
		t.Errorf("a denial is %v", err)
	}
	if _, err := ParseExecuteResponse([]byte("<html/>")); err == nil || errors.As(err, &number) && number == 0 {
		t.Errorf("a page is an answer: %v", err)
	}
}

func FuzzParseExecute(f *testing.F) {
	f.Add([]byte(anOrder))
	f.Add(AppendExecuteResponse(nil, []ExecuteResult{{ExecuteItem{URL: "Key:Settings"}, 0, "x"}}))
	f.Add(ExecuteError(ExecuteFile))
	f.Fuzz(func(t *testing.T, b []byte) {
		if items, err := ParseExecute(b); err == nil {
			if text, err := AppendExecute(nil, items...); err == nil {
				if again, err := ParseExecute(text); err != nil || len(again) != len(items) {
					t.Errorf("%q is %v, and then %v (%v)", b, items, again, err)
				}
			}
		}
		if results, err := ParseExecuteResponse(b); err == nil {
			again, err := ParseExecuteResponse(AppendExecuteResponse(nil, results))
			if err != nil || len(again) != len(results) {
				t.Errorf("%q is %v, and then %v (%v)", b, results, again, err)
			}
		}
	})
}
