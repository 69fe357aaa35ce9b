package main

import (
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/longcord/longcord/config"
	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/trust"
)

// A master.key of another store is bad configuration, and the hint says which one is needed.
func TestForeignMasterKey(t *testing.T) {
	// Not in parallel: a program that another test starts would hold the store's lock for a moment, from its
	// fork to its exec.
	dir := filepath.Join(t.TempDir(), "office")
	var out, complaints strings.Builder
	arguments := []string{"init", dir, "--url", "https://vpn.example.net/phones", "--outside", "192.0.2.10", "--inside", "10.1.0.5", "--pool", "10.99.0.0/24"}
	if code := run(t.Context(), arguments, strings.NewReader(""), &out, &complaints); code != exitGood {
		t.Fatal(complaints.String())
	}
	settings, err := config.Load(filepath.Join(dir, config.DefaultName))
	if err != nil {
		t.Fatal(err)
	}
	open := func() error {
		s := &system{settings: settings, log: slog.New(slog.DiscardHandler)}
		return errors.Join(s.openCatalog(context.Background()), s.close())
	}
	if err := open(); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(settings.MasterKey()); err != nil {
		t.Fatal(err)
	}
	if err := trust.CreateKey(settings.MasterKey()); err != nil {
		t.Fatal(err)
	}
	var told strings.Builder
	if code := report(&told, open()); code != exitUsage {
		t.Errorf("exit code %d, want %d", code, exitUsage)
	}
	for _, want := range []string{settings.MasterKey() + " does not fit the store", "hint: restore the master.key that belongs to this store"} {
		if !strings.Contains(told.String(), want) {
			t.Errorf("no word of %q:\n%s", want, told.String())
		}
	}
}

func TestTraceHasAName(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	log := slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: logging.LevelTrace, ReplaceAttr: nameTrace}))
	log.Log(t.Context(), logging.LevelTrace, "received")
	log.Debug("decided")
	if text := out.String(); !strings.Contains(text, "level=TRACE msg=received") || !strings.Contains(text, "level=DEBUG msg=decided") {
		t.Errorf("levels are written as\n%s", text)
	}
}

// What a terminal would take as commands is not shown as it is, nor a line without end.
func TestExcerptsAreLegible(t *testing.T) {
	t.Parallel()
	if got := legible("  name: b\x1b[2Jü\xff\tx"); got != "name: b?[2Jü?\tx" {
		t.Errorf("got %q", got)
	}
	if got := legible(strings.Repeat("ü", 5000)); got != strings.Repeat("ü", 200)+"…" {
		t.Errorf("a long line has %d bytes", len(got))
	}
}
