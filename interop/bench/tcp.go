package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/fleet"
)

// bulk is TCP through one tunnel.
type bulk struct {
	Up   stream `json:"up"`
	Down stream `json:"down"`
}

type stream struct {
	BitsPerSecond float64       `json:"bits_per_second"`
	GatewayCPU    time.Duration `json:"gateway_cpu_ns"`
	Took          time.Duration `json:"took_ns"`
}

func (s stream) megabits() float64 { return s.BitsPerSecond / 1e6 }

// perGigabit is the gateway's CPU seconds for 10^9 bits.
func (s stream) perGigabit() float64 {
	return s.GatewayCPU.Seconds() / (s.BitsPerSecond * s.Took.Seconds() / 1e9)
}

// tunnelScript sets openconnect's tunnel up. The client's host has no other way to the inside.
const tunnelScript = `#!/bin/sh
[ "$reason" = connect ] || exit 0
ip link set "$TUNDEV" up mtu "${INTERNAL_IP4_MTU:-1300}"
ip addr add "$INTERNAL_IP4_ADDRESS/32" dev "$TUNDEV"
ip route replace 10.20.0.0/24 dev "$TUNDEV"
echo "tunnel is up"
`

// tcp measures what iperf3 gets through openconnect, up and then down.
func (b *bench) tcp(ctx context.Context, l *laboratory, g *gateway, dir string) (r *bulk, err error) {
	pin, err := certificatePin(ctx, l, g)
	if err != nil {
		return nil, err
	}
	script := filepath.Join(dir, "tunnel")
	if err := os.WriteFile(script, []byte(tunnelScript), 0o755); err != nil {
		return nil, err
	}
	cmd := exec.Command("openconnect", "--user", g.user(0), "--passwd-on-stdin", "--servercert", pin, "--script", script, "--disable-ipv6", g.url)
	cmd.Stdin = strings.NewReader(password + "\n")
	client, err := start(l.client, "tunnel is up", cmd)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, client.stop()) }()
	r = new(bulk)
	if r.Up, err = b.stream(ctx, l, g); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, client.output())
	}
	if r.Down, err = b.stream(ctx, l, g, "-R"); err != nil {
		return nil, fmt.Errorf("%w\n%s", err, client.output())
	}
	return r, nil
}

// stream runs iperf3 once.
func (b *bench) stream(ctx context.Context, l *laboratory, g *gateway, flags ...string) (s stream, err error) {
	address := desk.Addr().String()
	server, err := start(l.inside, "Server listening", exec.Command("iperf3", "-s", "-1", "-B", address, "--forceflush"))
	if err != nil {
		return s, err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	before, err := fleet.UsageOf(g.pid(), false)
	if err != nil {
		return s, err
	}
	seconds := strconv.Itoa(int(b.length.Seconds()))
	out, err := runOn(ctx, l.client, "", b.length+patience, "iperf3", append([]string{"-c", address, "-J", "-t", seconds}, flags...)...)
	if err != nil {
		return s, err
	}
	after, err := fleet.UsageOf(g.pid(), false)
	if err != nil {
		return s, err
	}
	var said struct {
		End struct {
			Received struct {
				Bits    float64 `json:"bits_per_second"`
				Seconds float64 `json:"seconds"`
			} `json:"sum_received"`
		} `json:"end"`
	}
	if err := json.Unmarshal(out, &said); err != nil || said.End.Received.Bits == 0 {
		return s, fmt.Errorf("iperf3 (%v) says:\n%s", err, out)
	}
	took := time.Duration(said.End.Received.Seconds * float64(time.Second))
	return stream{said.End.Received.Bits, after.CPU - before.CPU, took}, nil
}

// certificatePin is the gateway's certificate as openconnect wants it named, asked of openconnect itself.
func certificatePin(ctx context.Context, l *laboratory, g *gateway) (string, error) {
	out, err := runOn(ctx, l.client, "", patience, "openconnect", "--authenticate", g.url)
	text := string(out)
	if err != nil {
		text = err.Error() // it ends so when it does not know the certificate
	}
	_, after, found := strings.Cut(text, "--servercert ")
	if !found {
		return "", fmt.Errorf("openconnect names no fingerprint:\n%s", text)
	}
	return strings.Fields(after)[0], nil
}
