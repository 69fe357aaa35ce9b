package fleet

import (
	"net/netip"
	"os"
	"os/exec"
	"testing"
	"time"
)

func TestSee(t *testing.T) {
	t.Parallel()
	var f flow
	for i, step := range []struct {
		number uint32
		want   order
	}{
		{5, inOrder}, {6, inOrder}, {6, repeated}, {9, inOrder}, {7, reordered}, {7, repeated}, {5, repeated}, {3, reordered},
		{8, reordered}, {200, inOrder}, {9, reordered}, {199, reordered}, {199, repeated}, {136, reordered}, {136, repeated},
	} {
		if got := f.see(step.number); got != step.want {
			t.Errorf("step %d, number %d: got %d want %d", i, step.number, got, step.want)
		}
	}
}

func TestHistogram(t *testing.T) {
	t.Parallel()
	var h histogram
	for i := range 10000 {
		h.add(time.Duration(i) * time.Microsecond)
	}
	for q, want := range map[float64]time.Duration{.5: 5 * time.Millisecond, .99: 9900 * time.Microsecond, .999: 9990 * time.Microsecond} {
		if got := h.quantile(q); got < want-time.Microsecond || got > want*104/100 {
			t.Errorf("quantile %v: got %v want %v or a little more", q, got, want)
		}
	}
	if l := h.latency(); l.Max != 9999*time.Microsecond {
		t.Errorf("the largest is %v", l.Max)
	}
	for _, v := range []int64{0, 1, 31, 32, 33, 63, 64, 1 << 20, 1<<20 + 12345, 1<<62 + 1} {
		b := bucketOf(v)
		if top(b) < v || b > 0 && top(b-1) >= v {
			t.Errorf("%d is in bucket %d of %d to %d", v, b, top(max(b-1, 0))+1, top(b))
		}
	}
	if (&histogram{}).latency() != (Latency{}) {
		t.Error("nothing has a latency")
	}
}

var (
	near = netip.MustParseAddrPort("10.99.0.2:16384")
	far  = netip.MustParseAddrPort("10.20.0.9:4000")
)

func packet() []byte {
	v := newVoice(7, near, far)
	p := make([]byte, packetLen)
	copy(p, v[:])
	v.fill(p[ipHeader+udpHeader:], 3, 70000, 1234567890123456789)
	return p
}

func TestPacket(t *testing.T) {
	t.Parallel()
	p := packet()
	s, ours := readStamp(p[ipHeader+udpHeader:])
	if want := (stamp{talk: 3, client: 7, number: 70000, sent: 1234567890123456789, intact: true}); !ours || s != want {
		t.Errorf("got %+v want %+v", s, want)
	}
	if !isFrom(p, near, far) || isFrom(p, far, near) {
		t.Error("the packet is not from where it is")
	}
	for i := range p {
		damaged := append([]byte(nil), p...)
		damaged[i] ^= 0x10
		s, ours := readStamp(damaged[ipHeader+udpHeader:])
		checked := i < ipHeader+4 || i >= ipHeader+udpHeader // UDP has no checksum, its length is the kernel's business
		if checked && ours && s.intact && isFrom(damaged, near, far) {
			t.Errorf("a packet whose byte %d is damaged is taken for sound", i)
		}
	}
	for n := range p {
		if s, _ := readStamp(p[min(n, ipHeader+udpHeader):n]); s.intact {
			t.Errorf("a packet of %d bytes is taken for sound", n)
		}
		isFrom(p[:n], near, far) // must not panic
	}
}

func FuzzPacket(f *testing.F) {
	f.Add(packet())
	f.Fuzz(func(t *testing.T, p []byte) {
		isFrom(p, near, far)
		readStamp(p)
		if len(p) > ipHeader+udpHeader {
			if s, ours := readStamp(p[ipHeader+udpHeader:]); s.intact && !ours {
				t.Error("intact and not ours")
			}
		}
	})
}

func TestUsage(t *testing.T) {
	t.Parallel()
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() {
		_ = child.Process.Kill()
		_ = child.Wait()
	}()
	u, err := UsageOf(os.Getpid(), true)
	if err != nil || u.Processes < 2 || u.PSS <= 0 || u.RSS < u.PSS {
		t.Errorf("this process uses %+v, %v", u, err)
	}
	alone, err := UsageOf(child.Process.Pid, false)
	if err != nil || alone.Processes != 1 || alone.RSS != 0 {
		t.Errorf("sleep uses %+v, %v", alone, err)
	}
	if _, err := UsageOf(1<<30, false); err == nil {
		t.Error("a process that is not there uses nothing")
	}
}

const statLine = "4242 (a) b (c) S 17 4242 4242 0 -1 4194560 1 2 3 4 120 30 4 6 20 0 1 0 100 1000 10\n"

func TestParseStat(t *testing.T) {
	t.Parallel()
	if got, err := parseStat([]byte(statLine)); err != nil || got != (processStat{17, 1600 * time.Millisecond}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for n := range len(statLine) - len(" 20 0 1 0 100 1000 10\n") - 1 {
		if got, err := parseStat([]byte(statLine[:n])); err == nil {
			t.Errorf("%q is read as %+v", statLine[:n], got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add([]byte(statLine))
	f.Fuzz(func(_ *testing.T, line []byte) { _, _ = parseStat(line) })
}
