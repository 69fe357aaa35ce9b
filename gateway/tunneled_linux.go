package gateway

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// tunneledRoute is a default route for what came out of a tunnel only. Two rules of the routing policy make
// it: first such packets look in the main table, where its default routes do not count; then in a table of
// ours, which holds nothing but this route.
type tunneledRoute struct {
	kernel *netlink.Handle
	rules  []*netlink.Rule
	routes []*netlink.Route
}

const (
	tunneledTable    = 0x4c43_ffff // far from what people number by hand
	tunneledPriority = 10_100      // and the next; before the main table's 32766
)

// openTunneledRoute makes the route by next hops in the office, and removes what a gateway that was killed
// left of one.
func openTunneledRoute(kernel *netlink.Handle, tun string, office netlink.Link, hops []netip.Addr) (*tunneledRoute, error) {
	t := &tunneledRoute{kernel: kernel}
	if err := t.removeOld(); err != nil {
		return t, err
	}
	for _, hop := range hops {
		family, size := unix.AF_INET, hop.BitLen()
		if hop.Is6() {
			family = unix.AF_INET6
		}
		everything := &net.IPNet{IP: make(net.IP, size/8), Mask: net.CIDRMask(0, size)}
		t.routes = append(t.routes, &netlink.Route{
			LinkIndex: office.Attrs().Index, Family: family, Table: tunneledTable, Dst: everything, Gw: hop.AsSlice(),
		})
		better, last := netlink.NewRule(), netlink.NewRule()
		better.Family, better.IifName, better.Table, better.SuppressPrefixlen, better.Priority = family, tun, unix.RT_TABLE_MAIN, 0, tunneledPriority
		last.Family, last.IifName, last.Table, last.Priority = family, tun, tunneledTable, tunneledPriority+1
		t.rules = append(t.rules, better, last)
	}
	for i, route := range t.routes {
		if err := kernel.RouteReplace(route); err != nil {
			return t, fmt.Errorf("tunneled default route: next hop %s on %s: %w", hops[i], office.Attrs().Name, err)
		}
	}
	for _, rule := range t.rules {
		if err := kernel.RuleAdd(rule); err != nil {
			return t, fmt.Errorf("tunneled default route: rule %d: %w", rule.Priority, err)
		}
	}
	return t, nil
}

// removeOld removes what stands in our table, and the rules that lead packets past the main default route
// to it.
func (t *tunneledRoute) removeOld() error {
	var errs []error
	for _, family := range []int{netlink.FAMILY_V4, netlink.FAMILY_V6} {
		present, err := t.presentRules(family)
		errs = append(errs, err)
		for _, rule := range present {
			errs = append(errs, t.kernel.RuleDel(&rule))
		}
		routes, err := t.presentRoutes(family)
		errs = append(errs, err)
		for _, route := range routes {
			errs = append(errs, t.kernel.RouteDel(&route))
		}
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("tunneled default route of before: %w", err)
	}
	return nil
}

func (t *tunneledRoute) presentRules(family int) ([]netlink.Rule, error) {
	all, err := t.kernel.RuleList(family)
	return slices.DeleteFunc(all, func(r netlink.Rule) bool {
		return r.Priority != tunneledPriority && r.Priority != tunneledPriority+1 || r.IifName == ""
	}), err
}

func (t *tunneledRoute) presentRoutes(family int) ([]netlink.Route, error) {
	return t.kernel.RouteListFiltered(family, &netlink.Route{Table: tunneledTable}, netlink.RT_FILTER_TABLE)
}

// mend puts back what is missing, and tells whether anything was.
func (t *tunneledRoute) mend() (mended bool, err error) {
	for _, rule := range t.rules {
		present, err := t.presentRules(rule.Family)
		if err != nil {
			return mended, err
		}
		if !slices.ContainsFunc(present, func(p netlink.Rule) bool { return p.Priority == rule.Priority }) {
			mended = true
			if err := t.kernel.RuleAdd(rule); err != nil {
				return mended, err
			}
		}
	}
	for _, route := range t.routes {
		present, err := t.presentRoutes(route.Family)
		if err != nil {
			return mended, err
		}
		if len(present) == 0 {
			mended = true
			if err := t.kernel.RouteReplace(route); err != nil {
				return mended, err
			}
		}
	}
	return mended, nil
}

func (t *tunneledRoute) close() error {
	if t == nil || len(t.routes) == 0 {
		return nil
	}
	return t.removeOld()
}
