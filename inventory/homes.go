package inventory

import "net/netip"

// homeNetwork is a network that many homes have because their routers come with it.
type homeNetwork struct {
	network netip.Prefix
	whose   string
}

// homeNetworks are what makers of routers and phones for homes set by themselves. That a home may have any other
// private network, too, cannot be helped; these it has most likely.
var homeNetworks = []homeNetwork{
	{netip.MustParsePrefix("192.168.0.0/24"), "many routers, such as D-Link, TP-Link and Netgear"},
	{netip.MustParsePrefix("192.168.1.0/24"), "many routers, such as ASUS, Linksys and ZyXEL"},
	{netip.MustParsePrefix("192.168.2.0/24"), "Speedport and Belkin routers"},
	{netip.MustParsePrefix("192.168.8.0/24"), "Huawei routers"},
	{netip.MustParsePrefix("192.168.10.0/24"), "some routers"},
	{netip.MustParsePrefix("192.168.50.0/24"), "ASUS routers"},
	{netip.MustParsePrefix("192.168.86.0/24"), "Google's routers"},
	{netip.MustParsePrefix("192.168.100.0/24"), "cable modems and some routers"},
	{netip.MustParsePrefix("192.168.178.0/24"), "FRITZ!Box routers"},
	{netip.MustParsePrefix("10.0.0.0/24"), "Xfinity and some other routers"},
	{netip.MustParsePrefix("10.0.1.0/24"), "Apple's base stations"},
	{netip.MustParsePrefix("10.1.1.0/24"), "some routers"},
	{netip.MustParsePrefix("172.16.0.0/24"), "some routers"},
	{netip.MustParsePrefix("172.20.10.0/28"), "iPhones that share their connection"},
}

// HomeNetwork returns the network that many homes have and that shares addresses with p, and whose it is.
func HomeNetwork(p netip.Prefix) (network netip.Prefix, whose string, ok bool) {
	for _, home := range homeNetworks {
		if home.network.Overlaps(p) {
			return home.network, home.whose, true
		}
	}
	return netip.Prefix{}, "", false
}
