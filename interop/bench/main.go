// Command bench measures our gateway beside ocserv, in the same run and on the same machine: what a packet
// of voice costs, how many go through, what a set-up costs, what an idle session weighs, and what TCP gets.
// `make bench` runs it; docs/performance.md explains it and holds its results.
//
// It builds four hosts out of network namespaces, client, internet, gateway and inside, joined by virtual
// cables. The gateway under test has one core for itself; this program, which is the clients and the
// inside host in one (package fleet), has another. The gateways take turns, so that what else the machine
// does hits both, and medians are told.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"
)

// options are what the command line says.
type options struct {
	longcord string
	only     string
	gateways string
	rounds   int
	clients  int
	length   time.Duration
	json     string
	rsa      bool

	batchDelay time.Duration // negative: as init writes it
}

func main() {
	var o options
	flag.StringVar(&o.longcord, "longcord", "bin/longcord", "our program")
	flag.StringVar(&o.only, "only", strings.Join(parts, ","), "what to measure")
	flag.StringVar(&o.gateways, "gateways", strings.Join(gatewayNames(), ","), "whom to measure")
	flag.IntVar(&o.rounds, "rounds", 3, "how often each gateway has its turn")
	flag.IntVar(&o.clients, "clients", 200, "clients that talk")
	flag.DurationVar(&o.length, "length", 10*time.Second, "of a talk")
	flag.DurationVar(&o.batchDelay, "batch-delay", -1, "how long ours waits for company instead of what init writes")
	flag.BoolVar(&o.rsa, "rsa", false, "leave the gateways their RSA certificates only")
	flag.StringVar(&o.json, "json", "", "write all results to this `file`, too")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	err := inFront(ctx)
	if errors.Is(err, errInFront) {
		err = run(ctx, o)
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		os.Exit(max(exit.ExitCode(), 1)) // it has said why
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	wanted := strings.Split(o.only, ",")
	for _, part := range wanted {
		if !slices.Contains(parts, part) {
			return fmt.Errorf("there is no part %q; choose among %s", part, strings.Join(parts, ", "))
		}
	}
	b := &bench{options: o, parts: wanted, Gateways: map[string][]result{}}
	for round := range o.rounds {
		if b.wants(partFloor) {
			f, err := measureFloor()
			if err != nil {
				return fmt.Errorf("floor: %w", err)
			}
			b.Floors = append(b.Floors, f)
		}
		if !b.wants(parts[1:]...) {
			continue // no gateway is needed
		}
		for _, name := range strings.Split(o.gateways, ",") {
			make := gateways[name]
			if make == nil {
				return fmt.Errorf("there is no gateway %q; choose among %s", name, strings.Join(gatewayNames(), ", "))
			}
			fmt.Fprintf(os.Stderr, "round %d: %s (load %s)\n", round+1, name, load())
			r, err := b.turn(ctx, make)
			if err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
			b.Gateways[name] = append(b.Gateways[name], r)
		}
	}
	if err := b.print(os.Stdout); err != nil || o.json == "" {
		return err
	}
	text, err := json.MarshalIndent(b, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o644)
}

// load is what the machine does besides.
func load() string {
	text, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	return strings.Join(strings.Fields(string(text))[:3], " ")
}
