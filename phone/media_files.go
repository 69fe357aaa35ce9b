package phone

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/longcord/longcord/wire/wav"
)

// voice is the sound to send: a file, then silence.
type voice struct {
	left   []int16
	file   bool          // there is a file whose end has not been told
	played chan struct{} // closed at its end
}

func openVoice(path string) (voice, error) {
	v := voice{played: make(chan struct{})}
	if path == "" {
		return v, nil
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return voice{}, err
	}
	v.left, err = wav.Parse(file)
	v.file = true
	return v, err
}

// checkSoundFiles finds out before the phone starts what a call would fail of. The recording itself is
// not touched until there is a call to record.
func checkSoundFiles(play, record string) error {
	if _, err := openVoice(play); err != nil {
		return fmt.Errorf("phone: sound to play: %w", err)
	}
	if record == "" {
		return nil
	}
	folder := filepath.Dir(record)
	if info, err := os.Stat(folder); err != nil {
		return fmt.Errorf("phone: recording: %w", err)
	} else if !info.IsDir() {
		return fmt.Errorf("phone: recording: %s is not a folder", folder)
	}
	return nil
}

// frame fills frame with the next sound.
func (v *voice) frame(frame []int16) {
	n := copy(frame, v.left)
	clear(frame[n:])
	v.left = v.left[n:]
}

// sent notes that the frames taken so far are on their way.
func (v *voice) sent() {
	if v.file && len(v.left) == 0 {
		v.file = false
		close(v.played)
	}
}

// recorder writes what is heard to a file. A nil recorder writes nothing.
type recorder struct {
	file *os.File
	wav  *wav.Writer
}

func openRecorder(path string) (*recorder, error) {
	if path == "" {
		return nil, nil
	}
	file, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	w, err := wav.NewWriter(file)
	if err != nil {
		return nil, errors.Join(err, file.Close())
	}
	return &recorder{file: file, wav: w}, nil
}

func (r *recorder) write(samples []int16) error {
	if r == nil {
		return nil
	}
	return r.wav.Write(samples)
}

func (r *recorder) close() error {
	if r == nil {
		return nil
	}
	return errors.Join(r.wav.Close(), r.file.Close())
}
