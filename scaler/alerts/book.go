package alerts

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/sparselog"
)

// Defaults of Options.
const (
	DefaultTTL = time.Hour
)

// DiskWriteInterval is an Options.WriteInterval for a store that syncs to a
// disk. A fast disk would otherwise be written to more than a thousand times a
// second for two or three notifications each time, which takes more of the
// processors than the notifications do.
const DiskWriteInterval = 2 * time.Millisecond

// Options of a Book. The zero value is a book in memory, without policies.
type Options struct {
	// Store keeps the book over a restart; nil keeps nothing.
	Store Store
	// WriteInterval is how far apart the writes of notifications begin at
	// least; what comes in between waits for the next one together. One that
	// comes alone never waits. 0: as soon as the one before has ended.
	WriteInterval time.Duration
	// TTL is how long a firing alert counts that nobody confirms: neither a
	// notification nor a reconciliation. 0 is DefaultTTL; negative is for
	// ever.
	TTL time.Duration
	// Rules say which alerts speak for which policy; see SetRules.
	Rules []Rule
	// MaxUnmatched bounds the alerts kept that speak for no policy, 0 is
	// DefaultMaxUnmatched. They are kept because a reload may bring the policy
	// they speak for, and Alertmanager will not repeat them for hours.
	MaxUnmatched int
	// MaxAlertBytes bounds one alert's labels and annotations; 0 is
	// DefaultMaxAlertBytes. A larger one is kept without its annotations, and
	// refused where its labels alone are larger.
	MaxAlertBytes int
	// MaxPerPolicy bounds the alerts that speak for one policy; 0 is
	// DefaultMaxPerPolicy.
	MaxPerPolicy int
	// MaxBytes bounds all alerts together; 0 is DefaultMaxBytes.
	MaxBytes int
	// OnChange is told the policies whose set of active alerts, or of silenced
	// ones, changed, sorted, never empty. Reconcile, Expire and SetRules call it
	// before they return, and so does Apply where there is no Store. With a Store
	// one Apply stores for all that wait, and calls it once for all of them. None
	// of the book's locks is held, so it may ask the book. It must not block,
	// because Alertmanager waits. Calls may overlap and come in any order: it is a
	// wake-up, the book is the truth.
	OnChange func(policies []string)
	// Now is the clock; nil is the system's.
	Now        func() time.Time
	Logger     log.Logger
	Registerer prometheus.Registerer
}

// Book is what is firing now, by fingerprint. All methods are safe for
// concurrent use. Reads never wait for the store.
type Book struct {
	store         Store
	maxUnmatched  int
	maxAlertBytes int
	maxPerPolicy  int
	maxBytes      int
	maxTombs      int
	maxAhead      time.Duration
	onChange      func([]string)
	now           func() time.Time
	logger        log.Logger
	sparse        *sparselog.Logger
	metrics       *metrics
	// asked has an element while Alertmanager is to be asked at once.
	asked chan struct{}

	// writes puts the store's writes in the order of the book's changes. It
	// is held over a write, which mu never is, and always taken before mu.
	writes        turn
	writeInterval time.Duration

	// mu guards all that follows. Without writes, only the rules may be
	// replaced, SetConfirm called and the sightings of alerts changed, and
	// those not of alerts in flight.
	mu sync.RWMutex
	// inFlight is what is being stored and not yet made, queue what the next
	// write will store.
	inFlight map[string]*pending
	queue    []*waiting
	ttl      time.Duration
	index    *Index
	entries  map[string]*entry
	tombs    map[string]tombstone
	policies map[string]*policyAlerts
	// unmatched are the alerts that speak for no policy, unconfirmed those
	// that do not count before Alertmanager lists them.
	unmatched, unconfirmed map[string]struct{}
	bytes, unmatchedBytes  int
	// confirm is SetConfirm's, and ending when a notification said of an alert
	// that it is over, until Alertmanager confirms that.
	confirm bool
	ending  map[string]time.Time
	// reconciled is the start of the last reconciliation that worked, settled
	// of the last one in which what was not listed does not fire.
	reconciled, settled time.Time
	// listed are alerts that the Alertmanager which runs since listedBy has
	// listed.
	listed   map[string]struct{}
	listedBy time.Time
}

// entry is one alert and what the book knows of it beside.
type entry struct {
	alert   Alert
	matches []Match
	// stored is LastSeen as the store has it.
	stored time.Time
	// size is what it takes, labels what of that its labels do.
	size, labels int
	// listed is when Alertmanager was last asked and listed it.
	listed time.Time
	// slack is how much later than stored LastSeen may have been, for an
	// alert that came from the store and was not confirmed since.
	slack time.Duration
}

// New returns a book with what o.Store has kept. It returns an error only
// where the store does.
func New(o Options) (*Book, error) {
	b := &Book{
		store:         o.Store,
		writeInterval: o.WriteInterval,
		ttl:           o.TTL,
		maxUnmatched:  cmp.Or(o.MaxUnmatched, DefaultMaxUnmatched),
		maxAlertBytes: cmp.Or(o.MaxAlertBytes, DefaultMaxAlertBytes),
		maxPerPolicy:  cmp.Or(o.MaxPerPolicy, DefaultMaxPerPolicy),
		maxBytes:      cmp.Or(o.MaxBytes, DefaultMaxBytes),
		maxTombs:      defaultMaxTombs,
		maxAhead:      defaultMaxAhead,
		asked:         make(chan struct{}, 1),
		unmatched:     make(map[string]struct{}),
		unconfirmed:   make(map[string]struct{}),
		ending:        make(map[string]time.Time),
		onChange:      o.OnChange,
		now:           o.Now,
		logger:        o.Logger,
		sparse:        sparselog.New(),
		metrics:       newMetrics(o.Registerer),
		writes:        newTurn(),
		index:         NewIndex(nil),
		entries:       make(map[string]*entry),
		tombs:         make(map[string]tombstone),
		policies:      make(map[string]*policyAlerts),
	}
	if b.ttl == 0 {
		b.ttl = DefaultTTL
	}
	if b.now == nil {
		b.now = time.Now // with the monotonic clock's reading, by which times are compared
	}
	if b.logger == nil {
		b.logger = log.NewNopLogger()
	}
	if err := b.restore(); err != nil {
		return nil, err
	}
	if o.Registerer != nil {
		o.Registerer.MustRegister(collector{b})
	}
	b.setRules(o.Rules) // nobody has seen the book yet: nobody is told
	return b, nil
}

func (b *Book) restore() error {
	if b.store == nil {
		return nil
	}
	stored, err := b.store.LoadAlerts()
	if err != nil {
		return fmt.Errorf("load the book of alerts: %w", err)
	}
	now := b.now()
	clamped := 0
	for _, a := range stored {
		if a.Fingerprint == "" || a.Status != Firing {
			continue
		}
		a.Policies = nil
		var early [3]bool
		a.ReceivedAt, early[0] = rebase(a.ReceivedAt, now)
		a.LastSeen, early[1] = rebase(a.LastSeen, now)
		if early[2] = a.StartsAt.Sub(now) > b.maxAhead; early[2] {
			a.StartsAt = now.UTC()
		}
		if slices.Contains(early[:], true) {
			clamped++
		}
		labels := pairBytesOf(a.Labels)
		size, _ := a.trim(labels, b.maxAlertBytes)
		b.entries[a.Fingerprint] = &entry{alert: a, size: size, labels: labels, stored: a.LastSeen, slack: storedSlack(b.ttl)}
	}
	level.Info(b.logger).Log("msg", "book of alerts restored", "alerts", len(b.entries))
	if clamped > 0 {
		level.Warn(b.logger).Log("msg", "stored times of alerts lie ahead of the clock, which has gone back; they count as now",
			"alerts", clamped, "now", now.UTC())
	}
	return nil
}

// Alerts returns all alerts in the book, suppressed and unmatched ones too,
// sorted by fingerprint.
func (b *Book) Alerts() []Alert {
	b.mu.RLock()
	all := make([]Alert, 0, len(b.entries))
	for _, e := range b.entries {
		all = append(all, e.handOut())
	}
	b.mu.RUnlock()
	sortAlerts(all)
	return all
}

// AlertsFor returns the alerts that speak for a policy in any direction,
// suppressed ones too, sorted by fingerprint.
func (b *Book) AlertsFor(name string) []Alert {
	b.mu.RLock()
	var all []Alert
	if p := b.policies[name]; p != nil {
		all = make([]Alert, 0, len(p.fingerprints))
		for fp := range p.fingerprints {
			all = append(all, b.entries[fp].handOut())
		}
	}
	b.mu.RUnlock()
	sortAlerts(all)
	return all
}

// ReceivedAfter is when the oldest of the policy's active alerts in that
// direction was first received, of those that were later than t; false where
// there is none.
func (b *Book) ReceivedAfter(name string, d policy.Direction, t time.Time) (oldest time.Time, ok bool) {
	b.mu.RLock()
	defer b.mu.RUnlock()
	p := b.policies[name]
	if p == nil {
		return time.Time{}, false
	}
	for fp := range p.fingerprints {
		e := b.entries[fp]
		at := e.alert.ReceivedAt
		if !e.alert.Active() || !at.After(t) || (ok && !at.Before(oldest)) || !slices.Contains(e.matches, Match{name, d}) {
			continue
		}
		oldest, ok = at, true
	}
	return oldest, ok
}

// Page returns the alerts that follow the fingerprint in the order of Alerts,
// limit at most and of some maxBytes together, and the fingerprint that the
// next page follows; "" where there is none. An alert larger than maxBytes is a
// page of its own.
func (b *Book) Page(after string, limit, maxBytes int) (page []Alert, next string) {
	b.mu.RLock()
	var fps []string
	for fp := range b.entries {
		if fp > after {
			fps = append(fps, fp)
		}
	}
	b.mu.RUnlock()
	slices.Sort(fps)

	b.mu.RLock()
	defer b.mu.RUnlock()
	bytes := 0
	for _, fp := range fps {
		e, ok := b.entries[fp]
		if !ok {
			continue
		}
		if bytes += e.size; len(page) == limit || (len(page) > 0 && bytes > maxBytes) {
			return page, page[len(page)-1].Fingerprint
		}
		page = append(page, e.handOut())
	}
	return page, ""
}

// Len returns how many alerts are in the book.
func (b *Book) Len() int {
	b.mu.RLock()
	defer b.mu.RUnlock()
	return len(b.entries)
}

// handOut is the alert with the policies it speaks for now.
func (e *entry) handOut() Alert {
	a := e.alert.plain()
	for _, m := range e.matches {
		a.Policies = append(a.Policies, m.Policy)
	}
	a.Policies = slices.Compact(a.Policies)
	return a
}

func sortAlerts(as []Alert) {
	slices.SortFunc(as, func(x, y Alert) int { return strings.Compare(x.Fingerprint, y.Fingerprint) })
}

// notify tells the subscriber; no lock may be held.
func (b *Book) notify(changed []string) {
	if b.onChange != nil && len(changed) > 0 {
		b.onChange(changed)
	}
}
