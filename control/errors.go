package control

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
)

// Refusal is a request that was understood and not carried out; nothing changed. It is what the server
// answers, as application/problem+json, and what the client returns.
type Refusal struct {
	Status   int       `json:"status"` // HTTP's
	Title    string    `json:"title"`
	Detail   string    `json:"detail"`
	Problems []Problem `json:"problems,omitempty"`
}

// Error returns the detail.
func (r *Refusal) Error() string { return r.Detail }

// GetStatus returns the HTTP status.
func (r *Refusal) GetStatus() int { return r.Status }

// ContentType returns the media type of a problem.
func (r *Refusal) ContentType(string) string { return "application/problem+json" }

var _ huma.StatusError = (*Refusal)(nil)

// Refuse is what an interface of Config returns for what the operator can mend.
func Refuse(status int, detail string) error { return refuse(status, "%s", detail) }

// RefuseWith is Refuse with what to do instead.
func RefuseWith(status int, detail string, hints ...string) error {
	r := refuse(status, "%s", detail)
	for _, hint := range hints {
		r.Problems = append(r.Problems, Problem{Says: detail, Hint: hint})
	}
	return r
}

func refuse(status int, format string, args ...any) *Refusal {
	return &Refusal{Status: status, Title: http.StatusText(status), Detail: fmt.Sprintf(format, args...)}
}

// refusedDeletion says who still needs what was to be deleted. It gives no hints: they would name another
// object in the place of the one that is there.
func refusedDeletion(err error) error {
	var needed *Refusal
	if err = refusal(err, nil); errors.As(err, &needed) {
		needed.Detail = "nothing was deleted: these still need it\n" + needed.Detail
		for i := range needed.Problems {
			needed.Problems[i].Hint = ""
		}
	}
	return err
}

// refusal turns what the catalog or the reader of a text refused into an answer. f is the text that was
// sent, when one was.
func refusal(err error, f *file.File) error {
	var inText file.Problems
	var inObjects *catalog.InvalidError
	switch {
	case errors.As(err, &inText):
		r := refuse(http.StatusUnprocessableEntity, "%v", err)
		for _, p := range inText {
			r.Problems = append(r.Problems, Problem{Line: p.Line, Says: p.Says, Hint: p.Hint})
		}
		return r
	case errors.As(err, &inObjects):
		r := refuse(http.StatusUnprocessableEntity, "%v", err)
		r.Problems = problemsIn(f, inObjects.Problems)
		return r
	}
	return err
}

// problemsIn says where in a file, if there is one, problems with objects are.
func problemsIn(f *file.File, all []inventory.Problem) []Problem {
	problems := []Problem{}
	for _, p := range all {
		problem := Problem{Kind: p.Kind, Name: p.Name, Field: p.Field, Says: p.Says, Hint: p.Hint}
		if f != nil {
			problem.Line = f.Locate([]inventory.Problem{p})[0].Line
		}
		problems = append(problems, problem)
	}
	return problems
}
