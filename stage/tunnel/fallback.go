package tunnel

import "time"

// fallbackAfter is how long the DTLS channel may be silent before the gateway sends on CSTP. It is above
// the usual keepalive of 20 s and below the wait of dead-peer detection.
const fallbackAfter = 25 * time.Second

// fallback moves the gateway's data to CSTP when DTLS falls silent. Anything heard on DTLS brings it
// back.
type fallback struct{}

func (fallback) due(heard time.Time) time.Time { return heard.Add(fallbackAfter) }
