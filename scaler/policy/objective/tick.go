package objective

import (
	"bytes"
	"encoding/binary"
	"time"
)

// TickOf is the time between two samples that are learnt from where one is given
// every interval: the interval, but at least 15 s.
func TickOf(interval time.Duration) time.Duration { return max(interval, minTick) }

// TickIn is the tick of the learner that wrote the state by MarshalBinary; false
// where the state is of another version, or no state at all.
func TickIn(state []byte) (time.Duration, bool) {
	var h header
	if err := binary.Read(bytes.NewReader(state), binary.LittleEndian, &h); err != nil || h.Version != stateVersion {
		return 0, false
	}
	return time.Duration(h.Tick), true
}
