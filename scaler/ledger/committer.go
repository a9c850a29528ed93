package ledger

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/go-kit/log/level"
	"go.etcd.io/bbolt"
)

const (
	// flushInterval is how long an enqueued record waits at most.
	flushInterval = time.Second
	// maxLazyBytes bounds what waits for a disk that does not take it.
	maxLazyBytes = 64 << 20
	// dropLogInterval keeps a failing disk from filling the log as well.
	dropLogInterval = 10 * time.Second
	// slowWrite is how long a write may take before Err says so.
	slowWrite = 10 * time.Second
)

// Commit writes r, all of it or nothing, and returns once it is synced to
// disk. Whatever else waits, from other callers too, shares its transaction;
// records of one caller keep their order. After an error r is not written,
// unless the disk failed at the very end of a transaction, when nobody knows.
func (l *Ledger) Commit(r Record) error {
	e, err := encode(r)
	if err != nil {
		return err
	}
	return l.commit(e)
}

func (l *Ledger) commit(e encoded) error {
	done := make(chan error, 1)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	l.pending.add(e, false)
	l.pending.waiters = append(l.pending.waiters, done)
	l.mu.Unlock()

	signal(l.urgent)
	select {
	case err := <-done:
		return err
	case <-l.broken:
		return l.brokenErr
	}
}

// Enqueue writes r within a second, or together with the next Commit, and
// never waits for the disk. Of several histories of one policy only the last
// is written. While the disk refuses, records are kept and tried again, up to
// a bound; what is lost is logged and counted, and Err says that it is so.
// After Close, r is lost.
func (l *Ledger) Enqueue(r Record) {
	e, err := encode(r)
	if err != nil {
		l.drop(1, "an enqueued record cannot be encoded", err)
		return
	}

	l.mu.Lock()
	switch {
	case l.closed:
		err = ErrClosed
	case len(e.writes) > 0 && l.pending.lazyBytes > l.maxLazyBytes:
		err = fmt.Errorf("%d bytes wait for the disk already", l.pending.lazyBytes)
	default:
		l.pending.add(e, true)
	}
	l.mu.Unlock()

	if err != nil {
		l.drop(e.records(), "an enqueued record is lost", err)
		return
	}
	signal(l.armed)
}

// drop accounts for enqueued records that will never be written. The counter
// has them all, the log one line now and then.
func (l *Ledger) drop(records int, msg string, err error) {
	l.metrics.dropped.Add(float64(records))
	l.mu.Lock()
	quiet := time.Since(l.dropLogged) < dropLogInterval
	if !quiet {
		l.dropLogged = time.Now()
	}
	l.mu.Unlock()
	if !quiet {
		level.Error(l.logger).Log("msg", msg, "records", records, "err", err)
	}
}

// flush waits until everything that was handed over before is written, or
// could not be. It costs nothing where nothing waits.
func (l *Ledger) flush() {
	done := make(chan error, 1)
	l.mu.Lock()
	if l.closed || !l.writing && l.pending.empty() {
		l.mu.Unlock()
		return
	}
	l.pending.waiters = append(l.pending.waiters, done)
	l.mu.Unlock()

	signal(l.urgent)
	var err error
	select {
	case err = <-done:
	case <-l.broken:
		err = l.brokenErr
	}
	if err != nil {
		level.Debug(l.logger).Log("msg", "reading without what could not be written", "err", err)
	}
}

// signal wakes the committer; a wake-up that is already under way will do.
func signal(c chan<- struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run is the committer: the only writer of decisions, actions and histories.
// While it syncs one transaction the next one gathers, so that the number of
// syncs follows the disk's speed and not the number of callers.
func (l *Ledger) run() {
	defer close(l.stopped)
	timer := time.NewTimer(l.flushInterval)
	timer.Stop()
	waiting := false
	for {
		select {
		case <-l.armed:
			// The first record decides when: later ones must not put it off.
			if !waiting {
				waiting = true
				timer.Reset(l.flushInterval)
			}
			continue
		case <-l.urgent:
		case <-timer.C:
		case <-l.closing:
			l.commitPending()
			return
		}
		timer.Stop()
		if waiting = l.commitPending(); waiting {
			timer.Reset(l.flushInterval)
		}
	}
}

// commitPending writes what waits, answers its waiters, and reports whether
// to come again: what was enqueued is left, or the ledger fails. While it fails
// something is written in any case, so that it is noticed when the disk is
// well again, also where nobody has anything to say.
func (l *Ledger) commitPending() (retry bool) {
	l.mu.Lock()
	b := l.pending
	l.pending = &batch{}
	l.writing, l.writeBegan = true, time.Now()
	failing := l.err != nil
	l.mu.Unlock()
	if failing && b.empty() {
		b.entries = append(b.entries, entry{write: probe{}})
	}

	var err error
	if !b.empty() {
		if err = l.writeBatch(b); err != nil && !errors.Is(err, ErrBroken) {
			err = fmt.Errorf("write ledger %s: %w", l.file, err)
		}
		l.logHealth(failing, err, b)
	}

	l.mu.Lock()
	if !b.empty() {
		l.err = err
	}
	if err != nil {
		l.pending.keepLazy(b)
	}
	retry = l.err != nil
	l.writing = false
	l.mu.Unlock()

	for _, w := range b.waiters {
		w <- err
	}
	return retry
}

// logHealth tells when the ledger stops and starts to take what was enqueued.
// Those who called Commit are told by its error.
func (l *Ledger) logHealth(failing bool, err error, b *batch) {
	switch {
	case err != nil && !failing:
		level.Error(l.logger).Log("msg", "the ledger cannot be written, enqueued records are kept for now", "records", b.lazyRecords(), "err", err)
	case err == nil && failing:
		level.Info(l.logger).Log("msg", "the ledger can be written again")
	}
}

// probe writes what says nothing, to learn whether the disk takes it.
type probe struct{}

func (probe) size() int { return 0 }

func (probe) apply(tx *bbolt.Tx) error {
	if err := bucket(tx, bucketMeta).Put([]byte(keyProbe), []byte(strconv.Itoa(tx.ID()))); err != nil {
		return fmt.Errorf("store a probe: %w", err)
	}
	return nil
}

func (l *Ledger) writeBatch(b *batch) error {
	begin := time.Now()
	err := l.checkFile()
	if err == nil {
		err = l.write(b)
	}
	if err == nil {
		// What went into a file that nobody will find is not acknowledged.
		err = l.checkFile()
	}
	l.metrics.commits.Inc()
	l.metrics.commitDuration.Observe(time.Since(begin).Seconds())
	if err != nil {
		l.metrics.commitFailures.Inc()
	}
	l.measure()
	return err
}

// write is the transaction of a batch.
func (l *Ledger) write(b *batch) error {
	return l.update(func(tx *bbolt.Tx) error {
		l.length.Store(tx.Size())
		for _, e := range b.entries {
			if err := e.apply(tx); err != nil {
				return err
			}
		}
		histories := bucket(tx, bucketHistories)
		for name, h := range b.histories {
			if err := histories.Put([]byte(name), h.value); err != nil {
				return fmt.Errorf("store history of policy %q: %w", name, err)
			}
		}
		return nil
	})
}

// measure updates the size metric.
func (l *Ledger) measure() {
	if info, err := os.Stat(l.file); err == nil {
		l.metrics.size.Set(float64(info.Size()))
	}
}
