package read

import (
	"slices"

	"github.com/longcord/longcord/doctor/fact"
)

// unread keeps what a log says in plain words that something failed, and nobody here knows: it must not pass for health.
//
// People's own words around a log are not meant: they say what they see, and the log is to say why. So a line counts which
// looks like one of a log, or stands right behind one that was known. In a log of many programs those count of which a line
// was known.
type unread struct {
	first    Line            // of no syslog daemon's; number 0: none
	of       map[string]Line // the first by program, of a syslog daemon's
	programs map[string]bool // of which lines were known
	behind   bool            // the line before was known
	losses   []fact.Loss     // the last lines that tell of a failure or a loss, known or not
}

// maxLosses bounds how many of them are kept.
const maxLosses = 200

// maxPrograms bounds how many programs of one log are kept apart.
const maxPrograms = 256

var (
	failureWords = compile(`(?i)\b(?:fail|fails|failed|failing|failures?|errors?|reject(?:s|ed|ing)?|rejection|refus(?:e[sd]?|al|ing)|denied|denies|timed[ -]out|time-?out|unsynchroni[sz]ed|unreachable|aborted|fatal|unable to|could not|cannot|invalid|incorrect|mismatch(?:e[sd])?|dead peer|unauthori[sz]ed|forbidden)\b`)
	// fineWords are ways to say that nothing failed, how often something did, or after what time it would; and what
	// OpenSSL's tools say of issuers, whom phones do not ask for.
	fineWords = compile(`(?i)\b(?:no|not|without|never|zero|0) (?:\w+ ){0,2}(?:fail\w*|errors?|reject\w*|refus\w*|denied|time-?out)\b|` +
		`\b(?:fail\w*|errors?|reject\w*|refus\w*|denied|timed out|time-?outs?|unreachable|aborted|fatal)\b["']?(?: \w+){0,2}\s*[:=,]?\s*(?:\(?\d|none\b|no[,;.]|no$|off\b|disabled?\b|never\b)|` +
		`(?:^|[^.:\w])\d+ (?:\w+ ){0,2}(?:fail\w*|errors?|reject\w*|refus\w*|denied|time-?outs?)\b|` +
		`^\s*(?:verify error:num=|verify return code:)`)
	// lossWords are more, after which what worked does not; and willWords say that this was somebody's will, or is no more than
	// what an idle client comes to.
	lossWords = compile(`(?i)\b(?:unregistered|lost|expir(?:ed|ation)|no (?:reply|response|answer)|retries exceeded|lack of|syn timeout|` +
		`(?:user|session|peer) disconnected|disconnecting|unavailable)\b|TransientConnection`)
	willWords = compile(`(?i)\b(?:user requested|idle[- ]?time-?out|max(?:imum)? time exceeded|administrator reset|` +
		`aborted by (?:caller|user)|server (?:shutdown|restart\w*)|log(?:ged)?[- ]?(?:off|out)|rekey\w*|restart|reboot\w*)\b|\bReason(?:Code| Code \[Optional\])?[=.: ]*(?:0|8|9|10|15|17|19|20|21|22)\b|expiration of \d|\bDEBUG:|` +
		`user disconnected \(reason: (?:user disconnected|unspecified,|unspecified error, rx: (?:[1-9]|0, tx: [1-9]))`)
	logForm = compile(`^(?:(?:Failed|Unable) to [a-z]|-- |(?:Error|ERROR|FATAL)\b|[<\[(%*]|\d+[-:/.]|[\w./-]+\[\d+\]: |[A-Z]{3,}: |[A-Z][a-z]{2} +\d+ \d\d:\d\d:)`)
)

// saysFailure reports whether a text says in plain words that something failed.
func saysFailure(text string) bool {
	return failureWords.MatchString(text) && !fineWords.MatchString(text)
}

// tellsLoss reports whether a text says in plain words that something failed, or that what worked no longer does.
func tellsLoss(text string) bool {
	return (lossWords.MatchString(text) || saysFailure(text)) && !willWords.MatchString(text)
}

// loses keeps a line that tells of a loss.
func (u *unread) loses(l Line) {
	if tellsLoss(l.Text) {
		if len(u.losses) == maxLosses {
			u.losses = slices.Delete(u.losses, 0, maxLosses/2)
		}
		u.losses = append(u.losses, fact.Loss{Line: l.Number, Text: l.Raw, Time: l.Time})
	}
}

// knows notes a line that somebody knew.
func (u *unread) knows(l Line) {
	u.behind = true
	if l.Program != "" && len(u.programs) < maxPrograms && !u.programs[l.Program] {
		if u.programs == nil {
			u.programs = map[string]bool{}
		}
		u.programs[l.Program] = true
	}
}

// passes notes a line that nobody knew, and whether it says that something failed.
func (u *unread) passes(l Line, fails bool) {
	behind := u.behind
	u.behind = false
	if (l.Program == "" || u.programs[l.Program]) && u.logged(l, behind) {
		u.loses(l)
	}
	if !fails || l.Program == "" && u.first.Number != 0 {
		return
	}
	if l.Program == "" {
		if u.logged(l, behind) {
			u.first = l
		}
		return
	}
	if _, there := u.of[l.Program]; !there && len(u.of) < maxPrograms {
		if u.of == nil {
			u.of = map[string]Line{}
		}
		u.of[l.Program] = l
	}
}

// logged reports whether a line is one of a log, and none of people's words.
func (u *unread) logged(l Line, behind bool) bool {
	return behind || len(l.Text) != len(l.Raw) || logForm.MatchString(l.Text)
}

// tell says in the source which line was the first, and what was lost.
func (u *unread) tell(s *fact.Source) {
	first := u.first
	for program, l := range u.of {
		if u.programs[program] && (first.Number == 0 || l.Number < first.Number) {
			first = l
		}
	}
	if first.Number != 0 {
		s.UnreadLine, s.Unread = first.Number, first.Raw
	}
	s.Losses = u.losses
}
