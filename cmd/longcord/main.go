// Command longcord provisions Cisco IP phones, carries them home through an SSL VPN, registers them,
// connects their calls, and says what is wrong when something is.
//
// One file holds one command: its flags and wiring, nothing else. What they do lives in the packages
// they name.
//
// Old phones sign with SHA-1 when they show their certificate, also at TLS 1.2
// (docs/decisions/client-certificates.md).
//
//go:debug tlssha1=1
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}
