package provisioner

import (
	"net/netip"
	"sync"
)

// places bounds how much is under way at once, in all and for each address, so that one that takes all it
// can get leaves enough to the others.
type places struct {
	inAll, perAddress int

	mu        sync.Mutex
	peers     map[netip.AddrPort]struct{}
	ofAddress map[netip.Addr]int
}

type place int

const (
	placeTaken place = iota
	placeHeld        // this very peer has one already
	placeNone        // the limit is reached
)

func newPlaces(inAll, perAddress int) *places {
	return &places{
		inAll: inAll, perAddress: perAddress,
		peers: map[netip.AddrPort]struct{}{}, ofAddress: map[netip.Addr]int{},
	}
}

func (p *places) take(peer netip.AddrPort) place {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, held := p.peers[peer]; held {
		return placeHeld
	}
	if len(p.peers) >= p.inAll || p.ofAddress[peer.Addr()] >= p.perAddress {
		return placeNone
	}
	p.peers[peer] = struct{}{}
	p.ofAddress[peer.Addr()]++
	return placeTaken
}

func (p *places) free(peer netip.AddrPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.peers, peer)
	if p.ofAddress[peer.Addr()]--; p.ofAddress[peer.Addr()] == 0 {
		delete(p.ofAddress, peer.Addr())
	}
}

func (p *places) taken() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.peers)
}
