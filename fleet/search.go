package fleet

import (
	"cmp"
	"context"
	"errors"
	"time"
)

// Search looks for the highest rate that the gateway carries. The zero value is usable.
type Search struct {
	From    float64       // packets a second for each client and way, to begin with; zero: DefaultRate
	Loss    float64       // share of packets that may be lost; zero: DefaultLoss
	P99     time.Duration // latency that 99 % stay below; zero: DefaultP99
	Length  time.Duration // of a try; zero: DefaultTry
	Nearest float64       // share of the rate at which the search ends; zero: DefaultNearest
}

// Defaults of a Search.
const (
	DefaultLoss    = 0.001
	DefaultP99     = 50 * time.Millisecond
	DefaultTry     = 3 * time.Second
	DefaultNearest = 0.04
)

// maxTries bounds a search.
const maxTries = 30

// Found is what a Search found.
type Found struct {
	Best  Voice   `json:"best"`  // the fastest talk that was good
	Worse Voice   `json:"worse"` // the slowest that was not; without clients: every one was
	Tries []Voice `json:"tries"`
}

// Limited reports whether the generator may have been the limit.
func (f Found) Limited() bool { return f.Best.Limited || f.Worse.Limited || f.Worse.Clients == 0 }

// Search has all clients talk faster and faster, both ways, until the gateway cannot follow, and closes in
// on the rate at which it just can. A rate is too high when it is twice in a row. The result says whether
// the generator was the limit.
func (f *Fleet) Search(ctx context.Context, s Search) (Found, error) {
	s.From = cmp.Or(s.From, DefaultRate)
	s.Loss = cmp.Or(s.Loss, DefaultLoss)
	s.P99 = cmp.Or(s.P99, DefaultP99)
	s.Length = cmp.Or(s.Length, DefaultTry)
	s.Nearest = cmp.Or(s.Nearest, DefaultNearest)
	var found Found
	rate := s.From
	doubt := false
	for range maxTries {
		v, err := f.Talk(ctx, Talk{Rate: rate, Length: s.Length, Warm: s.Length / 3})
		if err != nil {
			return found, err
		}
		found.Tries = append(found.Tries, v)
		switch {
		case v.Ended > 0:
			return found, errors.New("fleet: sessions ended under load")
		case s.good(v):
			found.Best, doubt = v, false
		case !doubt: // something else may have kept the machine busy for a moment
			doubt = true
			continue
		default:
			found.Worse, doubt = v, false
		}
		low, high := found.Best.Rate, found.Worse.Rate
		switch {
		case high == 0:
			rate = low * 1.5
			if rate*float64(v.Clients) > maxRate {
				return found, nil
			}
		case high-low <= s.Nearest*high:
			return found, nil
		default:
			rate = (low + high) / 2
		}
	}
	return found, nil
}

func (s Search) good(v Voice) bool {
	return v.Loss() < s.Loss && v.Up.Latency.P99 < s.P99 && v.Down.Latency.P99 < s.P99 && v.Late.P99 < s.P99
}
