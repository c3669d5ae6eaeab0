// The moments at which two contacts knock at the same time. Pure.

package road

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

const (
	// KnockTime is how long one dial to an address goes on knocking, and so how far the clocks of
	// two contacts may be apart that knock at the same moment.
	KnockTime = time.Minute

	period = 4 * time.Minute // between two moments, about
	sparse = 8               // of so many moments one is left to those who have waited long
)

// Moment returns the first moment after t at which both contacts of a pair knock: behind NATs of
// which each lets in only who was sent to, neither gets through alone. The moments follow from the
// pair's root and look random to all others; long leaves out most of them, for who has waited long.
//
//	moment k = k periods since 1970 + a part of a period that follows from root and k
func Moment(root [32]byte, t time.Time, long bool) time.Time {
	phase := draw(root, "phase", 0) % sparse
	for k := t.Unix()/int64(period/time.Second) - 1; ; k++ {
		if long && uint64(k)%sparse != phase {
			continue
		}
		at := time.Unix(k*int64(period/time.Second), 0).
			Add(time.Duration(draw(root, "moment", k) % uint64(period-KnockTime)))
		if at.After(t) {
			return at
		}
	}
}

// draw is a number that follows from a pair's root.
func draw(root [32]byte, what string, k int64) uint64 {
	h := hmac.New(sha256.New, root[:])
	h.Write(binary.BigEndian.AppendUint64([]byte("nightjar knock v1 "+what), uint64(k)))
	return binary.BigEndian.Uint64(h.Sum(nil))
}
