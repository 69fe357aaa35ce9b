package fleet

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// maxErrors bounds how many failures an error tells.
const maxErrors = 5

// Connect sets all clients up, Config.AtOnce at a time. The error tells why some are not up; the others
// may talk.
func (f *Fleet) Connect(ctx context.Context) (SetUp, error) {
	before, err := f.usage()
	if err != nil {
		return SetUp{}, err
	}
	own, begun := processTime(), time.Now()
	s := SetUp{Clients: len(f.clients), AtOnce: f.config.AtOnce}
	var took histogram
	var failures []error
	var mu sync.Mutex // guards both
	one := func(c *client) {
		start := time.Now()
		err := c.setUp(ctx)
		mu.Lock()
		defer mu.Unlock()
		if err != nil {
			failures = append(failures, err)
			return
		}
		took.add(time.Since(start))
	}
	next := make(chan *client)
	var workers sync.WaitGroup
	for range f.config.AtOnce {
		workers.Go(func() {
			for c := range next {
				one(c)
			}
		})
	}
	for _, c := range f.clients {
		next <- c
	}
	close(next)
	workers.Wait()
	s.Took, s.OwnCPU = time.Since(begun), processTime()-own
	after, err := f.usage()
	if err != nil {
		return s, err
	}
	s.GatewayCPU, s.Latency, s.Failed = after.Minus(before).CPU, took.latency(), len(failures)
	s.PerSecond = float64(len(f.clients)-len(failures)) / s.Took.Seconds()
	s.Cipher = f.cipher()
	if n := len(failures); n > 0 {
		return s, fmt.Errorf("fleet: %d of %d clients are not up: %w", n, len(f.clients), errors.Join(failures[:min(n, maxErrors)]...))
	}
	return s, nil
}

// cipher is what the first client that is up speaks.
func (f *Fleet) cipher() (name string) {
	f.loop.order(func() {
		for _, c := range f.clients {
			if c.conn != nil {
				name = "DTLS " + c.conn.Version().String() + " " + c.conn.Suite().String()
				return
			}
		}
	})
	return name
}
