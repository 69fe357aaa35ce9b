package read

import (
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/finding"
)

// Longcord's own: events of `longcord phone --json`, and logs of every part, as text and as JSON.
var _ = recognise(Recogniser{
	Format: "events of Longcord's software phone", Platform: finding.Longcord, Early: true, Marks: []string{`"event":"`},
	New: func(in *fact.Input) Reader { return &eventReader{in} },
})

var _ = recognise(Recogniser{
	Format: "output of Longcord's software phone", Platform: finding.Longcord, Early: true, Marks: []string{" failed: ", " finding ", " ms)"},
	New: func(in *fact.Input) Reader { return &shownReader{in} },
})

var _ = recognise(Recogniser{
	Format: "log of Longcord", Platform: finding.Longcord, Early: true, Marks: []string{"actor=", `"actor":"`},
	New: func(in *fact.Input) Reader { return &logReader{in: in, lost: map[string]bool{}} },
})

type eventReader struct{ in *fact.Input }

// event is what matters here of the events that the software phone prints.
type event struct {
	Time    time.Time `json:"time"`
	Event   string    `json:"event"`
	Step    string    `json:"step"`
	OK      bool      `json:"ok"`
	Detail  string    `json:"detail"`
	Session *struct {
		Phone           string `json:"phone"`
		CertificateSHA1 string `json:"certificate_sha1"`
	} `json:"session"`
	Finding *eventFinding `json:"finding"`
}

type eventFinding struct {
	Code      string `json:"code"`
	Certainty string `json:"certainty"`
	Says      string `json:"says"`
}

// withoutNewFile is how a phone tells that it has fetched no file, and can live all the same.
const withoutNewFile = "goes on with the stored file"

// eventIn reads an event, and says where on the line it begins.
func eventIn(line string) (e event, at int, ok bool) {
	at = strings.IndexByte(line, '{')
	ok = at >= 0 && json.Unmarshal([]byte(line[at:]), &e) == nil && e.Event != "" && !e.Time.IsZero()
	return e, at, ok
}

// tell makes facts of an event, and reports whether they are all that is to be read of it.
func (e event) tell(in *fact.Input, l Line, text string) bool {
	add := func(kind fact.Kind, values ...string) {
		in.Add(kind, l.Number, text, e.Time, pairs(values...)...)
	}
	switch {
	case e.Event == "console" || e.Event == "status":
		return false // in the words of phones: others know them
	case e.Finding != nil:
		in.Add(fact.OwnFinding, l.Number, e.Finding.Says, e.Time, pairs("code", e.Finding.Code, "says", e.Finding.Says, "certainty", e.Finding.Certainty)...)
	case e.Session != nil:
		add(fact.Device, "device", e.Session.Phone)
		if e.Session.CertificateSHA1 != "" {
			add(fact.PhoneLeafHash, "hash", e.Session.CertificateSHA1)
			add(fact.PhoneHashFound)
		}
	case e.Event == "step" && e.OK && strings.HasPrefix(e.Detail, withoutNewFile):
		add(fact.OwnStep, "step", e.Step, "stored", "true")
	case e.Event == "step" && e.OK:
		add(fact.OwnStep, "step", e.Step)
	case e.Event == "step":
		add(fact.OwnStepFailed, "step", e.Step, "detail", e.Detail)
	}
	return true
}

func (r *eventReader) Line(l Line) bool {
	e, at, ok := eventIn(l.Raw)
	if !ok {
		return false
	}
	return e.tell(r.in, l, l.Raw[at:])
}

func (r *eventReader) End() {}

// shownReader reads events as the phone prints them for people.
type shownReader struct{ in *fact.Input }

// Events that matter here, as they are printed: a step that failed, one that came out, a finding.
var (
	shownFailed  = compile(`^\d\d:\d\d:\d\d\.\d{3} (provision|detect|connect|verify|tunnel|register|call) +failed: (.+)$`)
	shownStep    = compile(`^\d\d:\d\d:\d\d\.\d{3} (provision|detect|connect|verify|tunnel|register|call) +(.*) \(\d+ ms\)$`)
	shownFinding = compile(`^\d\d:\d\d:\d\d\.\d{3} finding +([a-z][a-z0-9-]+)(?:, (likely|possible))?: (.+)$`)
)

func (r *shownReader) Line(l Line) bool {
	e := event{Time: l.Time, Event: "step"}
	if m := shownFailed.FindStringSubmatch(l.Raw); m != nil {
		e.Step, e.Detail = m[1], m[2]
	} else if m := shownStep.FindStringSubmatch(l.Raw); m != nil {
		e.Step, e.Detail, e.OK = m[1], m[2], true
	} else if m := shownFinding.FindStringSubmatch(l.Raw); m != nil {
		if _, ok := finding.Lookup(m[1]); !ok {
			return false
		}
		e.Finding = &eventFinding{m[1], m[2], m[3]}
	} else {
		return false
	}
	return e.tell(r.in, l, l.Raw)
}

func (r *shownReader) End() {}

var _ = recognise(Recogniser{
	Format: "messages of longcord", Platform: finding.Longcord, Early: true, Marks: []string{"longcord: ", ", certain: ", ", likely: ", ", possible: "},
	New: func(in *fact.Input) Reader { return &ownMessages{in} },
})

type ownMessages struct{ in *fact.Input }

// ownMessage is a finding as commands print it: what failed because of it, or what stands.
var ownMessage = compile(`^(?:longcord: |(?:fault|warning|note), (certain|likely|possible): )(.+) \(([a-z][a-z0-9-]+)\)$`)

func (r *ownMessages) Line(l Line) bool {
	m := ownMessage.FindStringSubmatch(l.Text)
	if m == nil {
		return false
	}
	if _, ok := finding.Lookup(m[3]); !ok {
		return false
	}
	r.in.Add(fact.OwnFinding, l.Number, l.Raw, l.Time, pairs("code", m[3], "says", m[2], "certainty", m[1])...)
	return true
}

func (r *ownMessages) End() {}

type logReader struct {
	in   *fact.Input
	lost map[string]bool // sessions that have lost their client
}

// attribute is one of a line that slog's text handler wrote.
var attribute = compile(`(?:^|\s)([A-Za-z_]\w*)=("(?:[^"\\]|\\.)*"|\S*)`)

// maxLost bounds how many sessions are remembered that have lost their client.
const maxLost = 10000

// maxAttributes bounds what is kept of a line.
const maxAttributes = 24

func (r *logReader) Line(l Line) bool {
	said := attributes(l.Raw)
	if said["actor"] == "" || said["msg"] == "" {
		return false
	}
	at, _ := time.Parse(time.RFC3339Nano, said["time"]) // zero where a log has none
	if said["finding"] != "" {
		values := []string{"code", said["finding"]}
		for name, value := range said {
			if name != "finding" && name != "time" && name != "level" {
				values = append(values, name, value)
			}
		}
		r.in.Add(fact.OwnFinding, l.Number, l.Raw, at, pairs(values...)...)
	} else if said["msg"] == "step failed" && said["actor"] == "phone" {
		r.in.Add(fact.OwnStepFailed, l.Number, l.Raw, at, pairs("step", said["stage"], "detail", said["err"])...)
	}
	if said["msg"] == "certificate asked about" && said["answer"] == "unknown" {
		r.in.Add(fact.TVSUnknown, l.Number, l.Raw, at, pairs("issuer", said["issuer"], "serial", said["serial"], "device", said["phone"], "client", hostOf(said["peer"]))...)
	}
	if said["actor"] == "phone" && strings.HasPrefix(said["phone"], "SEP") {
		r.in.Add(fact.Device, l.Number, l.Raw, at, "device", said["phone"])
	}
	if said["channel"] == "cstp" && said["session"] != "" {
		r.channel(l, at, said)
	}
	return true
}

// channel reads what a gateway says of the TCP connection of a session.
func (r *logReader) channel(l Line, at time.Time, said map[string]string) {
	session := said["session"]
	switch {
	case said["msg"] == "channel down" && said["reason"] == "DPD failure" && (r.lost[session] || len(r.lost) < maxLost):
		r.lost[session] = true
		r.in.Add(fact.OwnLost, l.Number, l.Raw, at, pairs("session", session, "user", said["user"], "device", said["phone"])...)
	case said["msg"] == "channel up" && r.lost[session]:
		delete(r.lost, session)
		r.in.Add(fact.OwnBack, l.Number, l.Raw, at, "session", session)
	}
}

func (r *logReader) End() {}

// attributes reads a line of slog, as text or as JSON.
func attributes(line string) map[string]string {
	said := map[string]string{}
	if at := strings.IndexByte(line, '{'); at >= 0 && strings.Contains(line, `"msg":"`) {
		var all map[string]any
		if json.Unmarshal([]byte(line[at:]), &all) != nil {
			return said
		}
		for name, value := range all {
			if len(said) >= maxAttributes {
				break
			}
			switch v := value.(type) {
			case string:
				said[name] = v
			case float64:
				said[name] = strconv.FormatFloat(v, 'f', -1, 64)
			}
		}
		return said
	}
	for _, m := range attribute.FindAllStringSubmatch(line, maxAttributes) {
		value := m[2]
		if unquoted, err := strconv.Unquote(value); err == nil {
			value = unquoted
		}
		if _, again := said[m[1]]; !again {
			said[m[1]] = value
		}
	}
	return said
}
