package tuntest

import (
	"errors"
	"os"
	"testing"
)

func TestPipe(t *testing.T) {
	t.Parallel()
	device, host := Pipe("test0")
	packet := []byte("a packet")
	if n, err := device.Write(packet); n != len(packet) || err != nil {
		t.Fatalf("wrote %d, %v", n, err)
	}
	packet[0] = 'x' // the writer may use its buffer again
	got := make([]byte, 100)
	if n, err := host.Read(got); err != nil || string(got[:n]) != "a packet" {
		t.Fatalf("read %q, %v", got[:n], err)
	}
	for range depth + 1 { // does not block
		if _, err := host.Write(packet); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := device.Read(got[:3]); err == nil {
		t.Error("a packet was cut")
	}
	host.Close()
	if _, err := device.Write(packet); !errors.Is(err, os.ErrClosed) {
		t.Errorf("write after close: %v, want %v", err, os.ErrClosed)
	}
	host.Close()
}

func TestPipeCloseEndsRead(t *testing.T) {
	t.Parallel()
	device, host := Pipe("test0")
	ended := make(chan error)
	go func() {
		_, err := device.Read(make([]byte, 100))
		ended <- err
	}()
	host.Close()
	if err := <-ended; !errors.Is(err, os.ErrClosed) {
		t.Errorf("read ended with %v, want %v", err, os.ErrClosed)
	}
}
