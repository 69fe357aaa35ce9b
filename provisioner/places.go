package provisioner

import (
	"net/netip"
	"sync"
)

// places bounds the TFTP transfers under way, in all and for each address.
type places struct {
	mu        sync.Mutex
	peers     map[netip.AddrPort]struct{}
	ofAddress map[netip.Addr]int
}

type place int

const (
	placeTaken place = iota
	placeHeld        // this very peer has a transfer already
	placeNone        // the limit is reached
)

func newPlaces() *places {
	return &places{peers: map[netip.AddrPort]struct{}{}, ofAddress: map[netip.Addr]int{}}
}

func (p *places) take(peer netip.AddrPort) place {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, held := p.peers[peer]; held {
		return placeHeld
	}
	if len(p.peers) >= tftpMaxTransfers || p.ofAddress[peer.Addr()] >= tftpMaxPerPeer {
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
