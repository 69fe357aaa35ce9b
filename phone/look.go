package phone

import (
	"context"
	"errors"

	"github.com/longcord/longcord/stage/provision"
)

// ErrNoFile means that a file server answered and does not have the file, or does not give it to us.
var ErrNoFile = errNoFile

// Fetch gets one file from a server as a phone does: by HTTP on port 6970 and, when nobody answers there,
// by TFTP. It is for those who look at phones' files without being one; it stores nothing and does not
// verify anything.
func Fetch(ctx context.Context, server, name string) ([]byte, provision.Transport, error) {
	content, transport, err := newFetcher(network{}).file(ctx, server, name)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, transport, ctx.Err()
	}
	return content, transport, err
}
