package rollover

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/longcord/longcord/internal/logging"
	"github.com/longcord/longcord/inventory"
)

// Guard objects to a change of the inventory that would keep phones out of a gateway of ours, leave it
// without a spare, or cross a roll-over that is under way. What it objects to may be forced.
func (k *Keeper) Guard(before, after *inventory.Set) []inventory.Problem {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.learn(context.Background()); err != nil {
		k.log.Error("what phones hold cannot be kept", logging.Err, err)
	}
	var all []inventory.Problem
	for _, name := range slices.Sorted(maps.Keys(before.VPNGateways)) {
		now, then := before.VPNGateways[name], after.VPNGateways[name]
		if then == nil {
			continue
		}
		if lost := lostAt(before, after, name, k.phones); len(lost) > 0 {
			all = append(all, keptOut(before, then, lost))
		}
		if Ours(before, now) {
			all = append(all, k.crossed(now, then)...)
			all = append(all, k.spareless(before, after, now, then)...)
		}
	}
	return all
}

// Lost returns the phones that a change of the inventory would keep out by the certificate that they would
// meet, as far as is known what they hold.
func (k *Keeper) Lost(before, after *inventory.Set) []Loss {
	k.mu.Lock()
	defer k.mu.Unlock()
	if err := k.learn(context.Background()); err != nil {
		k.log.Error("what phones hold cannot be kept", logging.Err, err)
	}
	return Lost(before, after, k.phones)
}

func problem(gateway, hint, says string, args ...any) inventory.Problem {
	return inventory.Problem{Kind: inventory.KindVPNGateway, Name: gateway, Field: "certificates", Says: fmt.Sprintf(says, args...), Hint: hint}
}

// keptOut says whom a change would lose.
func keptOut(before *inventory.Set, then *inventory.VPNGateway, lost []Loss) inventory.Problem {
	next := lost[0].certificate
	if next == then.ECDSACertificate {
		return problem(then.Name, fmt.Sprintf("let its hash reach them first: name %q among certificates, and as ecdsaCertificate when longcord certs rollover status %s says that every phone knows it; --force does it now", next, then.Name),
			"ECDSA certificate %q would be presented, and %s", next, Phrase(lost))
	}
	hint := fmt.Sprintf("let its hash reach them first: longcord certs rollover start %s --to %s", then.Name, next)
	switch {
	case slices.Contains(before.VPNGateways[then.Name].Certificates[1:], next):
		hint = fmt.Sprintf("wait until they have it: longcord certs rollover start %s --to %s, then status", then.Name, next)
	case before.Certificates[next] == nil:
		hint = "take it in with longcord certs import first, then longcord certs rollover start brings its hash to them"
	case slices.Contains(before.VPNGateways[then.Name].Certificates, next):
		hint = "give it another name, and let its hash reach them first: longcord certs import, then longcord certs rollover start"
	}
	return problem(then.Name, hint+"; --force does it now and locks them out",
		"certificate %q would be presented, and %s", next, Phrase(lost))
}

// shownLosses is how many phones one sentence names.
const shownLosses = 10

// Phrase says in one sentence whom a change would keep out.
func Phrase(lost []Loss) string {
	var named []string
	for _, l := range lost[:min(len(lost), shownLosses)] {
		named = append(named, fmt.Sprintf("%s (last seen %s: %s)", l.Device, l.Seen.UTC().Format("2006-01-02 15:04"), l.Why))
	}
	if more := len(lost) - len(named); more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	return (&Refused{lost}).Error() + ": " + strings.Join(named, ", ")
}

// crossed objects to taking away a certificate of a roll-over that is under way.
func (k *Keeper) crossed(now, then *inventory.VPNGateway) []inventory.Problem {
	r := k.rolloverOf(now.Name)
	if r.state() == None {
		return nil
	}
	for _, name := range []string{r.From, r.To} {
		if !slices.Contains(then.Certificates, name) {
			end := "longcord certs rollover abort " + now.Name
			if r.state() == Swapped {
				end = "longcord certs rollover retire " + now.Name
			}
			return []inventory.Problem{problem(now.Name, fmt.Sprintf("write certificates: [%s], or end it first: %s", strings.Join(now.Certificates, ", "), end),
				"certificate %q would be gone, and a roll-over from %q to %q is under way", name, r.From, r.To)}
		}
	}
	return nil
}

// spareless objects to taking the last spare away.
func (k *Keeper) spareless(before, after *inventory.Set, now, then *inventory.VPNGateway) []inventory.Problem {
	at := k.config.Now()
	if len(PhonesOf(after, then.Name)) == 0 || !Ours(after, then) || len(Spares(before, now, at)) == 0 || len(Spares(after, then, at)) > 0 {
		return nil
	}
	return []inventory.Problem{problem(now.Name,
		fmt.Sprintf("keep certificates: [%s], or have another made first: longcord certs rollover start %s --spare", strings.Join(now.Certificates, ", "), now.Name),
		"no finished spare would be left: when the certificate in use is lost or runs out, phones outside are locked out")}
}

// LastSeen returns when a device was last heard of; zero: never.
func (k *Keeper) LastSeen(device string) time.Time {
	k.mu.Lock()
	defer k.mu.Unlock()
	if h := k.phones[device]; h != nil {
		return h.Seen
	}
	return time.Time{}
}
