package store_test

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/longcord/longcord/store"
	"github.com/longcord/longcord/store/memory"
)

type pet struct {
	Name string `json:"name"`
	Legs int    `json:"legs"`
}

// olderPet decodes version 1, in which a pet was its name alone.
func olderPet(_ int, record []byte) (p pet, err error) {
	err = json.Unmarshal(record, &p.Name)
	p.Legs = 4
	return p, err
}

func pets(t *testing.T) (*store.Table[pet], store.Store) {
	t.Helper()
	s := memory.New()
	t.Cleanup(func() { s.Close() })
	return store.NewTable(s, "pets/", 2, olderPet), s
}

func TestTable(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	table, s := pets(t)
	first, err := table.Put(ctx, "a", pet{"Anna", 2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := table.Put(ctx, "a", pet{}, 0); !errors.Is(err, store.ErrConflict) {
		t.Errorf("second put: got %v, want %v", err, store.ErrConflict)
	}
	raw, err := s.Get(ctx, "pets/a")
	if want := `{"version":2,"record":{"name":"Anna","legs":2}}`; err != nil || string(raw.Value) != want {
		t.Errorf("stored: got %s, %v, want %s", raw.Value, err, want)
	}
	lease, err := s.Grant(ctx, 0, 1e9)
	if err != nil {
		t.Fatal(err)
	}
	op, err := table.PutOp("b", pet{"Bert", 0}, 0, lease)
	if err != nil {
		t.Fatal(err)
	}
	second, err := s.Commit(ctx, op, store.Op{Key: "petshop", Value: []byte("no pet")})
	if err != nil {
		t.Fatal(err)
	}
	entries, revision, err := table.List(ctx)
	want := []store.Entry[pet]{{"a", pet{"Anna", 2}, first, 0}, {"b", pet{"Bert", 0}, second, lease}}
	if err != nil || revision != second || len(entries) != 2 || entries[0] != want[0] || entries[1] != want[1] {
		t.Errorf("list: got %v at %d, %v, want %v at %d", entries, revision, err, want, second)
	}
	if err := table.Delete(ctx, "a", first); err != nil {
		t.Fatal(err)
	}
	if _, err := table.Get(ctx, "a"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("get of a deleted record: got %v", err)
	}
}

func TestTableVersions(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	table, s := pets(t)
	for stored, want := range map[string]string{
		`{"version":1,"record":"Anna"}`: "",
		`{"version":3,"record":{}}`:     store.ErrVersion.Error(),
		`{"record":{}}`:                 "version 0",
		`{"version":2,"record":[]}`:     "cannot unmarshal array",
		`Anna`:                          "invalid character",
	} {
		if _, err := s.Commit(ctx, store.Op{Key: "pets/a", Value: []byte(stored), Read: store.Any}); err != nil {
			t.Fatal(err)
		}
		got, err := table.Get(ctx, "a")
		_, _, listErr := table.List(ctx)
		if want == "" {
			if err != nil || listErr != nil || got.Value != (pet{"Anna", 4}) {
				t.Errorf("%s: got %v, %v, %v", stored, got.Value, err, listErr)
			}
			continue
		}
		for _, err := range []error{err, listErr} {
			if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "pets/a") {
				t.Errorf("%s: got %v, want %q and the key", stored, err, want)
			}
		}
	}
}

func TestTableWatch(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	table, s := pets(t)
	w, err := table.Watch(ctx, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	first, err := table.Put(ctx, "a", pet{"Anna", 2}, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := store.Change[pet]{Entry: store.Entry[pet]{Name: "a", Value: pet{"Anna", 2}, Revision: first}}
	if got, err := w.Next(ctx); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("put: got %v, %v, want %v", got, err, want)
	}
	if err := table.Delete(ctx, "a", first); err != nil {
		t.Fatal(err)
	}
	want = store.Change[pet]{Entry: store.Entry[pet]{Name: "a", Revision: first + 1}, Deleted: true}
	if got, err := w.Next(ctx); err != nil || len(got) != 1 || got[0] != want {
		t.Errorf("delete: got %v, %v, want %v", got, err, want)
	}
	if _, err := s.Commit(ctx, store.Op{Key: "pets/b", Value: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Next(ctx); err == nil {
		t.Error("a record that is no pet passed")
	}
	if _, err := table.Put(ctx, "c", pet{}, 0); err != nil {
		t.Fatal(err)
	}
	if got, err := w.Next(ctx); err != nil || len(got) != 1 || got[0].Name != "c" {
		t.Errorf("after a broken record: got %v, %v, want c", got, err)
	}
}
