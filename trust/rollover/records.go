package rollover

import "github.com/longcord/longcord/store"

// tables are what is kept: "trust/rollover/gateway/" has the Rollover of each gateway that is not in None,
// "trust/rollover/phone/" what each device holds. A restart goes on from there; both end with their
// gateway and device.
type tables struct {
	rollovers *store.Table[Rollover]
	phones    *store.Table[Held]
}

func tablesIn(s store.Store) tables {
	return tables{
		rollovers: store.NewTable[Rollover](s, "trust/rollover/gateway/", 1, nil),
		phones:    store.NewTable[Held](s, "trust/rollover/phone/", 1, nil),
	}
}
