package testnet_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/longcord/longcord/internal/testnet"
)

// helper names what a copy of the test program does inside a host instead of testing.
const helper = "TESTNET_HELPER"

// takenPort names the address that the helper "alone" is to listen on.
const takenPort = "TESTNET_TAKEN"

// forbidden is why this machine lets us make no networks; nil when it does.
var forbidden error

func TestMain(m *testing.M) {
	if role := os.Getenv(helper); role != "" {
		os.Exit(help(role))
	}
	code, done, err := testnet.Enter(context.Background())
	if done {
		os.Exit(code)
	}
	forbidden = err
	goleak.VerifyTestMain(m)
}

func help(role string) int {
	switch role {
	case "wait":
		fmt.Println("here")
		_, _ = bufio.NewReader(os.Stdin).ReadByte()
	case "read":
		text, err := os.ReadFile(testnet.DiskPath + "/note")
		if err != nil {
			fmt.Println(err)
			return 1
		}
		fmt.Print(string(text))
	case "make":
		return makeAndHang()
	case "enter":
		return enterAndReport()
	case "alone":
		return beAloneAndReport()
	}
	return 0
}

// enterAndReport is what a program of an ordinary user does: it enters, and says who it is then.
func enterAndReport() int {
	code, done, err := testnet.Enter(context.Background())
	if done {
		return code
	}
	if err != nil {
		fmt.Println(err)
		return 3
	}
	host, err := testnet.NewHost("inside", nil)
	if err == nil {
		err = host.Close()
	}
	fmt.Printf("uid %d, made a host: %v\n", os.Getuid(), err)
	return 5
}

// beAloneAndReport says what a program that is alone sees of the network: its interfaces, and whether a port that
// is taken outside is free.
func beAloneAndReport() int {
	code, done, err := testnet.Alone(context.Background())
	if done {
		return code
	}
	if err != nil {
		fmt.Println(err)
		return 3
	}
	all, err := net.Interfaces()
	if err != nil {
		fmt.Println(err)
		return 3
	}
	for _, i := range all {
		fmt.Println(i.Name, i.Flags&net.FlagUp != 0)
	}
	listener, err := net.Listen("tcp", os.Getenv(takenPort))
	if err == nil {
		err = listener.Close()
	}
	fmt.Println("listens:", err)
	return 5
}

// makeAndHang makes a host, starts a program in it and waits to be killed.
func makeAndHang() int {
	host, err := testnet.NewHost("orphan", nil)
	if err != nil {
		fmt.Println(err)
		return 1
	}
	cmd := copyOfTest("wait")
	cmd.Stdin, cmd.Stdout = os.Stdin, os.Stdout
	if err := host.Start(cmd); err != nil {
		fmt.Println(err)
		return 1
	}
	time.Sleep(time.Hour) // and not select{}: the runtime may take that for a deadlock
	return 1
}

// copyOfTest is this program in another role.
func copyOfTest(role string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), helper+"="+role, "GORACE=atexit_sleep_ms=0")
	return cmd
}

// allowed skips the test where networks cannot be made, and fails it where they must be.
func allowed(t *testing.T) {
	t.Helper()
	if forbidden == nil {
		return
	}
	var reason *testnet.Forbidden
	if os.Getenv("CI") != "true" && errors.As(forbidden, &reason) {
		t.Skipf("%v; %s", reason, reason.Fix)
	}
	t.Fatal(forbidden)
}

func newHost(t *testing.T, name string, disk *testnet.Disk) *testnet.Host {
	t.Helper()
	allowed(t)
	h, err := testnet.NewHost(name, disk)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, h.Close()) })
	return h
}

func newSwitch(t *testing.T, name string) *testnet.Switch {
	t.Helper()
	allowed(t)
	s, err := testnet.NewSwitch(name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { must(t, s.Close()) })
	return s
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
