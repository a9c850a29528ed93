package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Sentinels of this package; errors.Is finds them.
var (
	// ErrClosed is returned by everything that is called after Close.
	ErrClosed = errors.New("ledger is closed")
	// ErrLocked: another process has the ledger open.
	ErrLocked = errors.New("locked by another process")
	// ErrDamaged: the file is not a ledger, or no longer a whole one.
	ErrDamaged = errors.New("file is damaged")
	// ErrNewer: the file was written by an alertscaler that is newer.
	ErrNewer = errors.New("written by a newer alertscaler")
)

const (
	fileName = "ledger.db"

	defaultRetention    = 15 * 24 * time.Hour
	defaultMaxDecisions = 1_000_000
	// defaultLockTimeout outlasts the shutdown of the process before.
	defaultLockTimeout = 5 * time.Second
	// closeTimeout is how long Close waits for a disk that does not answer.
	closeTimeout = 10 * time.Second
)

// Options of a ledger. Only Path is required.
type Options struct {
	// Path is the directory of the file ledger.db; it is created, for its
	// owner alone, where it does not exist.
	Path string
	// Retention is how long decisions, ended actions and histories that
	// nothing was added to are kept. 0: 15 days; negative: for ever.
	Retention time.Duration
	// MaxDecisions is how many decisions are kept at most, whatever their
	// age. 0: a million; negative: no limit.
	MaxDecisions int
	// LockTimeout is how long Open waits for another process to let go of
	// the file. 0: 5 s.
	LockTimeout time.Duration
	// Repair has a file that is damaged moved aside, and what can be read of
	// it taken over into a new one.
	Repair bool
	// Registerer takes the metrics; nil: they are kept but not registered.
	Registerer prometheus.Registerer
	// Logger; nil: nothing is logged.
	Logger log.Logger
	// Now is the clock that retention goes by; nil: time.Now.
	Now func() time.Time
}

func (o Options) withDefaults() Options {
	if o.Retention == 0 {
		o.Retention = defaultRetention
	}
	if o.MaxDecisions == 0 {
		o.MaxDecisions = defaultMaxDecisions
	}
	if o.LockTimeout == 0 {
		o.LockTimeout = defaultLockTimeout
	}
	if o.Logger == nil {
		o.Logger = log.NewNopLogger()
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	return o
}

// Ledger is the embedded ledger: one bbolt file, held by one process. All
// methods are goroutine-safe. Reads see everything that was committed or
// enqueued before them: they have it written first. After Close every method
// returns ErrClosed.
type Ledger struct {
	opts    Options
	db      *bbolt.DB
	file    string
	logger  log.Logger
	metrics *metrics
	ids     IDs
	report  Report
	// cautious is as Cautious.
	cautious bool

	// info is the file that is open, length what it has at least, in bytes.
	info   fs.FileInfo
	length atomic.Int64
	// broken is closed once brokenErr is set, which is why the file can no
	// longer be used.
	broken    chan struct{}
	brokenErr error
	failOnce  sync.Once
	watching  atomic.Bool

	// Constants but in tests.
	flushInterval time.Duration
	maxLazyBytes  int

	// armed tells the committer that something was enqueued, urgent that
	// someone waits; closing ends it, and stopped is closed when it has.
	armed, urgent    chan struct{}
	closing, stopped chan struct{}
	// pruner is closed when the pruner has ended.
	pruner chan struct{}

	closeOnce sync.Once
	closeErr  error

	// mu guards what follows; it is never held over I/O.
	mu      sync.Mutex
	pending *batch
	// writing is true while the committer holds a batch that is no longer
	// pending and not yet written; it began with it at writeBegan.
	writing    bool
	writeBegan time.Time
	closed     bool
	// err is how the last write went.
	err        error
	dropLogged time.Time
}

// Open opens the ledger under o.Path, or begins an empty one where there is
// none. It holds the file exclusively until Close. A file that is damaged, of
// a newer version or in use by another process is an error and stays as it
// is, unless o.Repair says otherwise. Single records that are not what was
// written are set aside, see Report.
func Open(o Options) (*Ledger, error) {
	o = o.withDefaults()
	if o.Path == "" {
		return nil, errors.New("open ledger: no path given")
	}
	l := &Ledger{
		opts:          o,
		file:          filepath.Join(o.Path, fileName),
		logger:        o.Logger,
		flushInterval: flushInterval,
		maxLazyBytes:  maxLazyBytes,
		armed:         make(chan struct{}, 1),
		urgent:        make(chan struct{}, 1),
		closing:       make(chan struct{}),
		stopped:       make(chan struct{}),
		pruner:        make(chan struct{}),
		broken:        make(chan struct{}),
		pending:       &batch{},
	}
	l.report = newReport(l.file)
	l.metrics = newMetrics(nil, l.Err) // until Open cannot fail any more
	in, err := l.openFile()
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", l.file, l.explain(err))
	}
	if err := l.prepare(in); err != nil {
		if l.failure() == nil {
			_ = l.db.Close()
		}
		return nil, fmt.Errorf("open ledger %s: %w", l.file, l.explain(err))
	}
	// Last, so that a failed Open leaves nothing registered behind.
	l.metrics = newMetrics(o.Registerer, l.Err)
	for name, n := range l.report.SetAside {
		l.metrics.setAside.WithLabelValues(name).Add(float64(n))
	}
	l.measure()
	go l.run()
	go l.runPruner()
	return l, nil
}

// prepare makes a file that was found usable ready for use.
func (l *Ledger) prepare(in *inspection) error {
	l.logOpened(in)
	if err := l.upgrade(in.schema); err != nil {
		return fmt.Errorf("add what came since it was made: %w", err)
	}
	if err := l.setAside(in.bad); err != nil {
		return err
	}
	if in.stale || in.miscounted {
		if err := l.update(rebuildIndexes); err != nil {
			return fmt.Errorf("build its indexes anew: %w", err)
		}
	}
	if in.image != nil && in.image.half {
		l.report.Problems = append(l.report.Problems, "one of its two roots is damaged")
		l.report.Careful = true
		// Two transactions, as each writes one of the roots.
		for range 2 {
			if err := l.update(func(tx *bbolt.Tx) error { return distrust(tx, l.opts.Now()) }); err != nil {
				return err
			}
		}
	}
	return l.begin()
}

func (l *Ledger) logOpened(in *inspection) {
	switch {
	case l.report.Created:
		level.Warn(l.logger).Log("msg", "there is no ledger here, a new one begins: if there should be one, its decisions, cooldowns and pauses are gone", "file", l.file)
	case l.report.Damaged != "":
		level.Error(l.logger).Log("msg", "the ledger was damaged, what can be read of it was taken over", "file", l.file, "kept_in", l.report.Damaged, "records", l.report.total(), "err", l.report.Problems[0])
		level.Warn(l.logger).Log("msg", "what policies remembered may not be complete: none scales down before a full stabilization window and a cooldown have passed, and pauses may be lost")
	case in.image != nil && in.image.half:
		level.Error(l.logger).Log("msg", "one of the two roots of the ledger is damaged: what was written last may be lost, so that no policy scales down before a full stabilization window and a cooldown have passed", "file", l.file)
	}
	if in.stale || in.miscounted {
		level.Error(l.logger).Log("msg", "an index of the ledger does not match what it is of, it is built anew", "file", l.file)
	}
}

// explain adds what an operator can do about an error of Open.
func (l *Ledger) explain(err error) error {
	dir := filepath.Dir(l.file)
	switch {
	case errors.Is(err, ErrBroken):
		return err
	case errors.Is(err, berrors.ErrTimeout):
		who := "is another alertscaler running with the same --storage.path?"
		if h := holder(l.file); h != "" {
			who = h + ": " + who
		}
		return fmt.Errorf("%w: %s One ledger is for one server; end the other, or give this one another --storage.path", ErrLocked, who)
	case errors.Is(err, ErrNewer):
		return fmt.Errorf("%w: run that version or a later one, or give this one another --storage.path", err)
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%w: %s", err, repairAdvice(l.file))
	case errors.Is(err, errNotAFile):
		return fmt.Errorf("%w: move it away, or give another --storage.path", err)
	case errors.Is(err, syscall.ENOTDIR):
		return fmt.Errorf("%w: --storage.path must be a directory", err)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("%w: user %d, which this program runs as, must be able to read and write the file and the directory %s", err, os.Getuid(), dir)
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return fmt.Errorf("%w: make room on the disk of %s, or give another --storage.path", err, dir)
	case errors.Is(err, syscall.EROFS):
		return fmt.Errorf("%w: %s must be on a disk that can be written, or give another --storage.path", err, dir)
	}
	return fmt.Errorf("%w: check the disk and the directory %s, or give another --storage.path", err, dir)
}

// NewID returns an identifier for a decision or an action that sorts after
// every one made or stored before, over restarts and a clock that was set
// back.
func (l *Ledger) NewID(now time.Time) string { return l.ids.NewID(now) }

// Err is nil while the ledger can be written. Otherwise it is the error of the
// last write, until one succeeds: the ledger tries by itself every second. A
// write that the disk does not answer is an error as well. Err never waits.
func (l *Ledger) Err() error {
	if err := l.failure(); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil && l.writing {
		if took := time.Since(l.writeBegan); took > slowWrite {
			return fmt.Errorf("write ledger %s: the disk has not answered for %s", l.file, took.Round(time.Second))
		}
	}
	return l.err
}

// Close writes what is enqueued, waits for reads under way and releases the
// file. It does not wait for a ledger that is broken, nor long for a disk that
// does not answer. Its error says that something enqueued was lost or the file could not
// be closed; the ledger is closed nevertheless. Further calls return the same.
func (l *Ledger) Close() error {
	l.closeOnce.Do(func() {
		l.stop()
		l.closeErr = l.awaitClosed()
	})
	return l.closeErr
}

// stop takes nothing more, and ends what works on the file.
func (l *Ledger) stop() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	close(l.closing)
}

// awaitClosed closes the file once nothing works on it any more. A broken one
// is not closed: bbolt may never return, since it may have stopped with its
// locks held.
func (l *Ledger) awaitClosed() error {
	ended := make(chan error, 1)
	go func() {
		<-l.stopped
		<-l.pruner
		if err := l.failure(); err != nil {
			ended <- err
			return
		}
		ended <- l.closeFile()
	}()
	select {
	case err := <-ended:
		return err
	case <-l.broken:
		return l.brokenErr
	case <-time.After(closeTimeout):
		return fmt.Errorf("close ledger %s: the disk has not answered for %s, and what was not yet written is lost", l.file, closeTimeout)
	}
}

func (l *Ledger) closeFile() error {
	l.mu.Lock()
	lost, err := l.pending.lazyRecords(), l.err
	l.mu.Unlock()
	var lostErr error
	if lost > 0 {
		l.metrics.dropped.Add(float64(lost))
		lostErr = fmt.Errorf("close ledger %s: %d enqueued records are lost: %w", l.file, lost, err)
	}
	if err := l.db.Close(); err != nil {
		return errors.Join(lostErr, fmt.Errorf("close ledger %s: %w", l.file, err))
	}
	return lostErr
}
