package main

import (
	"context"
	"slices"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/logging"
)

// wayBack is what CheckWayBack of the gateway's routing can find.
var wayBack = []finding.Declaration{finding.ForwardingOff, finding.PoolOverlaps, finding.NoRouteToPool}

// watchWayBack keeps the board true of the way from the office back to phones.
func (s *system) watchWayBack(ctx context.Context) error {
	return s.routing.Watch(ctx, func(found []finding.Finding) {
		for _, f := range found {
			if s.findings.Raise(f) {
				s.log.Error("way back", logging.Finding, f.Code, "says", f.Says, "severity", string(f.Severity), "evidence", f.Evidence)
			}
		}
		for _, standing := range s.findings.Findings() {
			i := slices.IndexFunc(wayBack, func(d finding.Declaration) bool { return d.Code == standing.Code })
			if i < 0 || slices.ContainsFunc(found, func(f finding.Finding) bool { return f.Code == standing.Code && f.Subject == standing.Subject }) {
				continue
			}
			if s.findings.Clear(wayBack[i], standing.Subject) {
				s.log.Info("way back is mended", logging.Finding, standing.Code, "said", standing.Says)
			}
		}
	})
}
