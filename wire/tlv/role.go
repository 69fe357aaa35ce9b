package tlv

import "fmt"

// Role is what a certificate may do, as phones see it (docs/wire/trust-lists.md#roles).
type Role uint16

// The published roles. Other numbers occur and are kept.
const (
	SAST      Role = 0  // signs trust lists; "System Administrator Security Token"
	CCM       Role = 1  // is a call manager
	CCMTFTP   Role = 2  // is a call manager and signs files
	TFTP      Role = 3  // signs files, or is the HTTPS file server
	CAPF      Role = 4  // enrols phones
	AppServer Role = 7  // is some other server
	TVS       Role = 21 // answers phones' questions about certificates
)

// String returns the role as Cisco's listings print it.
func (r Role) String() string {
	switch r {
	case SAST:
		return "System Administrator Security Token"
	case CCM:
		return "CCM"
	case CCMTFTP:
		return "CCM+TFTP"
	case TFTP:
		return "TFTP"
	case CAPF:
		return "CAPF"
	case AppServer:
		return "APP-SERVER"
	case TVS:
		return "TVS"
	}
	return fmt.Sprintf("role %d", uint16(r))
}

// SignsFiles reports whether a certificate of this role may sign files.
func (r Role) SignsFiles() bool { return r == TFTP || r == CCMTFTP }
