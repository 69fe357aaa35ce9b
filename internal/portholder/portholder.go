// Package portholder finds out which program holds a port that another wants.
package portholder

import (
	"bufio"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Of returns the address that could not be opened because it is in use, and the program that uses it, as
// "name (pid 123)". It is false for any other error.
func Of(err error) (address, holder string, ok bool) {
	var op *net.OpError
	if !errors.As(err, &op) || !errors.Is(err, syscall.EADDRINUSE) || op.Addr == nil {
		return "", "", false
	}
	at, parse := netip.ParseAddrPort(op.Addr.String())
	address = op.Addr.Network() + " " + op.Addr.String()
	if parse != nil {
		return address, unknown, true
	}
	return address, program(op.Addr.Network(), at.Port()), true
}

const unknown = "another program, which only root can see"

// program finds the holder of a port among the sockets and file descriptors that /proc shows.
func program(network string, port uint16) string {
	inodes := map[string]bool{}
	for _, table := range []string{network, network + "6"} {
		for _, inode := range socketsOn("/proc/net/"+strings.TrimSuffix(table, "4"), port, network) {
			inodes["socket:["+inode+"]"] = true
		}
	}
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return unknown
	}
	for _, link := range links {
		if target, err := os.Readlink(link); err == nil && inodes[target] {
			pid := strings.Split(link, "/")[2]
			name, err := os.ReadFile("/proc/" + pid + "/comm")
			if err != nil {
				return "process " + pid
			}
			return fmt.Sprintf("%s (pid %s)", strings.TrimSpace(string(name)), pid)
		}
	}
	return unknown
}

// listening is the state of a TCP socket that listens, in the kernel's table.
const listening = "0A"

// socketsOn returns the inodes of the sockets bound to a port, out of one of the kernel's tables.
func socketsOn(table string, port uint16, network string) (inodes []string) {
	file, err := os.Open(table)
	if err != nil {
		return nil
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		fields := strings.Fields(lines.Text())
		if len(fields) < 10 {
			continue
		}
		_, hex, _ := strings.Cut(fields[1], ":")
		local, err := strconv.ParseUint(hex, 16, 16)
		if err != nil || uint16(local) != port || strings.HasPrefix(network, "tcp") && fields[3] != listening {
			continue
		}
		inodes = append(inodes, fields[9])
	}
	return inodes
}
