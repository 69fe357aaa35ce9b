package vpnauth

// Opaque is the element that a gateway sends with its question and clients send back byte for byte: which
// tunnel group the question was for, and the name it was chosen by. What comes back proves nothing.
func Opaque(tunnelGroup, alias string) []byte {
	var w writer
	w.open("opaque", "is-for", "sg")
	w.leaf("tunnel-group", tunnelGroup)
	w.optional("group-alias", alias)
	w.close("opaque")
	return w.b
}

// OpaqueGroup returns the tunnel group in an opaque element, which may be another gateway's. It is empty
// when there is none.
func OpaqueGroup(opaque []byte) string {
	root, err := parseTree(opaque)
	if err != nil || root.name != "opaque" {
		return ""
	}
	if group := root.first("tunnel-group"); group != nil {
		return group.trimmed()
	}
	return ""
}
