package fleet

import "time"

// Result is what became of a Run.
type Result struct {
	SetUp SetUp `json:"set_up"`
	Voice Voice `json:"voice"`
}

// SetUp is how the clients came up: login, CONNECT and DTLS.
type SetUp struct {
	Clients    int           `json:"clients"`
	AtOnce     int           `json:"at_once"`
	Failed     int           `json:"failed"`
	Took       time.Duration `json:"took_ns"`
	PerSecond  float64       `json:"per_second"`
	Latency    Latency       `json:"latency"`
	GatewayCPU time.Duration `json:"gateway_cpu_ns"` // for all; zero: not known
	OwnCPU     time.Duration `json:"generator_cpu_ns"`
	Cipher     string        `json:"cipher"` // of the DTLS channel of the first client
}

// Voice is what became of a Talk.
type Voice struct {
	Clients    int           `json:"clients"`
	Rate       float64       `json:"packets_per_second"` // each client, each way
	Took       time.Duration `json:"took_ns"`
	Up         Direction     `json:"up"`
	Down       Direction     `json:"down"`
	GatewayCPU time.Duration `json:"gateway_cpu_ns"` // with the time before counting began; zero: not known
	Wakes      uint64        `json:"gateway_wakes"`  // of its threads in that time
	Carried    uint64        `json:"carried"`        // packets sent in that time, both ways
	Gateway    float64       `json:"gateway_busy"`   // share of a core that it took in that time
	OwnCPU     time.Duration `json:"generator_cpu_ns"`
	Busy       float64       `json:"generator_busy"` // share of a core that the packet thread took
	Late       Latency       `json:"generator_late"` // how long after its time a packet was sent
	Limited    bool          `json:"generator_limited"`
	Ended      int           `json:"sessions_ended"` // clients that lost their session or DTLS channel
}

// CPUPerPacket is what the gateway paid for a packet.
func (v Voice) CPUPerPacket() time.Duration {
	if v.Carried == 0 {
		return 0
	}
	return v.GatewayCPU / time.Duration(v.Carried)
}

// WakesPerPacket is how often a thread of the gateway was woken for a packet: less than once when packets
// meet in batches.
func (v Voice) WakesPerPacket() float64 {
	if v.Carried == 0 {
		return 0
	}
	return float64(v.Wakes) / float64(v.Carried)
}

// Loss is the worse share of packets lost of the two directions.
func (v Voice) Loss() float64 { return max(v.Up.Loss(), v.Down.Loss()) }

// Direction counts packets one way. Corrupted ones carry our mark and a wrong content or address.
type Direction struct {
	Sent      uint64  `json:"sent"`
	Received  uint64  `json:"received"` // each once
	Lost      uint64  `json:"lost"`
	Repeated  uint64  `json:"repeated"`
	Reordered uint64  `json:"reordered"`
	Corrupted uint64  `json:"corrupted"`
	Unsent    uint64  `json:"unsent"` // the own host took them not; they count as lost
	Latency   Latency `json:"latency"`
}

// Loss is the share of packets that did not arrive.
func (d Direction) Loss() float64 {
	if d.Sent == 0 {
		return 0
	}
	return float64(d.Lost) / float64(d.Sent)
}

// Latency is a distribution of times, each at most 3 % too high.
type Latency struct {
	P50  time.Duration `json:"p50_ns"`
	P99  time.Duration `json:"p99_ns"`
	P999 time.Duration `json:"p999_ns"`
	Max  time.Duration `json:"max_ns"`
}
