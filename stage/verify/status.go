package verify

// ListOutcome is what became of one of the two lists when a phone started.
type ListOutcome int

// The outcomes.
const (
	ListNotOffered ListOutcome = iota // the server has none, or did not answer
	ListSame                          // it is stored already
	ListInstalled                     // the first one
	ListUpdated                       // it took the place of another
	ListFailed                        // it was not believed
)

// Status messages of phones, as their menus and web pages have them (Cisco's 8800 administration guide; the
// last one is that of the 7900).
const (
	statusBothInstalled = "CTL and ITL installed"
	statusCTLInstalled  = "CTL Installed"
	statusITLInstalled  = "ITL installed"
	statusCTLFailed     = "CTL update failed"
	statusUpdated       = "Trust List updated"
	statusFailed        = "Trust List update failed"
	statusNone          = "No Trust List installed"
	// StatusFileAuth: a signed file was refused, and the old one stays.
	StatusFileAuth = "File auth error"
)

// ListStatus returns the status message after both lists were asked for, empty where a phone says nothing.
// held: the phone has a list now.
func ListStatus(ctl, itl ListOutcome, held bool) string {
	switch {
	case itl == ListFailed:
		return statusFailed
	case ctl == ListFailed:
		return statusCTLFailed
	case ctl == ListInstalled && itl == ListInstalled:
		return statusBothInstalled
	case ctl == ListUpdated || itl == ListUpdated:
		return statusUpdated
	case ctl == ListInstalled:
		return statusCTLInstalled
	case itl == ListInstalled:
		return statusITLInstalled
	case !held:
		return statusNone
	}
	return ""
}
