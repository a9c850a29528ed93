package process

import (
	"runtime"
	"sync"

	"github.com/alertscaler/alertscaler/scaler/recovery"
)

// launcher runs functions one after another on one OS thread that lives until
// close. Linux delivers a child's parent-death signal when the thread that
// started it ends, not when the process does, and the Go runtime ends threads
// at will; so every replica is started from here.
//
// do may be called concurrently, and not after close.
type launcher struct {
	start sync.Once
	jobs  chan func()
}

func newLauncher() *launcher { return &launcher{jobs: make(chan func())} }

// do runs f on the thread, waits for it and returns its error. The thread is
// taken at the first call, so that a launcher that never launched costs nothing.
func (l *launcher) do(f func() error) error {
	l.start.Do(func() { go l.loop() })
	done := make(chan error, 1)
	l.jobs <- func() { done <- recovery.Do("start of a replica", f) }
	return <-done
}

func (l *launcher) loop() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	for f := range l.jobs {
		f()
	}
}

// close gives the thread back. Whatever still runs on Linux and was started
// from it gets its parent-death signal, sooner or later.
func (l *launcher) close() { close(l.jobs) }
