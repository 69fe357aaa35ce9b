package testnet

import (
	"errors"
	"runtime"

	"golang.org/x/sys/unix"
)

// errClosed is what a closed host's thread answers.
var errClosed = errors.New("the host is closed")

// thread is one operating system thread that stays where enter has put it and runs functions there. It
// ends with close, never to be used for anything else; programs it has started with Pdeathsig end too.
type thread struct {
	work chan func()
	stop chan struct{}
	done chan struct{}
}

// newThread starts a thread and runs enter on it. When enter fails the thread is gone.
func newThread(enter func() error) (*thread, error) {
	t := &thread{work: make(chan func()), stop: make(chan struct{}), done: make(chan struct{})}
	entered := make(chan error)
	onOwnThread(func() {
		defer close(t.done)
		err := enter()
		entered <- err
		if err == nil {
			t.run()
		}
	})
	if err := <-entered; err != nil {
		return nil, err
	}
	return t, nil
}

func (t *thread) run() {
	for {
		select {
		case f := <-t.work:
			f()
		case <-t.stop:
			return
		}
	}
}

// do runs f on the thread and returns its error.
func (t *thread) do(f func() error) error {
	result := make(chan error, 1)
	select {
	case t.work <- func() { result <- f() }:
		return <-result
	case <-t.done:
		return errClosed
	}
}

// close ends the thread once what it runs has returned. It is called once.
func (t *thread) close() {
	close(t.stop)
	<-t.done
}

// onOwnThread runs f on a thread that nobody else uses and that ends with f. The process's first thread
// is not fit for that: it cannot end before the process does, and its namespaces are what /proc/PID
// shows of the process, so a goroutine that finds itself there moves on.
func onOwnThread(f func()) {
	go func() {
		runtime.LockOSThread()
		if unix.Gettid() != unix.Getpid() {
			f()
			return
		}
		away := make(chan struct{})
		onOwnThread(func() { close(away); f() })
		<-away
		runtime.UnlockOSThread()
	}()
}
