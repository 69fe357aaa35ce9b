package strictyaml_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/internal/strictyaml"
)

type shared struct {
	MTU *int `json:"mtu,omitempty"`
}

type entry struct {
	Action string `json:"action"`
	Ports  string `json:"ports,omitempty"`
}

type thing struct {
	Name    string            `json:"name"`
	Numbers []string          `json:"numbers,omitempty"`
	On      bool              `json:"on,omitempty"`
	Port    uint16            `json:"port,omitempty"`
	Entries []entry           `json:"entries,omitempty"`
	Words   map[string]string `json:"words,omitempty"`
	Secret  secret.String     `json:"secret,omitzero"`
	shared
}

func read(t *testing.T, text string) (thing, error) {
	t.Helper()
	documents, err := strictyaml.Parse("thing.yaml", []byte(text))
	if err != nil {
		return thing{}, err
	}
	if len(documents) != 1 {
		t.Fatalf("%d documents, want 1", len(documents))
	}
	var got thing
	return got, documents[0].Decode(&got)
}

func TestRoundTrip(t *testing.T) {
	t.Parallel()
	mtu := 1300
	want := thing{
		Name: "yes", Numbers: []string{"0101", "1e3", "true", "~", "*31", "# no comment", "", " x", "a: b", "0x10", "+4930"}, On: true, Port: 5060,
		Entries: []entry{{"permit", "5060"}, {"deny", ""}}, Words: map[string]string{"b": "010", "a": "1,7", "#": ""}, Secret: secret.New("line one\nline two\n"), shared: shared{&mtu},
	}
	text, err := strictyaml.Encoding{Secrets: true}.Encode(&want, strictyaml.Pair{Key: "kind", Value: "Thing"})
	if err != nil {
		t.Fatal(err)
	}
	documents, err := strictyaml.Parse("thing.yaml", text)
	if err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	var got thing
	if err := documents[0].Decode(&got, "kind"); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(thing{}, secret.String{})); diff != "" {
		t.Errorf("want -, got +:\n%s\n%s", diff, text)
	}
	if kind, _ := documents[0].Text("kind"); kind != "Thing" {
		t.Errorf("kind is %q, want Thing", kind)
	}
}

func TestEncodeLeavesSecretsOut(t *testing.T) {
	t.Parallel()
	text, err := strictyaml.Encoding{}.Encode(&thing{Name: "north", Secret: secret.New("hush")})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(text), "name: north\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestUnquotedNumbersKeepTheirText(t *testing.T) {
	t.Parallel()
	got, err := read(t, "name: 0101\nnumbers: [007, 1_000, 0o17, 1.50]\n")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"0101", "007", "1_000", "0o17", "1.50"}, append([]string{got.Name}, got.Numbers...)); diff != "" {
		t.Error(diff)
	}
}

func TestProblems(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want, excerpt, hint string }{
		{"unknown key", "name: x\nnubmers: [1]\n", `thing.yaml:2: "nubmers" is not a key here`, "nubmers: [1]", `did you mean "numbers"?`},
		{"unknown, unlike any", "name: x\ncolour: red\n", `thing.yaml:2: "colour" is not a key here`, "colour: red", "the keys are: name, numbers"},
		{"nested unknown key", "name: x\nentries:\n  - action: permit\n    prots: 1\n", `thing.yaml:4: "prots" is not a key here`, "    prots: 1", `did you mean "ports"?`},
		{"key twice", "name: x\nname: y\n", `thing.yaml:2: `, "name: y", ""},
		{"not a list", "numbers: 1001\n", `thing.yaml:1: numbers has a plain value where a list is expected`, "numbers: 1001", "numbers: [first, second]"},
		{"list for a value", "name: [a]\n", `thing.yaml:1: name has a list where one value is expected`, "name: [a]", ""},
		{"no number", "mtu: wide\n", `thing.yaml:1: mtu: "wide" is no whole number`, "mtu: wide", ""},
		{"no port", "port: 65536\n", `thing.yaml:1: port: "65536" is no whole number from 0 to 65535`, "port: 65536", ""},
		{"no bool", "on: yes\n", `thing.yaml:1: on: "yes" is neither true nor false`, "on: yes", "write true or false"},
		{"quoted bool", "on: \"true\"\n", `thing.yaml:1: on: "true" is neither`, `on: "true"`, "write true or false"},
		{"anchor", "name: &a x\n", `thing.yaml:1: name has an anchor or alias`, "name: &a x", ""},
		{"alias", "name: x\nnumbers: *a\n", `thing.yaml:2: `, "numbers: *a", ""},
		{"tag", "name: !!str x\n", `thing.yaml:1: name has a tag`, "name: !!str x", ""},
		{"not a mapping", "- a\n- b\n", `thing.yaml:1: has a list where keys and values are expected`, "- a", ""},
		{"scalar", "hello\n", `thing.yaml:1: has a plain value where keys`, "hello", ""},
		{"syntax", "name: x\n  port: 1\n", `thing.yaml:1: is no YAML: mapping value is not allowed`, "name: x", "indentation"},
		{"tab", "name:\n\t- x\n", `thing.yaml:2: is no YAML`, "\t- x", "indentation"},
		{"open quote", "name: \"x\n", `thing.yaml:1: is no YAML`, "name: \"x", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, test.text)
			var problems strictyaml.Problems
			if !errors.As(err, &problems) {
				t.Fatalf("got %v, want Problems", err)
			}
			p := problems[0]
			if !strings.HasPrefix(p.Error(), test.want) {
				t.Errorf("got %q, want it to begin with %q", p.Error(), test.want)
			}
			if p.Excerpt != test.excerpt {
				t.Errorf("excerpt %q, want %q", p.Excerpt, test.excerpt)
			}
			if !strings.Contains(p.Hint, test.hint) {
				t.Errorf("hint %q, want %q in it", p.Hint, test.hint)
			}
		})
	}
}

func TestEveryProblemIsTold(t *testing.T) {
	t.Parallel()
	_, err := read(t, "nane: x\nmtu: wide\non: maybe\n")
	var problems strictyaml.Problems
	if !errors.As(err, &problems) || len(problems) != 3 {
		t.Errorf("got %v, want three problems", err)
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{"name: x\n", "a: &a [*a]\n", "? a\n: b\n", "<<: {a: b}\n", "---\n---\n", "a: |\n  x\n", "\t", "{", "entries: [{action: x}]", "name:\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		documents, err := strictyaml.Parse("fuzz.yaml", []byte(text))
		if err != nil {
			return
		}
		for _, document := range documents {
			var got thing
			if document.Decode(&got) != nil {
				continue
			}
			if _, err := (strictyaml.Encoding{Secrets: true}).Encode(&got); err != nil {
				t.Fatal(err)
			}
		}
	})
}
