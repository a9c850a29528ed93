package alerts

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"
)

// turn is a mutex that can be waited for beside something else.
type turn chan struct{}

func newTurn() turn { return make(turn, 1) }

func (t turn) unlock() { <-t }

// lockWithin takes the turn, and waits for it no longer than ctx lasts.
func (t turn) lockWithin(ctx context.Context) error {
	select {
	case t <- struct{}{}:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// unlockIn gives the turn up after d, and does not wait for that.
func (t turn) unlockIn(d time.Duration) {
	if d <= 0 {
		t.unlock()
		return
	}
	time.AfterFunc(d, t.unlock)
}

// update plans a change that goes by the whole book, stores it, and makes it
// once it is stored. Nothing is stored together with it.
func (b *Book) update(ctx context.Context, now time.Time, plan func(*change)) (*change, error) {
	if err := b.writes.lockWithin(ctx); err != nil {
		return nil, err
	}
	defer b.writes.unlock()
	// Whoever gave up while it waited will ask again; on a slow disk the
	// queue would otherwise be made of such requests.
	if err := ctx.Err(); err != nil {
		return nil, err
	}

	c := b.newChange(now)
	b.plan(c, func() { plan(c) })
	return c, b.finish(ctx, c)
}

// plan runs do with mu held, and has what it plans in flight. A panic leaves
// the book as it was.
func (b *Book) plan(c *change, do func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	c.index = b.index
	do()
	b.inFlight = c.pending
}

// finish stores what is in flight, and makes it once it is stored. The caller
// holds writes.
func (b *Book) finish(ctx context.Context, c *change) error {
	err := c.store(ctx)

	b.mu.Lock()
	defer b.mu.Unlock()
	b.inFlight = nil
	if err == nil {
		c.commit()
	}
	return err
}

// waiting is a notification whose change waits to be stored.
type waiting struct {
	ctx  context.Context
	now  time.Time
	plan func(*change)
	// done is closed once did and err are set.
	done chan struct{}
	did  counts
	err  error
}

// maxWaiting bounds the notifications that wait for a store that does not
// answer. What is refused Alertmanager sends again.
const maxWaiting = 4096

var (
	errAbandoned = errors.New("the goroutine that was storing it has ended")
	errWaiting   = fmt.Errorf("%d notifications wait for the ledger already, which does not answer", maxWaiting)
)

// enqueue has the notification stored with the next write. The caller holds mu,
// and calls join when it does no more.
func (b *Book) enqueue(ctx context.Context, now time.Time, plan func(*change)) *waiting {
	w := &waiting{ctx: ctx, now: now, plan: plan, done: make(chan struct{}), err: errAbandoned}
	if len(b.queue) >= maxWaiting {
		w.err = errWaiting
		close(w.done)
		return w
	}
	b.queue = append(b.queue, w)
	return w
}

// join returns once w is stored, or could not be. While one write is under way
// the next one gathers, so that the number of writes follows the disk's speed
// and not the number of senders: whoever comes to the write first takes along
// all that wait. It returns when the context of w ends, also from a write that
// is under way: that goes on for the others, and its outcome reaches the book.
func (b *Book) join(w *waiting) error {
	select {
	case <-w.done:
		return w.err
	case <-w.ctx.Done():
		return b.withdraw(w)
	case b.writes <- struct{}{}:
	}
	if w.ctx.Done() == nil {
		b.storeAndTell(w)
		return w.err
	}
	told := make(chan struct{})
	go func() {
		defer close(told)
		b.storeAndTell(w)
	}()
	select {
	case <-told:
		return w.err
	case <-w.ctx.Done():
		return b.withdraw(w)
	}
}

// storeAndTell is storeQueue, and tells those who watch the book. The caller
// holds writes, and does no more.
func (b *Book) storeAndTell(w *waiting) {
	defer func() {
		if p := recover(); p != nil {
			// Those who wait are told that nobody stored it.
			_ = b.recovered(taskStore, p)
		}
	}()
	b.notify(b.storeQueue(w))
}

// withdraw takes w out of the queue, unless it is on its way to the store: then
// nobody knows.
func (b *Book) withdraw(w *waiting) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.queue = slices.DeleteFunc(b.queue, func(o *waiting) bool { return o == w })
	return context.Cause(w.ctx)
}

// storeQueue stores all that waits, unless w was stored meanwhile, gives up
// writes when the next one may begin, and returns the policies concerned.
func (b *Book) storeQueue(w *waiting) []string {
	rest := time.Duration(0)
	defer func() { b.writes.unlockIn(rest) }()
	select {
	case <-w.done:
		return nil
	default:
	}

	var taken []*waiting
	c := b.newChange(time.Time{})
	b.plan(c, func() {
		taken, b.queue = b.queue, nil
		for _, w := range taken {
			// As in update.
			if w.err = w.ctx.Err(); w.err != nil {
				continue
			}
			c.now, c.counts = w.now, counts{}
			w.plan(c)
			w.did, w.err = c.counts, errAbandoned
		}
	})

	began := time.Now()
	err := b.finish(context.Background(), c)
	rest = b.writeInterval - time.Since(began)
	for _, w := range taken {
		if errors.Is(w.err, errAbandoned) {
			w.did.Policies, w.err = c.Policies, err
		}
		close(w.done)
	}
	return c.Policies
}
