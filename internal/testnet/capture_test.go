package testnet_test

import (
	"bytes"
	"slices"
	"testing"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"

	"github.com/longcord/longcord/internal/testnet"
)

func TestCaptureOfTwoInterfaces(t *testing.T) {
	t.Parallel()
	lan := newSwitch(t, "lan")
	left, right, far := newHost(t, "left", nil), newHost(t, "right", nil), newHost(t, "far", nil)
	must(t, lan.Plug(left, "eth0", nil))
	must(t, left.Address("eth0", prefix("10.1.0.1/24")))
	must(t, lan.Plug(right, "eth0", nil))
	must(t, right.Address("eth0", prefix("10.1.0.2/24")))
	var capture testnet.Capture
	must(t, capture.Tap("lan", lan.Host, testnet.SwitchInterface))
	must(t, capture.Tap("later", right, "eth1"))
	must(t, testnet.Connect(far, "eth0", prefix("10.2.0.1/24"), right, "eth1", prefix("10.2.0.2/24")))

	listen(t, right, "0.0.0.0:5000")
	_, err := ask(t, left, "10.1.0.2:5000")
	must(t, err)
	_, err = ask(t, far, "10.2.0.2:5000")
	must(t, err)

	var file bytes.Buffer
	keys := []byte("CLIENT_RANDOM 00 11\n")
	must(t, capture.Save(&file, keys))
	if !bytes.Contains(file.Bytes()[:file.Len()/2], keys) {
		t.Errorf("no keys at the front of the file")
	}
	reader, err := pcapgo.NewNgReader(&file, pcapgo.NgReaderOptions{})
	must(t, err)
	sources := map[int][]string{}
	for {
		data, info, err := reader.ReadPacketData()
		if err != nil {
			break
		}
		packet := gopacket.NewPacket(data, layers.LinkTypeEthernet, gopacket.Default)
		if ip, ok := packet.NetworkLayer().(*layers.IPv4); ok && packet.Layer(layers.LayerTypeUDP) != nil {
			// A question that had to be repeated stands in the capture twice, and so may its answer.
			if from := ip.SrcIP.String(); !slices.Contains(sources[info.InterfaceIndex], from) {
				sources[info.InterfaceIndex] = append(sources[info.InterfaceIndex], from)
			}
		}
	}
	if !slices.Equal(sources[0], []string{"10.1.0.1", "10.1.0.2"}) {
		t.Errorf("on the switch UDP came from %v, want question and answer", sources[0])
	}
	if !slices.Equal(sources[1], []string{"10.2.0.1", "10.2.0.2"}) {
		t.Errorf("on the later interface UDP came from %v, want question and answer", sources[1])
	}
	for i, want := range []string{"lan", "later"} {
		if in, err := reader.Interface(i); err != nil || in.Name != want {
			t.Errorf("interface %d is %q, %v, want %q", i, in.Name, err, want)
		}
	}
}
