//go:build interop

package serve_test

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/longcord/longcord/interop/office"
)

// Two hundred sessions from one address, and beside them, from the same address, a flood of connections that
// never become one: the sessions stay, a tunnel loses no packet, and whoever means it still gets in.
func TestFloodFromOneAddress(t *testing.T) {
	t.Parallel()
	o := office.New(t)
	edit(t, o, inventory, "kind: GroupPolicy\nname: phones\n", "kind: GroupPolicy\nname: phones\nsimultaneousLogins: 1000\n")
	o.Serve()
	o.AddUser("anna", "rosebud7")
	openconnect(t, o, office.URL, "anna", "rosebud7").Wait("Established DTLS connection")
	const many = 200
	logins := make(chan int, many)
	for range many {
		logins <- 1
	}
	close(logins)
	var working sync.WaitGroup
	for range 8 {
		working.Go(func() {
			for range logins {
				if err := logIn(t.Context(), o); err != nil {
					t.Error(err)
				}
			}
		})
	}
	working.Wait()
	if n := sessionsOf(t, o); n != many+1 {
		t.Fatalf("%d sessions, want %d", n, many+1)
	}

	until, stop := voice(t, o)
	ctx, end := context.WithCancel(t.Context())
	var opened atomic.Int64
	var flood sync.WaitGroup
	for _, attack := range map[string]func(net.Conn) error{
		"silent": func(net.Conn) error { return nil },
		"half a hello": func(c net.Conn) error {
			_, err := c.Write([]byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"))
			return err
		},
		"half a header": func(c net.Conn) error {
			_, err := fmt.Fprintf(tls.Client(c, &tls.Config{InsecureSkipVerify: true}), "GET /phone HTTP/1.1\r\nHost: x\r\nX-A: ")
			return err
		},
		"half a body": func(c net.Conn) error {
			_, err := fmt.Fprintf(tls.Client(c, &tls.Config{InsecureSkipVerify: true}), "POST /phone HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nusername=")
			return err
		},
	} {
		for range 40 {
			flood.Go(func() {
				for ctx.Err() == nil {
					conn, err := dial(ctx, o)
					if err != nil {
						continue
					}
					opened.Add(1)
					release := context.AfterFunc(ctx, func() { conn.Close() })
					if err := attack(conn); err == nil {
						_, _ = io.Copy(io.Discard, conn) // until it is dropped
					}
					release()
					conn.Close()
					select { // a hundred and sixty of them still come as often as a thousand a second
					case <-ctx.Done():
					case <-time.After(150 * time.Millisecond):
					}
				}
			})
		}
	}
	const newcomers = 20
	in, cutOff := 0, 0
	for i := range newcomers {
		// A phone that was cut off tries again. How often that is depends on how long a handshake takes here.
		for deadline := time.Now().Add(office.Patience); time.Now().Before(deadline); cutOff++ {
			if logIn(ctx, o) == nil {
				in++
				break
			}
		}
		until(20 + 10*(i+1)) // so that the flood has time to do harm
	}
	end()
	flood.Wait()
	sent, answered := stop()
	t.Logf("%d connections came to nothing; %d of %d newcomers are in, cut off %d times before; %d of %d packets answered",
		opened.Load(), in, newcomers, cutOff, answered, sent)
	if in != newcomers {
		t.Errorf("%d of %d newcomers got in", in, newcomers)
	}
	if sent != answered {
		t.Errorf("%d packets sent, %d answered", sent, answered)
	}
	if n := sessionsOf(t, o); n < many+1+newcomers {
		t.Errorf("%d sessions are left, want %d", n, many+1+newcomers)
	}
}

// dial connects to the gateway from the client's host.
func dial(ctx context.Context, o *office.Office) (conn net.Conn, err error) {
	hostErr := o.Client.Do(func() error {
		dialer := net.Dialer{Timeout: 10 * time.Second}
		conn, err = dialer.DialContext(ctx, "tcp", office.Outside+":443")
		return nil
	})
	if hostErr != nil {
		return nil, hostErr
	}
	return conn, err
}

// logIn logs in as a phone does, on a connection of its own.
func logIn(ctx context.Context, o *office.Office) error {
	client := &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true, TLSClientConfig: &tls.Config{InsecureSkipVerify: true},
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx, o) },
	}}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, office.URL, strings.NewReader("username=anna&password=rosebud7"))
	if err != nil {
		return err
	}
	request.Header.Set("User-Agent", "Cisco SVC IPPhone Client v1.0")
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	reply, err := client.Do(request)
	if err != nil {
		return err
	}
	defer reply.Body.Close()
	if reply.StatusCode != http.StatusOK || !strings.Contains(strings.Join(reply.Header.Values("Set-Cookie"), ";"), "webvpn=") {
		return fmt.Errorf("a login gets %s", reply.Status)
	}
	return nil
}

func sessionsOf(t *testing.T, o *office.Office) int {
	t.Helper()
	out, code := run(t, o, "", "-c", o.Path(configuration), "sessions", "list", "--json")
	var list struct{ Sessions []struct{} }
	if err := json.Unmarshal([]byte(out), &list); code != 0 || err != nil {
		t.Fatalf("sessions list: %v\n%s", err, out)
	}
	return len(list.Sessions)
}
