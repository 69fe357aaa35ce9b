package main

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/longcord/longcord/fleet"
)

// row is a line of the table: what was measured, and how to get it out of a result.
type row struct {
	name   string
	format string
	of     func(result) (float64, bool)
}

func voice(of func(r result) *fleet.Voice, figure func(fleet.Voice) float64) func(result) (float64, bool) {
	return func(r result) (float64, bool) {
		if v := of(r); v != nil {
			return figure(*v), true
		}
		return 0, false
	}
}

func setUp(of func(r result) *fleet.SetUp, figure func(fleet.SetUp) float64) func(result) (float64, bool) {
	return func(r result) (float64, bool) {
		if s := of(r); s != nil {
			return figure(*s), true
		}
		return 0, false
	}
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func cpu(v fleet.Voice) float64 { return us(v.CPUPerPacket()) }

// worse is the larger of both ways.
func worse(figure func(fleet.Latency) time.Duration) func(fleet.Voice) float64 {
	return func(v fleet.Voice) float64 { return ms(max(figure(v.Up.Latency), figure(v.Down.Latency))) }
}

func p50(l fleet.Latency) time.Duration  { return l.P50 }
func p99(l fleet.Latency) time.Duration  { return l.P99 }
func p999(l fleet.Latency) time.Duration { return l.P999 }

var rows = func() []row {
	gcm := func(r result) *fleet.Voice { return r.Voice }
	cbc := func(r result) *fleet.Voice { return r.CBC }
	storm := func(r result) *fleet.Voice { return r.Storm }
	first := func(r result) *fleet.SetUp { return r.FirstLogins }
	later := func(r result) *fleet.SetUp { return r.Logins }
	best := func(r result) *fleet.Voice {
		if r.Rate == nil {
			return nil
		}
		return &r.Rate.Best
	}
	each := func(s fleet.SetUp) float64 { return ms(s.GatewayCPU) / float64(s.Clients) }
	weight := func(of func(idle) float64) func(result) (float64, bool) {
		return func(r result) (float64, bool) {
			if r.Idle == nil {
				return 0, false
			}
			return of(*r.Idle) / 1024, true
		}
	}
	tcp := func(figure func(bulk) float64) func(result) (float64, bool) {
		return func(r result) (float64, bool) {
			if r.TCP == nil {
				return 0, false
			}
			return figure(*r.TCP), true
		}
	}
	return []row{
		{"voice: CPU a packet, µs", "%.1f", voice(gcm, cpu)},
		{"voice: wake-ups a packet", "%.2f", voice(gcm, fleet.Voice.WakesPerPacket)},
		{"voice: loss, %", "%.3f", voice(gcm, func(v fleet.Voice) float64 { return 100 * v.Loss() })},
		{"voice: p50, ms", "%.2f", voice(gcm, worse(p50))},
		{"voice: p99, ms", "%.2f", voice(gcm, worse(p99))},
		{"voice: p99.9, ms", "%.2f", voice(gcm, worse(p999))},
		{"voice: gateway, core", "%.2f", voice(gcm, func(v fleet.Voice) float64 { return v.Gateway })},
		{"voice: generator, core", "%.2f", voice(gcm, func(v fleet.Voice) float64 { return v.Busy })},
		{"voice up alone: CPU a packet, µs", "%.1f", voice(func(r result) *fleet.Voice { return r.Up }, cpu)},
		{"voice down alone: CPU a packet, µs", "%.1f", voice(func(r result) *fleet.Voice { return r.Down }, cpu)},
		{"voice to each other: CPU a packet, µs", "%.1f", voice(func(r result) *fleet.Voice { return r.Across }, cpu)},
		{"voice CBC-SHA1: CPU a packet, µs", "%.1f", voice(cbc, cpu)},
		{"voice CBC-SHA1: loss, %", "%.3f", voice(cbc, func(v fleet.Voice) float64 { return 100 * v.Loss() })},
		{"voice CBC-SHA1: p99, ms", "%.2f", voice(cbc, worse(p99))},
		{"voice while others log in: loss, %", "%.3f", voice(storm, func(v fleet.Voice) float64 { return 100 * v.Loss() })},
		{"voice while others log in: p50, ms", "%.2f", voice(storm, worse(p50))},
		{"voice while others log in: p99, ms", "%.2f", voice(storm, worse(p99))},
		{"highest rate each way, packets/s", "%.0f", voice(best, func(v fleet.Voice) float64 { return v.Rate * float64(v.Clients) })},
		{"highest rate: CPU a packet, µs", "%.1f", voice(best, cpu)},
		{"highest rate: wake-ups a packet", "%.2f", voice(best, fleet.Voice.WakesPerPacket)},
		{"highest rate: gateway, core", "%.2f", voice(best, func(v fleet.Voice) float64 { return v.Gateway })},
		{"highest rate: generator, core", "%.2f", voice(best, func(v fleet.Voice) float64 { return v.Busy })},
		{"first logins, set-ups/s", "%.0f", setUp(first, func(s fleet.SetUp) float64 { return s.PerSecond })},
		{"first logins: CPU each, ms", "%.2f", setUp(first, each)},
		{"set-ups/s", "%.0f", setUp(later, func(s fleet.SetUp) float64 { return s.PerSecond })},
		{"set-up: CPU each, ms", "%.2f", setUp(later, each)},
		{"set-up: p50, ms", "%.1f", setUp(later, func(s fleet.SetUp) float64 { return ms(s.Latency.P50) })},
		{"set-up: p99, ms", "%.1f", setUp(later, func(s fleet.SetUp) float64 { return ms(s.Latency.P99) })},
		{"idle session: PSS, KiB", "%.0f", weight(idle.pss)},
		{"idle session: RSS, KiB", "%.0f", weight(idle.rss)},
		{"TCP up, Mbit/s", "%.0f", tcp(func(b bulk) float64 { return b.Up.megabits() })},
		{"TCP down, Mbit/s", "%.0f", tcp(func(b bulk) float64 { return b.Down.megabits() })},
		{"TCP up: CPU s per Gbit", "%.2f", tcp(func(b bulk) float64 { return b.Up.perGigabit() })},
		{"TCP down: CPU s per Gbit", "%.2f", tcp(func(b bulk) float64 { return b.Down.perGigabit() })},
	}
}()

// print writes medians, and the ratio of ours to each other gateway.
func (b *bench) print(w io.Writer) error {
	names := strings.Split(b.gateways, ",")
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "%d clients, medians of %d rounds\t%s\tratio\n", b.clients, b.rounds, strings.Join(names, "\t"))
	for _, row := range rows {
		var medians []float64
		var cells []string
		for _, name := range names {
			m, ok := median(b.Gateways[name], row.of)
			if !ok {
				continue
			}
			medians = append(medians, m)
			cells = append(cells, fmt.Sprintf(row.format, m))
		}
		if len(cells) < len(names) {
			continue
		}
		if len(medians) == 2 && medians[1] != 0 {
			cells = append(cells, fmt.Sprintf("%.2f", medians[0]/medians[1]))
		}
		fmt.Fprintf(table, "%s\t%s\n", row.name, strings.Join(cells, "\t"))
	}
	for _, name := range names {
		for round, r := range b.Gateways[name] {
			if r.Rate != nil && r.Rate.Limited() {
				fmt.Fprintf(table, "round %d, %s: the generator may have been the limit of the highest rate\n", round+1, name)
			}
			if r.Voice != nil && r.Voice.Limited {
				fmt.Fprintf(table, "round %d, %s: the generator was late\n", round+1, name)
			}
		}
	}
	if len(b.Floors) > 0 {
		b.printFloor(table)
	}
	return table.Flush()
}

// printFloor tells the sums of what no gateway can do without.
func (b *bench) printFloor(w io.Writer) {
	of := func(cost func(floor) time.Duration) float64 {
		m, _ := median(b.Floors, func(f floor) (float64, bool) { return us(cost(f)), true })
		return m
	}
	fmt.Fprintf(w, "floor up, µs a packet: recvmmsg %.1f + open %.1f + write to TUN %.1f = %.1f\n",
		of(func(f floor) time.Duration { return f.Receive }), of(func(f floor) time.Duration { return f.Open }),
		of(func(f floor) time.Duration { return f.Write }), of(floor.up))
	fmt.Fprintf(w, "floor down, µs a packet: read from TUN %.1f + seal %.1f + sendmmsg %.1f = %.1f\n",
		of(func(f floor) time.Duration { return f.Read }), of(func(f floor) time.Duration { return f.Seal }),
		of(func(f floor) time.Duration { return f.Send }), of(floor.down))
}

func median[T any](results []T, of func(T) (float64, bool)) (float64, bool) {
	var all []float64
	for _, r := range results {
		if v, ok := of(r); ok {
			all = append(all, v)
		}
	}
	if len(all) == 0 {
		return 0, false
	}
	slices.Sort(all)
	middle := len(all) / 2
	if len(all)%2 == 1 {
		return all[middle], true
	}
	return (all[middle-1] + all[middle]) / 2, true
}
