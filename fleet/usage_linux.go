package fleet

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Usage is what a program and all that it has started take.
type Usage struct {
	CPU       time.Duration `json:"cpu_ns"` // user and system, with processes that have ended and were waited for
	PSS       int64         `json:"pss"`    // bytes of memory, shared pages divided among those who share them
	RSS       int64         `json:"rss"`    // bytes of memory, shared pages counted for each
	Wakes     uint64        `json:"wakes"`  // how often a thread slept and was woken; of those that live
	Processes int           `json:"processes"`
}

// userHZ is the unit of times in /proc: the kernel shows them so whatever it counts in.
const userHZ = 100

// Minus is what was used since an earlier look. Memory and processes are those of now.
func (u Usage) Minus(before Usage) Usage {
	u.CPU -= before.CPU
	u.Wakes -= min(before.Wakes, u.Wakes) // threads that ended took theirs along
	return u
}

// UsageOf adds up what process pid and its descendants have used. Memory is read only when asked for: it
// costs the kernel some work for each process.
func UsageOf(pid int, memory bool) (Usage, error) {
	stats, err := processes()
	if err != nil {
		return Usage{}, fmt.Errorf("fleet: %w", err)
	}
	if _, runs := stats[pid]; !runs {
		return Usage{}, fmt.Errorf("fleet: process %d does not run", pid)
	}
	var u Usage
	for _, member := range family(stats, pid) {
		u.Processes++
		u.CPU += stats[member].cpu
		u.Wakes += wakesOf(member)
		if !memory {
			continue
		}
		pss, rss, err := memoryOf(member)
		if err != nil && !errors.Is(err, os.ErrNotExist) { // it may just have ended
			return Usage{}, fmt.Errorf("fleet: %w", err)
		}
		u.PSS, u.RSS = u.PSS+pss, u.RSS+rss
	}
	return u, nil
}

type processStat struct {
	parent int
	cpu    time.Duration
}

// processes reads /proc.
func processes() (map[int]processStat, error) {
	names, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	all := make(map[int]processStat, len(names))
	for _, name := range names {
		line, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		pid, _ := strconv.Atoi(strings.Split(name, "/")[2])
		if all[pid], err = parseStat(line); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	return all, nil
}

// parseStat reads a line of /proc/PID/stat. The second field, a name in brackets, may hold anything.
func parseStat(line []byte) (processStat, error) {
	_, rest, found := bytes.Cut(line[max(bytes.LastIndexByte(line, ')'), 0):], []byte(" "))
	fields := strings.Fields(string(rest)) // from the third on
	if !found || len(fields) < 15 {
		return processStat{}, fmt.Errorf("%d fields after the name, want 15", len(fields))
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return processStat{}, fmt.Errorf("parent %q", fields[1])
	}
	ticks := int64(0)
	for _, field := range fields[11:15] { // utime, stime, cutime, cstime
		n, err := strconv.ParseInt(field, 10, 64)
		if err != nil {
			return processStat{}, fmt.Errorf("time %q", field)
		}
		ticks += n
	}
	return processStat{parent, time.Duration(ticks) * time.Second / userHZ}, nil
}

// family is a process and its descendants.
func family(stats map[int]processStat, pid int) []int {
	children := map[int][]int{}
	for child, s := range stats {
		children[s.parent] = append(children[s.parent], child)
	}
	found := []int{pid}
	for i := 0; i < len(found); i++ {
		found = append(found, children[found[i]]...)
	}
	slices.Sort(found)
	return found
}

// wakesOf counts voluntary context switches of a process's threads. A thread that has ended counts no more.
func wakesOf(pid int) (wakes uint64) {
	names, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/status", pid)) // the pattern is good
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		if _, after, found := bytes.Cut(text, []byte("\nvoluntary_ctxt_switches:")); found {
			line, _, _ := bytes.Cut(after, []byte("\n"))
			n, _ := strconv.ParseUint(string(bytes.TrimSpace(line)), 10, 64)
			wakes += n
		}
	}
	return wakes
}

func memoryOf(pid int) (pss, rss int64, err error) {
	name := fmt.Sprintf("/proc/%d/smaps_rollup", pid)
	text, err := os.ReadFile(name)
	if err != nil {
		return 0, 0, err
	}
	for lines := bufio.NewScanner(bytes.NewReader(text)); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "Pss:":
			pss = n << 10
		case "Rss:":
			rss = n << 10
		}
	}
	if rss == 0 {
		return 0, 0, fmt.Errorf("%s says no size", name)
	}
	return pss, rss, nil
}
