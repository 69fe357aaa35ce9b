package gateway

import "net/netip"

// A phone that has shown its manufacturer's certificate has proved its model and MAC address and nothing
// else: anybody who has such a phone in hand could be at the other end. Until it has a certificate of the
// office it reaches what gets it one, and its files.
//
// Files are TFTP, which answers from a port of its own choice, and HTTP; enrolment is CAPF, with TVS for
// the trust that it needs.
var enrolmentPorts = []struct {
	protocol  uint8
	low, high uint16
}{
	{protoUDP, 69, 69},
	{protoUDP, firstTransferPort, 65535},
	{protoTCP, 6970, 6971},
	{protoTCP, 2445, 2445}, // TVS
	{protoTCP, 3804, 3804}, // CAPF
}

// firstTransferPort is the lowest that the kernel gives to sockets that ask for none, unless it was told
// otherwise.
const firstTransferPort = 32768

// enrolmentOnly narrows what a policy permits to the inside address's ports for enrolment and files, and
// names at the policy's servers.
func enrolmentOnly(policy *filter, inside netip.Addr, dns []netip.Addr) *filter {
	f := &filter{hits: make(hits, 1), within: policy}
	for _, p := range enrolmentPorts {
		f.permit(p.protocol, inside, p.low, p.high)
	}
	for _, server := range dns {
		f.permit(protoUDP, server, 53, 53)
		f.permit(protoTCP, server, 53, 53)
	}
	return f
}
