package walk

import (
	"context"
	"errors"
	"net"
	"os"
	"strings"
	"syscall"
)

// cause says in a word why a connection did not come about: refused, timeout, unreachable, name or tls.
func cause(err error) string {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return "name"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "unreachable"
	case errors.Is(err, syscall.ETIMEDOUT), errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case strings.Contains(err.Error(), "tls: "), errors.Is(err, syscall.ECONNRESET):
		return "tls"
	}
	return "other"
}

func truth(ok bool) string {
	if ok {
		return "true"
	}
	return "false"
}

// plain is an error's text without the name of our package.
func plain(err error) string {
	return strings.ReplaceAll(err.Error(), "phone: ", "")
}
