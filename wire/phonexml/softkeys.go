package phonexml

import "fmt"

// SoftKeys says which soft keys there are, and which of them are shown in which state of a call.
type SoftKeys struct {
	VersionStamp string       `xml:"versionStamp,omitempty"`
	Keys         []SoftKey    `xml:"typeSoftKey>softKeyDef"`
	Sets         []SoftKeySet `xml:"softKeySets>softKeySet"`
	Rest
}

// SoftKey is the definition of a key.
type SoftKey struct {
	ID    string `xml:"keyID,attr"` // as sets name it: Redial, EndCall
	Tag   Number `xml:"tag"`        // which label
	Event Number `xml:"eventID"`    // what it does
	Help  Number `xml:"helpID"`
	Rest
}

// SoftKeySet is the keys of one state, from left to right; phones show MaxSoftKeys at most.
type SoftKeySet struct {
	State string       `xml:"id,attr"` // such as On Hook
	Keys  []SoftKeyRef `xml:"softKey"`
	Rest
}

// SoftKeyRef names a key of a set.
type SoftKeyRef struct {
	ID string `xml:"keyID,attr"`
	Rest
}

// MaxSoftKeys is the most keys of a state.
const MaxSoftKeys = 16

func (*SoftKeys) root() string { return "softKeyCfg" }

// String describes the file on one line.
func (s *SoftKeys) String() string {
	return fmt.Sprintf("soft keys stamp %q, %d keys in %d states", s.VersionStamp, len(s.Keys), len(s.Sets))
}

// KnownSoftKeys are the keys with their published numbers.
func KnownSoftKeys() []SoftKey {
	key := func(id string, tag, event Number) SoftKey {
		k := SoftKey{ID: id, Tag: tag, Event: event, Help: 300 + event}
		if event == 0 {
			k.Help = 0
		}
		return k
	}
	return []SoftKey{
		key("Undefined", 0, 0), key("Redial", 1, 1), key("NewCall", 2, 2), key("Hold", 3, 3), key("Transfer", 4, 4),
		key("CFwdAll", 5, 5), key("<<", 8, 8), key("EndCall", 9, 9), key("Resume", 10, 10), key("Answer", 11, 11),
		key("Confrn", 13, 13), key("Park", 14, 14), key("Join", 15, 15), key("MeetMe", 16, 16), key("PickUp", 17, 17),
		key("GPickUp", 18, 18), key("RmLstC", 57, 19), key("DND", 63, 69), key("CallBack", 65, 20), key("QRT", 75, 22),
		key("MCID", 76, 27), key("Select", 78, 29), key("ConfList", 79, 30), key("iDivert", 80, 31), key("OPickUp", 91, 34),
		key("HLog", 92, 35), key("AbbrDial", 7740, 71), key("Record", 7747, 74),
	}
}
