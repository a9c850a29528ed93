package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"time"

	"github.com/go-kit/log"
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
)

const (
	fileName = "ledger.db"

	defaultRetention    = 15 * 24 * time.Hour
	defaultMaxDecisions = 1_000_000
	// defaultLockTimeout outlasts the shutdown of the process before.
	defaultLockTimeout = 5 * time.Second
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
// is.
func Open(o Options) (*Ledger, error) {
	o = o.withDefaults()
	if o.Path == "" {
		return nil, errors.New("open ledger: no path given")
	}
	file := filepath.Join(o.Path, fileName)
	db, err := openFile(file, o.LockTimeout)
	if err != nil {
		return nil, fmt.Errorf("open ledger %s: %w", file, explain(err))
	}
	l := &Ledger{
		opts:          o,
		db:            db,
		file:          file,
		logger:        o.Logger,
		flushInterval: flushInterval,
		maxLazyBytes:  maxLazyBytes,
		armed:         make(chan struct{}, 1),
		urgent:        make(chan struct{}, 1),
		closing:       make(chan struct{}),
		stopped:       make(chan struct{}),
		pruner:        make(chan struct{}),
		pending:       &batch{},
	}
	if err := l.verify(); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open ledger %s: %w", file, explain(err))
	}
	if err := l.upgrade(); err != nil {
		_ = db.Close()
		return nil, fmt.Errorf("open ledger %s: add what came since it was made: %w", file, explain(err))
	}
	// Last, so that a failed Open leaves nothing registered behind.
	l.metrics = newMetrics(o.Registerer, l.Err)
	l.measure()
	go l.run()
	go l.runPruner()
	return l, nil
}

// explain adds what an operator can do about it.
func explain(err error) error {
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return fmt.Errorf("%w: is another alertscaler running with the same --storage.path?", ErrLocked)
	case errors.Is(err, ErrDamaged):
		return fmt.Errorf("%w: restore it from a backup, or move it away to start with an empty ledger", err)
	}
	return err
}

// NewID returns an identifier for a decision or an action that sorts after
// every one made or stored before, over restarts and a clock that was set
// back.
func (l *Ledger) NewID(now time.Time) string { return l.ids.NewID(now) }

// Err is nil while the ledger can be written. Otherwise it is the error of the
// last write, until one succeeds: the ledger tries by itself every second. A
// write that the disk does not answer is an error as well. Err never waits.
func (l *Ledger) Err() error {
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
// file. Its error says that something enqueued was lost or the file could not
// be closed; the ledger is closed nevertheless. Further calls return the same.
func (l *Ledger) Close() error {
	l.closeOnce.Do(func() {
		l.mu.Lock()
		l.closed = true
		l.mu.Unlock()
		close(l.closing)
		<-l.stopped
		<-l.pruner

		l.mu.Lock()
		lost, err := l.pending.lazyRecords(), l.err
		l.mu.Unlock()
		if lost > 0 {
			l.metrics.dropped.Add(float64(lost))
			l.closeErr = fmt.Errorf("close ledger: %d enqueued records are lost: %w", lost, err)
		}
		if err := l.db.Close(); err != nil {
			l.closeErr = errors.Join(l.closeErr, fmt.Errorf("close ledger: %w", err))
		}
	})
	return l.closeErr
}
