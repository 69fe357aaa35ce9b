package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"

	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/read"
)

// doctorFiles are the flags of reading files.
type doctorFiles struct {
	urls   []string
	keyLog string
	system systemFlags
}

func (d *doctorFiles) flags(c *cobra.Command) {
	c.Flags().StringSliceVar(&d.urls, "url", nil, "the `URL` that the phone should reach, when no file says it; with --as also instead of the file's")
	c.Flags().StringVar(&d.keyLog, "keylog", "", "keys of recorded TLS connections, as programs write them to SSLKEYLOGFILE (`FILE`)")
}

// check refuses what no phone opens, before anything that was not reached is taken for broken.
func (d *doctorFiles) check() error {
	for _, each := range d.urls {
		if u, err := url.Parse(each); err != nil || u.Scheme != "https" || u.Hostname() == "" {
			return usage(fmt.Errorf("--url %s is no URL that a phone opens", each), "write it as the phone's file has it, such as https://vpn.example.com/phones")
		}
	}
	return nil
}

// maxInFolder is how many files of a folder are read.
const maxInFolder = 2000

// maxKeyLog bounds a file of keys.
const maxKeyLog = 16 << 20

// readAll reads files, and those in folders, and asks the running system about phones and users, as one case.
func (p *program) readAll(ctx context.Context, to *fact.Collector, names []string, d *doctorFiles, excerpts bool) error {
	o := read.Options{Now: time.Now(), Excerpts: excerpts}
	if d.keyLog != "" {
		keys, err := readBounded(d.keyLog, maxKeyLog)
		if err != nil {
			return usage(err)
		}
		o.KeyLog = keys
	}
	if len(d.urls) > 0 {
		in := to.Open("--url")
		for _, each := range d.urls {
			in.Add(fact.AskedURL, 0, each, time.Time{}, "url", each)
		}
		in.Recognised("what you say", "")
	}
	about := 0
	for _, name := range names {
		if isFile(name) {
			if err := p.readFor(ctx, to, name, o); err != nil {
				return usage(err)
			}
			continue
		}
		asked := askedName(name)
		if asked == "" {
			return usage(fmt.Errorf("there is no file %s", name))
		}
		about++
		if err := p.askFor(ctx, to, asked, d.system.at); err != nil {
			return err
		}
	}
	if d.system.at != "" && about == 0 {
		return usage(errors.New("--at is about one phone of our running system; name it"), "longcord doctor SEP… --at TIME")
	}
	return nil
}

func readBounded(name string, most int64) ([]byte, error) {
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(text)) > most {
		err = fmt.Errorf("%s is larger than %d bytes", name, most)
	}
	return text, err
}

// readFor reads one input. Whoever ends the program need not wait for what does not come: a pipe that nobody writes to
// can neither be opened nor read. Then the error is all that may be used: to is still in the hands of who reads.
func (p *program) readFor(ctx context.Context, to *fact.Collector, name string, o read.Options) error {
	done := make(chan error, 1)
	go func() { done <- p.readOne(ctx, to, name, o) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// errEnded is what somebody hears who pressed Ctrl-C.
var errEnded = errors.New("ended before there was a verdict")

func (p *program) readOne(ctx context.Context, to *fact.Collector, name string, o read.Options) error {
	if name == "-" {
		if terminal, ok := p.in.(*os.File); ok && isatty.IsTerminal(terminal.Fd()) {
			fmt.Fprintln(p.err, "Paste the log or the configuration here, then press Enter and Ctrl-D.")
		}
		return read.Input(ctx, to, "standard input", p.in, o)
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if info.IsDir() {
		return p.readFolder(ctx, to, name, o)
	}
	return p.readContent(ctx, to, name, info, o)
}

func (p *program) readContent(ctx context.Context, to *fact.Collector, name string, info fs.FileInfo, o read.Options) error {
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	o.Progress = p.progress(name, info.Size())
	defer o.Progress(-1)
	return read.Input(ctx, to, name, file, o)
}

// readFolder reads the regular files of a folder and of those in it. Links are not followed. What cannot be read is named,
// and the rest is judged.
func (p *program) readFolder(ctx context.Context, to *fact.Collector, folder string, o read.Options) error {
	var names []string
	var unread []error
	left := func(name string, err error) {
		unread = append(unread, err)
		to.Open(name).Partly(err.Error())
	}
	err := filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil && path == folder:
			return err
		case err != nil:
			left(path, err)
			return nil
		case !entry.Type().IsRegular():
			return nil
		}
		if names = append(names, path); len(names) > maxInFolder {
			return fmt.Errorf("%s holds more than %d files", folder, maxInFolder)
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(names) == 0 && len(unread) == 0 {
		return fmt.Errorf("%s holds no files", folder)
	}
	slices.Sort(names)
	read := 0
	for _, name := range names {
		err := p.readFor(ctx, to, name, o)
		switch {
		case err == nil:
			read++
		case ctx.Err() != nil:
			return err
		default:
			left(name, err)
		}
	}
	if read == 0 {
		return errors.Join(unread...)
	}
	for _, err := range unread {
		fmt.Fprintf(p.err, "left out: %v\n", err)
	}
	return nil
}

// progress tells on a terminal how far reading is, when it takes longer. -1 takes it away again.
func (p *program) progress(name string, size int64) func(int64) {
	file, ok := p.err.(*os.File)
	if !ok || !isatty.IsTerminal(file.Fd()) {
		return func(int64) {}
	}
	begun, last := time.Now(), time.Time{}
	return func(done int64) {
		now := time.Now()
		switch {
		case done < 0:
			if !last.IsZero() {
				fmt.Fprint(p.err, "\r\x1b[K")
			}
		case now.Sub(begun) > time.Second && now.Sub(last) > time.Second/5:
			last = now
			of := ""
			if size > 0 {
				of = fmt.Sprintf(" of %d", size>>20)
			}
			fmt.Fprintf(p.err, "\r\x1b[K%s: %d%s MB", fact.Cut(name), done>>20, of)
		}
	}
}
