package dtls

// window is the replay window of RFC 6347 section 4.1.2.6: the highest sequence number seen and which of
// the 63 below it were.
type window struct {
	top  uint64
	seen uint64 // bit i: top-i was seen
	any  bool
}

// fresh reports whether sequence may still come.
func (w *window) fresh(sequence uint64) bool {
	switch {
	case !w.any || sequence > w.top:
		return true
	case w.top-sequence >= 64:
		return false
	}
	return w.seen&(1<<(w.top-sequence)) == 0
}

// accept enters an authenticated sequence number and reports whether it is the newest so far.
func (w *window) accept(sequence uint64) (newest bool) {
	switch {
	case !w.any:
		*w = window{top: sequence, seen: 1, any: true}
		return true
	case sequence > w.top:
		w.seen = w.seen<<(sequence-w.top) | 1 // a shift of 64 or more gives 0, as it should
		w.top = sequence
		return true
	}
	w.seen |= 1 << (w.top - sequence)
	return false
}

// ahead returns how far a sequence number is beyond the highest seen, zero if it is not.
func (w *window) ahead(sequence uint64) uint64 {
	switch {
	case !w.any:
		return sequence + 1
	case sequence > w.top:
		return sequence - w.top
	}
	return 0
}
