package phone

import "net/netip"

// mediaStream is the sound of one call. It is made before the far end is known, because an offer names
// the port that it listens on.
type mediaStream interface {
	// LocalPort is the even UDP port, 16384 to 32766, that the stream receives on.
	LocalPort() int
	// Start begins to send to remote with an RTP payload type of G.711 (0 or 8), and to count what
	// comes back. A second Start moves a running stream to another remote.
	Start(remote netip.AddrPort, payloadType uint8)
	// Stop ends the stream, frees its port and returns what was measured. It may be called without Start.
	Stop() Media
}

// openMedia makes the stream of one call on the given own address.
type openMedia func(local netip.Addr) (mediaStream, error)
