package share

import (
	"context"
	"math"
	"sync"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// Lock lets one at a time, and who waits for it hears the end of a context. The
// zero value is unlocked; all methods are safe for concurrent use.
type Lock struct {
	made sync.Once
	held chan struct{} // holds one token while it is locked
}

// Lock waits until nobody else has the lock and takes it, or returns the error
// of ctx once that is done.
func (l *Lock) Lock(ctx context.Context) error {
	l.made.Do(func() { l.held = make(chan struct{}, 1) })
	if err := ctx.Err(); err != nil {
		return err
	}
	select {
	case l.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Unlock gives the lock back. Only whoever has it may call it.
func (l *Lock) Unlock() { <-l.held }

// Begin begins a change to a number, which op names: it waits until no other is
// under way. Until done is called, no other one begins. What is no number at all
// is an error, which says so by the words in no.
func (l *Lock) Begin(ctx context.Context, op string, desired int, no string) (done func(), err error) {
	if desired < 0 || desired > math.MaxInt32 {
		return nil, target.Errorf(target.KindPermanent, op, "%d is %s", desired, no)
	}
	if err := l.Lock(ctx); err != nil {
		return nil, target.Errorf(target.KindTemporary, op, "%w", err)
	}
	return l.Unlock, nil
}
