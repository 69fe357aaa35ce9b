package control

import (
	"context"
	"fmt"
	"net"
	"os/user"
	"strconv"

	"golang.org/x/sys/unix"
)

// operatorKey is where a request's context has who made it.
type operatorKey struct{}

// withOperator remembers who is at the other end of the socket, as the kernel has it.
func withOperator(ctx context.Context, conn net.Conn) context.Context {
	return context.WithValue(ctx, operatorKey{}, ownerOf(conn))
}

func ownerOf(conn net.Conn) string {
	local, ok := conn.(*net.UnixConn)
	if !ok {
		return "unknown"
	}
	raw, err := local.SyscallConn()
	if err != nil {
		return "unknown"
	}
	name := "unknown"
	if err := raw.Control(func(fd uintptr) {
		peer, err := unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
		if err == nil {
			name = userName(peer.Uid)
		}
	}); err != nil {
		return "unknown"
	}
	return name
}

func userName(uid uint32) string {
	id := strconv.FormatUint(uint64(uid), 10)
	if u, err := user.LookupId(id); err == nil {
		return u.Username
	}
	return fmt.Sprintf("user %s", id)
}

// operator is who made a request.
func operator(ctx context.Context) string {
	name, ok := ctx.Value(operatorKey{}).(string)
	if !ok {
		return "unknown"
	}
	return name
}
