package fact

// ForeignVPN: the log or configuration of a VPN that phones do not speak; product.
const ForeignVPN Kind = "foreign.vpn"
