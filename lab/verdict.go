package lab

import (
	"context"
	"fmt"
	"time"

	"github.com/longcord/longcord/finding"
	"github.com/longcord/longcord/internal/tone"
	"github.com/longcord/longcord/phone"
	"github.com/longcord/longcord/stage"
	"github.com/longcord/longcord/wire/wav"
)

// wrongChannel says what is wrong with the way the tunnel takes, or nothing when it is the one that was
// asked for.
func (s *story) wrongChannel() string {
	got := s.result.Session
	if got == nil {
		return "the phone has not told of a tunnel"
	}
	if got.Transport == s.variant.transport && got.DTLSVersion == s.variant.dtlsVersion {
		return ""
	}
	return fmt.Sprintf("the tunnel runs over %s, expected %s",
		channel(got.Transport, got.DTLSVersion), channel(s.variant.transport, s.variant.dtlsVersion))
}

func channel(transport, version string) string {
	if transport == "dtls" {
		return "DTLS " + version
	}
	return "TLS"
}

// judge ends the call step: it is well when each side has heard what the other played, by the way that
// was asked for.
func (s *story) judge(context.Context) error {
	if s.awaited() != stage.Call {
		return &stopped{s.awaited(), "the phone has ended without having told of this step"}
	}
	if why := s.wrongChannel(); why != "" {
		return &stopped{stage.Tunnel, why}
	}
	if s.homeMedia == nil {
		return &stopped{stage.Call, "the home phone has ended without having measured a call"}
	}
	toOffice, err := s.heard(deskSound, tone.Home)
	if err != nil {
		return &stopped{stage.Call, err.Error()}
	}
	toHome, err := s.heard(homeSound, tone.Desk)
	if err != nil {
		return &stopped{stage.Call, err.Error()}
	}
	s.result.Call = &Call{
		Signalling:   s.config.Signalling,
		HomeToOffice: direction(s.homeMedia, s.deskMedia, toOffice),
		OfficeToHome: direction(s.deskMedia, s.homeMedia, toHome),
	}
	if toOffice != toHome {
		s.oneWay(toHome)
	}
	if why := deaf(toOffice, toHome); why != "" {
		return &stopped{stage.Call, why}
	}
	s.reached(Step{
		stage.Call, true, fmt.Sprintf("%s and %s have heard each other", homeNumber, deskNumber),
		time.Since(s.calling).Milliseconds(),
	})
	return nil
}

// oneWay notes that only one side hears the other.
func (s *story) oneWay(homeHears bool) {
	deaf, speaker := "the home phone", "the desk phone"
	if homeHears {
		deaf, speaker = speaker, deaf
	}
	s.result.Findings = append(s.result.Findings, finding.OneWayAudio.With(deaf, speaker).
		Because("lab", 0, "the recording of "+deaf+" does not hold what "+speaker+" played"))
}

// heard reports whether the recording made where place plays holds what the other side played.
func (s *story) heard(place string, played tone.Tone) (bool, error) {
	name := heardAt + place
	file, err := s.world.disk.Files.ReadFile(name)
	if err != nil {
		return false, fmt.Errorf("recording %s: %w", name, err)
	}
	samples, err := wav.Parse(file)
	if err != nil {
		return false, fmt.Errorf("recording %s: %w", name, err)
	}
	found, _, ok := tone.Identify(samples, tone.Home, tone.Desk)
	return ok && found == played, nil
}

func direction(from, to *phone.Media, heard bool) Direction {
	return Direction{
		Sent: from.Sent, Received: to.Received, Lost: to.Lost, JitterMS: to.JitterMS, MOS: to.MOS, Heard: heard,
	}
}

func deaf(toOffice, toHome bool) string {
	switch {
	case toOffice && toHome:
		return ""
	case toOffice:
		return "the home phone does not hear the desk phone"
	case toHome:
		return "the desk phone does not hear the home phone"
	}
	return "neither phone hears the other"
}
