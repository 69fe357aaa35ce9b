package gateway

import (
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/stage/verify"
	"github.com/longcord/longcord/wire/cstp"
)

// TestDrain: a gateway that drains turns logins away, keeps who talks or is in a call, and is drained when
// both have become quiet.
func TestDrain(t *testing.T) {
	t.Parallel()
	var held atomic.Bool // in a call, on hold: no packets
	held.Store(true)
	w := open(t, withUsers("anna", "carl"), func(w *world, c *Config) {
		w.users["bob"] = struct{ password, device string }{"secret of bob", aPhone}
		c.Busy = func(device string) bool { return device == aPhone && held.Load() }
	})
	w.g.drain.quiet = 2 * time.Second
	talking := w.tunnel(phoneURL, "anna")
	onHold := w.tunnel(phoneURL, "bob")
	stop := make(chan struct{})
	var talk atomic.Int64
	go func() {
		voice := time.NewTicker(20 * time.Millisecond)
		defer voice.Stop()
		for {
			select {
			case <-stop:
				return
			case <-voice.C:
				talking.conn.Write(cstp.AppendFrame(nil, cstp.Data, toFiles(talking.answer.Address.String())))
				talk.Add(1)
			}
		}
	}()
	drained := w.g.Drain()
	if again := w.g.Drain(); again != drained {
		t.Error("draining begins twice")
	}
	in, ok := w.dial(modern()).logIn(phoneURL, "carl", "secret of carl").(verify.Refused)
	if !ok || in.Reason != verify.GatewayError {
		t.Errorf("a new login: %+v, want it turned away", in)
	}
	w.until("there was time to be cut off", func() bool { return talk.Load() > 300 }) // six seconds
	if n := len(w.g.Sessions()); n != 2 {
		t.Errorf("%d sessions are left, want both", n)
	}
	// A line that breaks in mid-call may come back: its cookie is good.
	again := w.dial(modern())
	if err := again.connect(again.offer(talking.request.Cookie)); err != nil {
		t.Errorf("coming back while the gateway drains: %v", err)
	}
	held.Store(false)
	onHold.closed()
	select {
	case <-drained:
		t.Fatal("drained while somebody talks")
	default:
	}
	close(stop)
	select {
	case <-drained:
	case <-time.After(patience):
		t.Fatal("the gateway is not drained")
	}
	again.closed()
	refused(t, w.dial(modern()).connect(again.request), http.StatusUnauthorized)
}
