package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/secret"
	"github.com/longcord/longcord/login"
)

// gateway is a gateway under test that runs.
type gateway struct {
	*program
	url  string
	user func(client int) string
}

// gateways start the gateways that are known, with a folder for their files.
var gateways = map[string]func(context.Context, options, *laboratory, string) (*gateway, error){
	"longcord": startLongcord,
	"ocserv":   startOcserv,
}

func gatewayNames() []string { return slices.Sorted(maps.Keys(gateways)) }

const password = "correct horse battery staple"

// onGatewayCore is a program on the gateway's core.
func onGatewayCore(name string, args ...string) *exec.Cmd {
	return exec.Command("taskset", append([]string{"-c", strconv.Itoa(gatewayCore), name}, args...)...)
}

// startLongcord starts ours, made by init, with a user for each client.
func startLongcord(ctx context.Context, o options, l *laboratory, dir string) (*gateway, error) {
	const url = "https://203.0.113.2/phones"
	dir = filepath.Join(dir, "longcord")
	if _, err := runOn(ctx, l.gateway, "", patience, o.longcord, "init", dir, "--url", url, "--outside", outside.Addr().String(),
		"--inside", inside.Addr().String(), "--pool", pool.String(), "--legacy-phones"); err != nil {
		return nil, err
	}
	config := filepath.Join(dir, "longcord.yaml")
	if o.batchDelay >= 0 {
		if err := setBatchDelay(config, o.batchDelay); err != nil {
			return nil, err
		}
	}
	if o.rsa {
		if err := withoutECDSA(filepath.Join(dir, "inventory.yaml")); err != nil {
			return nil, err
		}
	}
	cmd := onGatewayCore(o.longcord, "serve", "--only", "gateway", "-c", config)
	cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	p, err := start(l.gateway, "ready", cmd)
	if err != nil {
		return nil, err
	}
	users := filepath.Join(dir, "users")
	hash, err := login.HashPassword(secret.New(password)) // once for all; the gateway hashes for each
	if err == nil {
		var lines strings.Builder
		for i := range 2 * o.clients { // half of them are newcomers
			fmt.Fprintf(&lines, "user%d:{ARGON2ID}%s\n", i, hash)
		}
		err = os.WriteFile(users, []byte(lines.String()), 0o600)
	}
	if err == nil {
		_, err = runOn(ctx, l.gateway, "", 10*patience, o.longcord, "-c", config, "users", "import", users)
	}
	if err != nil {
		return nil, fmt.Errorf("%w\n%s\n%v", err, p.output(), p.stop())
	}
	return &gateway{program: p, url: url, user: func(i int) string { return fmt.Sprintf("user%d", i) }}, nil
}

// setBatchDelay writes how long the gateway waits for company.
func setBatchDelay(config string, d time.Duration) error {
	const section = "\ngateway:\n"
	text, err := os.ReadFile(config)
	if err != nil {
		return err
	}
	before, after, found := strings.Cut(string(text), section)
	if !found {
		return fmt.Errorf("%s has no gateway", config)
	}
	return os.WriteFile(config, []byte(before+section+"  batchDelay: "+d.String()+"\n"+after), 0o600)
}

// withoutECDSA has the gateway present its RSA certificate to everybody.
func withoutECDSA(inventory string) error {
	const line = "\necdsaCertificate: gateway-ecdsa\n"
	text, err := os.ReadFile(inventory)
	if err != nil {
		return err
	}
	before, after, found := strings.Cut(string(text), line)
	if !found {
		return fmt.Errorf("%s has no ECDSA certificate", inventory)
	}
	return os.WriteFile(inventory, []byte(before+"\n"+after), 0o600)
}
