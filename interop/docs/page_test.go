//go:build interop

package docs

import (
	"reflect"
	"strings"
	"testing"
)

func TestBlocks(t *testing.T) {
	t.Parallel()
	const fence = "```"
	page := strings.Join([]string{
		"text", fence, "longcord a \\", "  --b", "output", "$ longcord c", fence,
		"<!-- run: exit 1; prints x y; phones -->", fence, "longcord d", fence,
		fence + "yaml", "longcord e", fence,
		"<!-- run: file inventory.yaml -->", fence + "yaml", "kind: Device", fence,
		fence, "systemctl reload longcord", fence,
		"<!-- run: machine; given a b; home; until ready c -->", fence, "longcord f", fence,
		"<!-- run: apply -->", fence + "yaml", "kind: Line", fence,
	}, "\n")
	got, err := blocks(page)
	want := []block{
		{line: 2, lines: []string{"longcord a   --b", "longcord c"}},
		{line: 9, lines: []string{"longcord d"}, exit: 1, prints: []string{"x y"}, phones: true},
		{line: 16, lines: []string{"kind: Device"}, file: "inventory.yaml"},
		{line: 23, lines: []string{"longcord f"}, where: "machine", given: []string{"a b"}, home: true, until: "ready c"},
		{line: 27, lines: []string{"kind: Line"}, apply: true, file: "piece-27.yaml"},
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, wrong := range []string{
		fence + "\nlongcord a", "<!-- run: exit x -->\n" + fence + "\nlongcord a\n" + fence, "<!-- run: fly -->\n" + fence + "\n" + fence,
		"<!-- run: exit 1 -->\ntext", "<!-- run: exit 1 -->\n" + fence + "\nnothing\n" + fence,
	} {
		if got, err := blocks(wrong); err == nil {
			t.Errorf("%q: %+v", wrong, got)
		}
	}
}
