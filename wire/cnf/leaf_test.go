package cnf_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/longcord/longcord/wire/cnf"
)

const leafSample = `<device>
 <vpnGroup>
  <mtu>1290</mtu>
  <addresses><url1>https://vpn.example.com/phones</url1><url2/></addresses>
  <credentials>
   <certHash1> abc
   </certHash1></credentials>
 </vpnGroup>
 <loadInformation>SIP42.9-4-2SR3-1S</loadInformation>
</device>
`

func TestLeaves(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		want       []string
		broken     bool
	}{
		{"a file", leafSample, []string{
			"3 device/vpnGroup/mtu 1290", "4 device/vpnGroup/addresses/url1 https://vpn.example.com/phones", "4 device/vpnGroup/addresses/url2 ",
			"7 device/vpnGroup/credentials/certHash1  abc\n   ", "9 device/loadInformation SIP42.9-4-2SR3-1S",
		}, false},
		{"a part", "<mtu>1290</mtu>\n<autoNetDetect>1</autoNetDetect>", []string{"1 mtu 1290", "2 autoNetDetect 1"}, false},
		{"ends that are missing", "<device><vpnGroup><mtu>1290</mtu></device><x>1</x>", []string{"1 device/vpnGroup/mtu 1290", "1 x 1"}, false},
		{"an end too many", "</a><b>1</b>", []string{"1 b 1"}, false},
		{"no XML any more", "<a>1</a>\n<b <c>2</c>", []string{"1 a 1"}, true},
		{"nothing", "", nil, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			leaves, err := cnf.Leaves([]byte(c.text))
			var got []string
			for _, l := range leaves {
				got = append(got, fmt.Sprintf("%d %s %s", l.Line, l.Path, l.Text))
			}
			if !slices.Equal(got, c.want) || (err != nil) != c.broken {
				t.Errorf("got %q, %v; want %q, broken %v", got, err, c.want, c.broken)
			}
		})
	}
}

// TestLeavesCut: a file that was cut gives what came whole, and nothing that it does not hold.
func TestLeavesCut(t *testing.T) {
	t.Parallel()
	whole, err := cnf.Leaves([]byte(leafSample))
	if err != nil {
		t.Fatal(err)
	}
	for n := range leafSample {
		cut, _ := cnf.Leaves([]byte(leafSample[:n]))
		if len(cut) > len(whole) || !slices.Equal(cut, whole[:len(cut)]) {
			t.Fatalf("cut at %d: %v", n, cut)
		}
	}
}

func FuzzLeaves(f *testing.F) {
	f.Add([]byte(leafSample))
	f.Add([]byte("<a><b></a></b>"))
	f.Fuzz(func(t *testing.T, b []byte) {
		leaves, _ := cnf.Leaves(b)
		last := 0
		for _, l := range leaves {
			if l.Line < last || l.Path == "" {
				t.Fatalf("leaf %v after line %d", l, last)
			}
			last = l.Line
		}
	})
}
