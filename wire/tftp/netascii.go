package tftp

// AppendNetASCII appends text as netascii carries it: LF becomes CR LF and CR becomes CR NUL, so that
// AppendText gives back the very same bytes.
func AppendNetASCII(b, text []byte) []byte {
	for _, c := range text {
		switch c {
		case '\n':
			b = append(b, '\r', '\n')
		case '\r':
			b = append(b, '\r', 0)
		default:
			b = append(b, c)
		}
	}
	return b
}

// AppendText appends what netascii content means here: CR LF becomes LF, CR NUL becomes CR.
func AppendText(b, netascii []byte) []byte {
	for i := 0; i < len(netascii); i++ {
		if netascii[i] != '\r' || i+1 == len(netascii) {
			b = append(b, netascii[i])
			continue
		}
		switch netascii[i+1] {
		case '\n':
			b, i = append(b, '\n'), i+1
		case 0:
			b, i = append(b, '\r'), i+1
		default:
			b = append(b, '\r')
		}
	}
	return b
}
