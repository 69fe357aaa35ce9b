package control

import (
	"context"
	"encoding/json"
	"net/http"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
	"github.com/longcord/longcord/inventory/catalog"
	"github.com/longcord/longcord/inventory/file"
)

// Selection narrows what is returned; exported because huma fills embedded structs only then.
type Selection struct {
	Kind inventory.Kind `query:"kind" doc:"only this kind"`
	Name string         `query:"name" doc:"only this name; needs kind"`
}

type exportInput struct {
	Selection
	Secrets bool `query:"secrets" doc:"with secrets in clear"`
}

type yamlOutput struct {
	ContentType string `header:"Content-Type"`
	Body        []byte
}

type applyInput struct {
	Prune   bool        `query:"prune" doc:"delete what the file does not name, of the kinds it contains"`
	DryRun  bool        `query:"dry_run" doc:"say what would happen, and change nothing"`
	Force   bool        `query:"force" doc:"also what would keep phones out of the VPN"`
	Expect  Expectation `query:"expect" enum:"new,existing" doc:"refuse objects that exist, or that do not"`
	NoPush  bool        `query:"no_push" doc:"do not tell phones whose file changes"`
	RawBody []byte      `contentType:"application/yaml"`
}

type deleteInput struct {
	Objects []string `query:"object,explode" required:"true" doc:"KIND/NAME"`
	DryRun  bool     `query:"dry_run" doc:"say what would happen, and change nothing"`
	NoPush  bool     `query:"no_push" doc:"do not tell phones whose file changes"`
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
func (s *Server) selected(which Selection) ([]inventory.Object, error) {
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

func (s *Server) listInventory(_ context.Context, in *Selection) (*body[Objects], error) {
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

func (s *Server) exportInventory(ctx context.Context, in *exportInput) (*yamlOutput, error) {
	objects, err := s.selected(in.Selection)
	if err != nil {
		return nil, err
	}
	text, err := file.Encode(objects, in.Secrets)
	if err == nil && in.Secrets && in.Selection == (Selection{}) && s.config.Exported != nil {
		if err := s.config.Exported(ctx); err != nil {
			s.log.Warn("export not recorded", logging.Err, err)
		}
	}
	return &yamlOutput{ContentType: "application/yaml", Body: text}, err
}

func (s *Server) applyInventory(ctx context.Context, in *applyInput) (*body[Applied], error) {
	f, err := file.Parse("request", in.RawBody, file.NoFiles)
	if err != nil {
		return nil, refusal(err, nil)
	}
	s.writing.Lock()
	defer s.writing.Unlock()
	if err := s.expected(f.Objects, in.Expect); err != nil {
		return nil, err
	}
	before := s.before()
	changes, err := s.config.Catalog.Apply(ctx, f.Objects, catalog.Options{Prune: in.Prune, DryRun: in.DryRun, Force: in.Force})
	if err != nil {
		return nil, refusal(err, f)
	}
	return s.changed(ctx, changes, before, in.DryRun, !in.NoPush)
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

func (s *Server) deleteInventory(ctx context.Context, in *deleteInput) (*body[Applied], error) {
	var refs []catalog.Ref
	s.writing.Lock()
	defer s.writing.Unlock()
	before := s.before()
	for _, text := range in.Objects {
		kind, name, ok := strings.Cut(text, "/")
		if !ok {
			return nil, refuse(http.StatusUnprocessableEntity, "%q is not KIND/NAME", text)
		}
		ref := catalog.Ref{Kind: inventory.Kind(kind), Name: name}
		if _, exists := before.set.Object(ref.Kind, ref.Name); !exists {
			return nil, refuse(http.StatusNotFound, "there is no %s %q", ref.Kind, ref.Name)
		}
		refs = append(refs, ref)
	}
	changes, err := s.config.Catalog.Delete(ctx, refs, catalog.Options{DryRun: in.DryRun})
	if err != nil {
		return nil, refusedDeletion(err)
	}
	return s.changed(ctx, changes, before, in.DryRun, !in.NoPush)
}

// standing is what stood before a change.
type standing struct {
	set    *inventory.Set
	stamps map[string]string // of phones' files
}

func (s *Server) before() standing {
	set := s.config.Catalog.Current()
	return standing{set, s.stamps(set)}
}

// changed logs and returns what happened. Phones are told whose file is another than before; those that are gone
// lose their certificates, and those that are blocked their sessions, before the next change can be made.
func (s *Server) changed(ctx context.Context, changes catalog.Changes, before standing, dryRun, tell bool) (*body[Applied], error) {
	for event, refs := range map[string]*[]catalog.Ref{
		"object created": &changes.Created, "object changed": &changes.Changed, "object deleted": &changes.Deleted,
	} {
		*refs = append([]catalog.Ref{}, *refs...) // an empty list in JSON, not null
		for _, ref := range *refs {
			if !dryRun {
				s.log.Info(event, "by", operator(ctx), "kind", ref.Kind, "name", ref.Name)
			}
		}
	}
	done := Applied{Changes: changes, Pushed: Pushed{NewFiles: []string{}, Tellings: []Telling{}}}
	if dryRun || changes.Empty() {
		return &body[Applied]{done}, nil
	}
	done.Pushed = s.push(before.stamps, tell)
	err := s.endBlocked(ctx, before.set)
	if err == nil {
		done.Revoked, err = s.revokeGone(ctx, changes.Deleted)
	}
	return &body[Applied]{done}, err
}

// revokeGone revokes the certificates of devices that were deleted: no list would name those phones any more, and
// their certificates would open the VPN for years.
func (s *Server) revokeGone(ctx context.Context, deleted []catalog.Ref) (int, error) {
	var gone []string
	for _, ref := range deleted {
		if ref.Kind == inventory.KindDevice {
			gone = append(gone, ref.Name)
		}
	}
	if len(gone) == 0 || s.config.Enrolments == nil {
		return 0, nil
	}
	n, err := s.config.Enrolments.Revoke(ctx, gone)
	if err != nil {
		return n, RefuseWith(http.StatusInternalServerError, "deleted, but certificates are not revoked: "+err.Error(), "longcord certs revoke "+strings.Join(gone, " "))
	}
	return n, nil
}

// endBlocked ends the sessions of phones and users that a change has blocked. The gateway does the same within a second;
// here it is done before somebody can lift the block again.
func (s *Server) endBlocked(ctx context.Context, before *inventory.Set) error {
	if s.config.Sessions == nil {
		return nil
	}
	after := s.config.Catalog.Current()
	var ids []uint64
	for _, session := range s.config.Sessions.List() {
		device, user := after.Devices[session.Phone], after.Users[session.User]
		deviceWas, userWas := before.Devices[session.Phone], before.Users[session.User]
		if device != nil && device.Blocked && (deviceWas == nil || !deviceWas.Blocked) || user != nil && user.Blocked && (userWas == nil || !userWas.Blocked) {
			ids = append(ids, session.ID)
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if _, err := s.config.Sessions.Logoff(ctx, ids, StayAway); err != nil {
		return RefuseWith(http.StatusInternalServerError, "blocked, but sessions have not ended: "+err.Error(), "longcord sessions list")
	}
	return nil
}
