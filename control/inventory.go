package control

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/file"
)

type selection struct {
	Kind inventory.Kind `query:"kind" doc:"only this kind"`
	Name string         `query:"name" doc:"only this name; needs kind"`
}

type exportInput struct {
	selection
	Secrets bool `query:"secrets" doc:"with secrets in clear"`
}

type yamlOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type applyInput struct {
	Prune   bool        `query:"prune" doc:"delete what the file does not name, of the kinds it contains"`
	DryRun  bool        `query:"dry_run" doc:"say what would happen, and change nothing"`
	Expect  Expectation `query:"expect" enum:"new,existing" doc:"refuse objects that exist, or that do not"`
	RawBody []byte      `contentType:"application/yaml"`
}

type deleteInput struct {
	Objects []string `query:"object,explode" required:"true" doc:"KIND/NAME"`
	DryRun  bool     `query:"dry_run" doc:"say what would happen, and change nothing"`
}

// Changes is what happened to each object of a request.
type Changes struct {
	Changes []Change `json:"changes"`
}

// Objects are objects of the inventory, each with its kind and its fields as in files; secrets are
// hidden.
type Objects struct {
	Objects []map[string]any `json:"objects"`
}

func (s *Server) registerInventory(api huma.API) {
	huma.Register(api, huma.Operation{
		OperationID: "list-inventory", Method: http.MethodGet, Path: "/inventory", Summary: "Objects of the inventory",
	}, s.listInventory)
	huma.Register(api, huma.Operation{
		OperationID: "export-inventory", Method: http.MethodGet, Path: "/inventory/file", Summary: "The inventory as a file that apply takes back",
	}, s.exportInventory)
	huma.Register(api, huma.Operation{
		OperationID: "apply-inventory", Method: http.MethodPost, Path: "/inventory", Summary: "Create and change objects, all or nothing",
		MaxBodyBytes: maxInventory, BodyReadTimeout: bodyTimeout,
	}, s.applyInventory)
	huma.Register(api, huma.Operation{
		OperationID: "delete-inventory", Method: http.MethodDelete, Path: "/inventory", Summary: "Delete objects, all or nothing",
	}, s.deleteInventory)
}

// selected returns the objects of a kind or name, or all.
func (s *Server) selected(which selection) ([]inventory.Object, error) {
	set := s.config.Catalog.Current()
	if which.Kind == "" {
		return set.Objects(), nil
	}
	if _, ok := inventory.New(which.Kind); !ok {
		return nil, refuse(http.StatusNotFound, "%q is not a kind", which.Kind)
	}
	objects := slices.DeleteFunc(set.Objects(), func(o inventory.Object) bool {
		return o.Kind() != which.Kind || which.Name != "" && o.ObjectName() != which.Name
	})
	if which.Name != "" && len(objects) == 0 {
		return nil, refuse(http.StatusNotFound, "there is no %s %q", which.Kind, which.Name)
	}
	return objects, nil
}

func (s *Server) listInventory(_ context.Context, in *selection) (*body[Objects], error) {
	objects, err := s.selected(*in)
	if err != nil {
		return nil, err
	}
	out := &body[Objects]{Objects{Objects: make([]map[string]any, len(objects))}}
	for i, o := range objects {
		if out.Body.Objects[i], err = fields(o); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// fields returns an object as its keys in files, with its kind.
func fields(o inventory.Object) (map[string]any, error) {
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	var all map[string]any
	if err := json.Unmarshal(text, &all); err != nil {
		return nil, err
	}
	all["kind"] = o.Kind()
	return all, nil
}

func (s *Server) exportInventory(_ context.Context, in *exportInput) (*yamlOutput, error) {
	objects, err := s.selected(in.selection)
	if err != nil {
		return nil, err
	}
	text, err := file.Encode(objects, in.Secrets)
	return &yamlOutput{ContentType: "application/yaml", Body: text}, err
}

func (s *Server) applyInventory(ctx context.Context, in *applyInput) (*body[Changes], error) {
	f, err := file.Parse("request", in.RawBody, file.NoFiles)
	if err != nil {
		return nil, refusal(err, nil)
	}
	if err := duplicates(f.Objects); err != nil {
		return nil, refusal(err, f)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.expected(f.Objects, in.Expect); err != nil {
		return nil, err
	}
	// Looked at first with passwords in clear: of a hash nobody can say whether phones can send it.
	changes, err := s.config.Catalog.Apply(ctx, f.Objects, ApplyOptions{Prune: in.Prune, DryRun: true})
	if err == nil && !in.DryRun {
		changes, err = s.applyHashed(ctx, f.Objects, in.Prune)
	}
	if err != nil {
		return nil, refusal(err, f)
	}
	return s.changed("inventory applied", changes, in.DryRun), nil
}

// applyHashed applies objects with hashes in the place of users' passwords.
func (s *Server) applyHashed(ctx context.Context, objects []inventory.Object, prune bool) ([]Change, error) {
	for _, o := range objects {
		user, ok := o.(*inventory.User)
		if !ok || user.Password.IsZero() {
			continue
		}
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		hash, err := s.config.HashPassword(user.Password)
		if err != nil {
			return nil, inventory.Problems{{Kind: user.Kind(), Name: user.Name, Field: "password", Says: err.Error()}}
		}
		user.Password, user.PasswordHash = secret.String{}, secret.New(hash)
	}
	return s.config.Catalog.Apply(ctx, objects, ApplyOptions{Prune: prune})
}

func duplicates(objects []inventory.Object) error {
	set := inventory.NewSet()
	for _, o := range objects {
		if err := set.Add(o); err != nil {
			return inventory.Problems{err.(inventory.Problem)}
		}
	}
	return nil
}

func (s *Server) expected(objects []inventory.Object, expect Expectation) error {
	if expect == ExpectAny {
		return nil
	}
	set := s.config.Catalog.Current()
	for _, o := range objects {
		_, exists := set.Object(o.Kind(), o.ObjectName())
		switch {
		case exists && expect == ExpectNew:
			return refuse(http.StatusConflict, "%s %q exists already", o.Kind(), o.ObjectName())
		case !exists && expect == ExpectExisting:
			return refuse(http.StatusNotFound, "there is no %s %q", o.Kind(), o.ObjectName())
		}
	}
	return nil
}

func (s *Server) deleteInventory(ctx context.Context, in *deleteInput) (*body[Changes], error) {
	var references []Reference
	s.writing.Lock()
	defer s.writing.Unlock()
	set := s.config.Catalog.Current()
	for _, text := range in.Objects {
		kind, name, ok := strings.Cut(text, "/")
		if !ok {
			return nil, refuse(http.StatusUnprocessableEntity, "%q is not KIND/NAME", text)
		}
		r := Reference{Kind: inventory.Kind(kind), Name: name}
		if _, exists := set.Object(r.Kind, r.Name); !exists {
			return nil, refuse(http.StatusNotFound, "there is no %s %q", r.Kind, r.Name)
		}
		references = append(references, r)
	}
	changes, err := s.config.Catalog.Delete(ctx, references, in.DryRun)
	if err != nil {
		return nil, refusal(err, nil)
	}
	return s.changed("inventory deleted", changes, in.DryRun), nil
}

// changed logs and returns what happened.
func (s *Server) changed(event string, changes []Change, dryRun bool) *body[Changes] {
	slices.SortStableFunc(changes, func(a, b Change) int {
		return cmp.Compare(fmt.Sprint(a.Kind, "/", a.Name), fmt.Sprint(b.Kind, "/", b.Name))
	})
	if !dryRun {
		for _, c := range changes {
			if c.Action != Unchanged {
				s.log.Info(event, "kind", c.Kind, "name", c.Name, "action", c.Action)
			}
		}
	}
	if changes == nil {
		changes = []Change{}
	}
	return &body[Changes]{Changes{changes}}
}
