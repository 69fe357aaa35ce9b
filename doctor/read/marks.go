package read

// marks is a state machine that finds many texts in one pass over a line, without regard to the case of ASCII letters
// (Aho and Corasick).
type marks struct {
	class  [256]uint8 // of each byte; 0: in no mark
	size   int        // how many classes there are
	next   []uint16   // by state and class, while it is built
	row    []uint32   // by row and class: where the next state's row begins, and whether a mark ends there
	found  []uint64   // by state: whose marks end here
	states int
}

// foundHere says in a row that a mark ends where it leads.
const foundHere = 1 << 31

func newMarks() *marks {
	return &marks{size: 1, next: make([]uint16, 256), found: make([]uint64, 1), states: 1}
}

// add is for building: a table of 256 columns, which finish makes narrow.
func (m *marks) add(mark string, bit uint64) {
	state := 0
	for i := range len(mark) {
		c := mark[i]
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		if m.class[c] == 0 {
			m.class[c] = uint8(m.size)
			m.size++
		}
		at := state*256 + int(m.class[c])
		if m.next[at] == 0 {
			m.next[at] = uint16(m.states)
			m.states++
			m.next = append(m.next, make([]uint16, 256)...)
			m.found = append(m.found, 0)
		}
		state = int(m.next[at])
	}
	m.found[state] |= bit
}

// finish leads every state on to where the longest other beginning of a mark goes on.
func (m *marks) finish() {
	narrow := make([]uint16, m.states*m.size)
	for s := range m.states {
		copy(narrow[s*m.size:(s+1)*m.size], m.next[s*256:])
	}
	m.next = narrow
	for c := 'a'; c <= 'z'; c++ {
		m.class[c-'a'+'A'] = m.class[c]
	}
	fail := make([]int, m.states)
	queue := []int{}
	for c := range m.size {
		if s := int(m.next[c]); s != 0 {
			queue = append(queue, s)
		}
	}
	for len(queue) > 0 {
		s := queue[0]
		queue = queue[1:]
		m.found[s] |= m.found[fail[s]]
		for c := range m.size {
			at := s*m.size + c
			onward := m.next[fail[s]*m.size+c]
			if t := int(m.next[at]); t != 0 {
				fail[t] = int(onward)
				queue = append(queue, t)
			} else {
				m.next[at] = onward
			}
		}
	}
	m.row = make([]uint32, len(m.next))
	for at, s := range m.next {
		m.row[at] = uint32(int(s) * m.size)
		if m.found[s] != 0 {
			m.row[at] |= foundHere
		}
	}
	m.next = nil
}

// in returns whose marks are in the line.
func (m *marks) in(line string) uint64 {
	var all uint64
	at := uint32(0)
	for i := range len(line) {
		at = m.row[at+uint32(m.class[line[i]])]
		if at&foundHere != 0 {
			at &^= foundHere
			all |= m.found[int(at)/m.size]
		}
	}
	return all
}
