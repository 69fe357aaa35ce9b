package provision

import "testing"

func BenchmarkFile(b *testing.B) {
	set := whole(b)
	for b.Loop() {
		if _, err := renderer.File(set, "SEP001122334401.cnf.xml"); err != nil {
			b.Fatal(err)
		}
	}
}
