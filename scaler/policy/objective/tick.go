package objective

import (
	"bytes"
	"encoding/binary"
	"time"
)

// TickOf is how far apart the samples are that a learner learns from which is given
// some every interval: at least 15 s.
func TickOf(interval time.Duration) time.Duration { return max(interval, minTick) }

// TickIn is the tick of the learner that wrote state by MarshalBinary. False: state
// is of another version, or none.
func TickIn(state []byte) (time.Duration, bool) {
	var h header
	if err := binary.Read(bytes.NewReader(state), binary.LittleEndian, &h); err != nil || h.Version != stateVersion {
		return 0, false
	}
	return time.Duration(h.Tick), true
}
