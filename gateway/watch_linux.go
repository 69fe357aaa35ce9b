package gateway

import (
	"context"
	"time"

	"github.com/vishvananda/netlink"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
)

const (
	watchEvery = 30 * time.Second // what gives no sign of itself, such as a router that lost its route
	watchPause = time.Second      // between two looks, however much changes; changes come in crowds
)

// Watch looks after the way back until ctx ends: it mends what can be mended and reports what stops the
// office from answering phones, if anything, time and again and as soon as a link or route of the host
// changes.
func (r *Routing) Watch(ctx context.Context, report func([]finding.Finding)) error {
	changed, err := hostChanges(ctx)
	if err != nil {
		r.log.Warn("changes of links and routes are not heard; they are noticed later", logging.Err, err)
	}
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(watchPause):
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-changed:
		}
		mended, err := r.Mend()
		if err != nil {
			r.log.Warn("way back not mended", logging.Err, err)
		}
		if len(mended) > 0 {
			r.log.Warn("somebody took parts of the way back away; put back", "parts", mended)
		}
		if found := r.CheckWayBack(ctx); ctx.Err() == nil {
			report(found)
		}
	}
}

// hostChanges returns a channel that holds something when links or routes have changed since it was last
// read.
func hostChanges(ctx context.Context) (<-chan struct{}, error) {
	links, routes, changed := make(chan netlink.LinkUpdate), make(chan netlink.RouteUpdate), make(chan struct{}, 1)
	if err := netlink.LinkSubscribe(links, ctx.Done()); err != nil {
		return nil, err
	}
	go notice(links, changed)
	if err := netlink.RouteSubscribe(routes, ctx.Done()); err != nil {
		return changed, err
	}
	go notice(routes, changed)
	return changed, nil
}

// notice ends when its subscription does.
func notice[T any](updates <-chan T, changed chan<- struct{}) {
	for range updates {
		select {
		case changed <- struct{}{}:
		default:
		}
	}
}
