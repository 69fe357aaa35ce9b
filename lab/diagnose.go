package lab

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/doctor"
	"github.com/longcord/longcord/doctor/fact"
	"github.com/longcord/longcord/doctor/judge"
	"github.com/longcord/longcord/doctor/read"
	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/testnet"
)

// storedFile is what the phone keeps of its file.
const storedFile = "phone/" + homePhone + ".cnf.xml"

// diagnose asks the doctor: he asks the office about the phone as it is, lives the phone's steps from where it is, reads
// what it said and what the servers logged, and judges all of it together.
func (s *story) diagnose(ctx context.Context) error {
	collected := fact.NewCollector(s.config.Version, homePhone)
	if err := s.askOffice(ctx, collected); err != nil {
		return err
	}
	for _, p := range []*program{s.boot, s.home} {
		if p != nil {
			p.stop() // it would be in the way
		}
	}
	if err := s.walk(ctx, collected); err != nil {
		return err
	}
	for _, p := range []*program{s.boot, s.home} {
		if p != nil {
			said := strings.NewReader(strings.Join(p.all(), "\n"))
			if err := read.Input(ctx, collected, p.name, said, read.Options{Now: time.Now()}); err != nil {
				return fmt.Errorf("lab: read what the %s said: %w", p.name, err)
			}
		}
	}
	if s.serve != nil {
		log, err := s.world.disk.Files.ReadFile(s.serve.logName())
		if err != nil {
			return fmt.Errorf("lab: log of the office: %w", err)
		}
		if err := read.Input(ctx, collected, s.serve.logName(), bytes.NewReader(log), read.Options{Now: time.Now()}); err != nil {
			return fmt.Errorf("lab: log of the office: %w", err)
		}
	}
	s.tellHeard(collected)
	file := collected.File()
	report := judge.Facts(file, s.config.Version)
	s.result.Findings = report.Findings
	s.report.diagnosis = func(out io.Writer) { doctor.Print(out, file, report, doctor.Style{}) }
	return nil
}

// tellHeard adds what the recordings of the call tell.
func (s *story) tellHeard(to *fact.Collector) {
	for _, f := range s.result.Findings {
		if f.Code == finding.OneWayAudio.Code {
			in := to.Open("recordings of the call")
			in.Recognised("sound", finding.Longcord)
			in.Add(fact.OwnFinding, 0, f.Evidence[0].Text, time.Now(), "code", f.Code, "says", f.Says, "certainty", string(f.Certainty))
		}
	}
}

// walk has the doctor be the phone, from where its cable is.
func (s *story) walk(ctx context.Context, into *fact.Collector) error {
	if s.tftp == "" {
		return nil // the office has not even opened
	}
	args := []string{"--as", homePhone, "--tftp", s.tftp, "--model", s.variant.model, "--take-over"}
	if _, err := s.world.disk.Files.Stat(storedFile); err == nil {
		args = append(args, "--file", path(storedFile))
	}
	input := ""
	if s.home != nil {
		args, input = append(args, s.credentials()...), s.password+"\n"
	}
	seen, err := s.doctor(ctx, s.world.phone, input, args...)
	if err != nil {
		return err
	}
	into.Take(seen)
	return nil
}

// askOffice has the doctor ask the running office about the phone. Who has hung up and gone, as he was to, is not missed.
func (s *story) askOffice(ctx context.Context, into *fact.Collector) error {
	if s.serve == nil || s.serve.ended() {
		return nil
	}
	seen, err := s.doctor(ctx, s.world.gateway, "", homePhone, "-c", path(configFile))
	if err != nil {
		return err
	}
	if s.home != nil && s.home.ended() && s.home.cmd.ProcessState.Success() {
		seen.Facts = slices.DeleteFunc(seen.Facts, func(f fact.Fact) bool { return f.Kind == fact.SystemAbsent })
	}
	into.Take(seen)
	return nil
}

// doctor runs `longcord doctor` in a host, and returns what he has seen.
func (s *story) doctor(ctx context.Context, in *testnet.Host, input string, args ...string) (*fact.File, error) {
	facts := "seen-from-" + in.Name() + ".json"
	p, err := s.launcher.start(in, "doctor in "+in.Name(), input, append([]string{"doctor", "--json", "--facts", path(facts)}, args...)...)
	if err != nil {
		return nil, err
	}
	select {
	case <-p.done:
	case <-ctx.Done():
		p.powerOff()
		return nil, fmt.Errorf("lab: the doctor did not end: %w", ctx.Err())
	}
	text, err := s.world.disk.Files.ReadFile(facts)
	if err != nil {
		return nil, errors.Join(p.failure(), err)
	}
	seen, err := fact.Read(bytes.NewReader(text))
	if err != nil {
		return nil, fmt.Errorf("lab: what the doctor saw: %w", err)
	}
	return seen, nil
}
