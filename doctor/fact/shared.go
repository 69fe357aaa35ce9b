package fact

// Kinds that several sources tell, so that a phone's side and a gateway's side can be held against each other.
const (
	// GatewayCertificate: a certificate that a gateway presents, or that somebody pasted beside a phone's file.
	// sha1 (40 upper-case hex), depth (0: the gateway's own), subject, issuer, not-before, not-after (RFC 3339),
	// names (DNS names and addresses, by comma), key (such as "RSA 2048"), ca (true or absent), presented (true: a client
	// saw the gateway send it, or its configuration says so); what the source does not tell is absent.
	GatewayCertificate Kind = "gateway.certificate"
	// GatewayGroupURL: a URL that selects a group on the gateway; url, group.
	GatewayGroupURL Kind = "gateway.group-url"
	// GatewayPool: addresses for tunnels; network (CIDR, or FIRST-LAST), name.
	GatewayPool Kind = "gateway.pool"
	// FileURL: a gateway's URL in a phone's file; url, index (1 to 3).
	FileURL Kind = "file.url"
	// FileHash: a hash in a phone's file; sha1 (40 upper-case hex), index.
	FileHash Kind = "file.hash"
	// Device: what a phone is; any of device (SEP…), model (CP-7962G), load, ip.
	Device Kind = "device"
	// ClockState: whether NTP sets a clock; whose (in words), synchronised (true or false).
	ClockState Kind = "clock.state"
	// AskedURL: the URL that the user says the phone should reach; url.
	AskedURL Kind = "asked.url"
)
