package fact

import "github.com/longcord/longcord/stage"

// What the logs of file servers and DHCP servers tell, and dnsmasq's configuration. Client is the address that asked.
const (
	// FileSent: a file was given out; name (without folders), client.
	FileSent Kind = "files.sent"
	// FileHeld: a file that the server has, or what it needs to make it; name, client (absent: nobody asked).
	FileHeld Kind = "files.held"
	// FileMissing: a file that the server does not have; name, client.
	FileMissing Kind = "files.missing"
	// FileDenied: a file that the server has or not, and gives nobody; name, client, reason.
	FileDenied Kind = "files.denied"
	// FileBroken: a transfer began and did not end; name, client. A symptom.
	FileBroken Kind = "files.broken"
	// FileServerDown: a file server did not start; program.
	FileServerDown Kind = "files.server-down"
	// FileServerFull: a file server has as many requests at hand as it takes, and serves nobody. No values.
	FileServerFull Kind = "files.server-full"
	// DHCPFiles: a DHCP server names file servers; option (150, 66), servers (by comma), by (the DHCP server's address, or
	// absent), to (the client's MAC address, or absent).
	DHCPFiles Kind = "dhcp.files"
	// DHCPText: a DHCP server sends option 150 as text, where phones read addresses; servers.
	DHCPText Kind = "dhcp.text"
	// DNSMasqSetting: a setting of dnsmasq.conf that bears on phones; key, value.
	DNSMasqSetting Kind = "dnsmasq.setting"
)

var _ = symptom(FileBroken, stage.Provision,
	"send a capture of such a transfer, taken at the file server: `tcpdump -i any -w files.pcap udp and host PHONE`")
