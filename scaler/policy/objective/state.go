package objective

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"time"
)

// stateVersion grows when what was written before cannot be read any more.
const stateVersion = 4

// header is the part of a learner's state that has a fixed size.
type header struct {
	Version                      uint32
	Forms, Bins, Recent, Seasons uint32
	Tick                         int64
	Reference, Size              float64
	Last                         int64 // nanoseconds since the epoch
	Observed, Unbroken, Horizon  int64
	Ready                        float64
	Before                       [3]float64
	Open, CutOff, Ended, Rises   int64
	Began, Reached               float64
	RecentNext, RecentN          int64
	SeasonNewest, SeasonN        int64
	SeasonPeriod, SeasonNext     int64
	Weight, Total, Under, Aim    float64
	SeasonMost, Compared         float64
	SeasonFirst, Probes, More    int64
	Goal                         Goal
	Demanded, Lost               float64
	Regression                   regression
	Noise                        noise
	Reading                      reading
	Pending                      int64
}

// MarshalBinary is all that the learner knows, less than 64 KB.
func (l *Learner) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	b.Grow(64 << 10)
	h := header{
		Version: stateVersion, Forms: uint32(len(l.forms)), Bins: bins,
		Recent: uint32(len(l.recent.values)), Seasons: seasonBins,
		Tick: int64(l.tick), Reference: l.reference, Size: l.size,
		Observed: l.observed, Unbroken: l.unbroken, Horizon: int64(l.horizon),
		Ready: l.limits.ready, Before: l.limits.before, Open: l.limits.open,
		CutOff: int64(l.limits.cutOff), Ended: int64(l.limits.ended),
		Rises: l.limits.rises, Began: l.limits.began, Reached: l.limits.reached,
		RecentNext: int64(l.recent.next), RecentN: int64(l.recent.n),
		SeasonNewest: l.season.newest, SeasonN: l.season.n, SeasonPeriod: l.season.period, SeasonNext: l.season.next,
		Weight: l.weight, Total: l.total, Under: l.under, Aim: l.aim, SeasonMost: l.season.most, SeasonFirst: l.season.first, Compared: l.compared, Probes: l.limits.probes, More: l.limits.more, Goal: l.goal,
		Demanded: l.demanded, Lost: l.lost,
		Regression: l.regression, Noise: l.noise, Reading: l.reading, Pending: int64(len(l.pending)),
	}
	if !l.last.IsZero() {
		h.Last = l.last.UnixNano()
	}
	parts := []any{h, l.recent.values, l.season.values, l.pending}
	for i := range l.forms {
		parts = append(parts, &l.forms[i].formState)
	}
	for _, p := range parts {
		if err := binary.Write(&b, binary.LittleEndian, p); err != nil {
			return nil, fmt.Errorf("encode what was learnt: %w", err)
		}
	}
	return b.Bytes(), nil
}

// errForeign is what was written by a learner of another kind.
var errForeign = errors.New("it was learnt by another version, or at another interval")

// Restore takes over what MarshalBinary wrote of a learner with the same
// interval; the goal may be another one. After an error the learner is as
// new.
func (l *Learner) Restore(state []byte) (err error) {
	fresh := New(l.goal, l.tick)
	defer func() {
		if err != nil {
			*l = *fresh
			err = fmt.Errorf("restore what was learnt: %w", err)
		}
	}()
	r := bytes.NewReader(state)
	var h header
	if err := binary.Read(r, binary.LittleEndian, &h); err != nil {
		return err
	}
	n := New(l.goal, l.tick)
	if h.Version != stateVersion || int(h.Forms) != len(n.forms) || h.Bins != bins ||
		int(h.Recent) != len(n.recent.values) || h.Seasons != seasonBins || h.Tick != int64(n.tick) {
		return errForeign
	}
	if err := h.check(n); err != nil {
		return err
	}
	n.reference, n.size, n.observed, n.unbroken, n.horizon = h.Reference, h.Size, h.Observed, h.Unbroken, int(h.Horizon)
	n.limits = limits{ready: h.Ready, before: h.Before, open: h.Open, cutOff: int(h.CutOff), ended: int(h.Ended), rises: h.Rises, probes: h.Probes, more: h.More, began: h.Began, reached: h.Reached}
	n.recent.next, n.recent.n = int(h.RecentNext), int(h.RecentN)
	n.season.newest, n.season.n, n.season.period, n.season.next = h.SeasonNewest, h.SeasonN, h.SeasonPeriod, h.SeasonNext
	n.weight, n.total, n.under = h.Weight, h.Total, h.Under
	n.aim = n.goal.within(h.Aim)
	n.season.first, n.compared = h.SeasonFirst, h.Compared
	n.season.most, n.regression, n.noise, n.reading = h.SeasonMost, h.Regression, h.Noise, h.Reading
	n.demanded, n.lost = h.Demanded, h.Lost
	if h.Last != 0 {
		n.last = time.Unix(0, h.Last).UTC()
	}
	n.pending = make([]decision, h.Pending)
	parts := []any{n.recent.values, n.season.values, n.pending}
	for i := range n.forms {
		parts = append(parts, &n.forms[i].formState)
	}
	for _, p := range parts {
		if err := binary.Read(r, binary.LittleEndian, p); err != nil {
			return err
		}
	}
	if r.Len() != 0 {
		return fmt.Errorf("%d bytes too many", r.Len())
	}
	if err := n.finite(); err != nil {
		return err
	}
	if h.Goal != n.goal {
		n.aim = n.goal.miss()
		n.calibrate()
	}
	*l = *n
	return nil
}

// check refuses what would index beyond its ring or is not a number.
func (h *header) check(n *Learner) error {
	most := int64((maxProvisioning+3*n.tick)/n.tick) + 1
	inRange := h.Reading.By >= -1 && h.Reading.By < int64(len(n.forms)) &&
		h.RecentNext >= 0 && h.RecentNext < int64(h.Recent) && h.RecentN >= 0 && h.RecentN <= int64(h.Recent) &&
		h.SeasonN >= 0 && h.SeasonN <= seasonBins && h.SeasonNewest >= h.SeasonN-1 && h.SeasonPeriod >= 0 && h.SeasonPeriod <= seasonBins &&
		h.Pending >= 0 && h.Pending <= most && h.Horizon >= 0 && h.Horizon <= most && h.Observed >= 0 && h.Unbroken >= 0 && h.Probes >= 0 && h.More >= 0 && h.SeasonFirst >= 0 &&
		h.SeasonNext <= h.SeasonNewest+seasonBins &&
		h.Open >= 0 && h.CutOff >= 0 && h.Ended >= 0 && h.Rises >= 0
	if !inRange {
		return errors.New("a number is out of range")
	}
	for _, x := range []float64{h.Reference, h.Size, h.Ready, h.Weight, h.Total, h.Under, h.Aim, h.Demanded, h.Lost, h.SeasonMost, h.Compared} {
		if !(x >= 0) || math.IsInf(x, 0) {
			return errors.New("a number is not finite")
		}
	}
	if !(h.Weight > 0) || !(h.Size > 0) {
		return errors.New("a weight is not above 0")
	}
	return nil
}

// finite refuses numbers that would spoil what is learnt from then on. Usage of
// a past minute, and the answer of a form that knew nothing, may be unknown.
func (l *Learner) finite() error {
	numbers := []float64{
		l.noise.TakenBack, l.noise.Usage, l.regression.Weight, l.reading.Want, l.reading.Forecast, l.reading.Weight,
		l.reading.Held, l.reading.Careful, l.limits.began, l.limits.reached,
	}
	numbers = append(numbers, l.limits.before[:]...)
	numbers = append(numbers, l.regression.XY[:]...)
	numbers = append(numbers, l.regression.By[:]...)
	for i := range l.regression.XX {
		numbers = append(numbers, l.regression.XX[i][:]...)
	}
	for i := range l.forms {
		f := &l.forms[i]
		numbers = append(numbers, f.Beta, f.Mass, f.Scales, f.Weights, f.Regret, f.Squares)
		for _, w := range f.Needed {
			numbers = append(numbers, float64(w))
		}
	}
	small := append([]float32(nil), l.recent.values...)
	for i := range l.pending {
		d := &l.pending[i]
		small = append(append(append(small, d.Forecast[:]...), d.Root[:]...), d.Inputs[:]...)
		small = append(small, d.Rise, d.Played, d.Most)
	}
	for _, x := range small {
		numbers = append(numbers, float64(x))
	}
	for _, x := range numbers {
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return errors.New("a number is not finite")
		}
	}
	return nil
}
