// Package sparselog logs what others can make happen thousands of times a
// second, and says how much it left out.
package sparselog

import (
	"sync/atomic"
	"time"

	"github.com/go-kit/log"
	"golang.org/x/time/rate"
)

const (
	// every is how often there is a line for long, burst how many there may be
	// at once.
	every = time.Second
	burst = 10
)

// Logger logs ten lines at once and then one a second. It is safe for
// concurrent use.
type Logger struct {
	limiter    *rate.Limiter
	suppressed atomic.Int64
}

// New returns a Logger.
func New() *Logger { return &Logger{limiter: rate.NewLimiter(rate.Every(every), burst)} }

// Log logs the line to the logger, or counts it: the next line that is logged
// says how many were not.
func (l *Logger) Log(to log.Logger, keyvals ...any) {
	if !l.limiter.Allow() {
		l.suppressed.Add(1)
		return
	}
	if n := l.suppressed.Swap(0); n > 0 {
		keyvals = append(keyvals, "suppressed", n)
	}
	_ = to.Log(keyvals...)
}
