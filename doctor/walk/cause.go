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

// alerts are those that say something of a client's certificate, by what the library calls them, as RFC 5246 does.
var alerts = map[string]string{
	"unknown certificate authority": "unknown ca",
	"bad certificate":               "bad certificate",
	"unsupported certificate":       "unsupported certificate",
	"revoked certificate":           "certificate revoked",
	"expired certificate":           "certificate expired",
	"unknown certificate":           "certificate unknown",
	"certificate required":          "certificate required",
	"access denied":                 "access denied",
	"handshake failure":             "handshake failure",
}

// alert returns the alert with which the other end has ended TLS; nothing where it sent none, or one that says nothing
// of certificates. The library has no error values for them, only their words.
func alert(err error) string {
	if err == nil {
		return ""
	}
	_, words, _ := strings.Cut(err.Error(), "remote error: tls: ")
	return alerts[words]
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
