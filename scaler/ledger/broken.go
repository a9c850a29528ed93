package ledger

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"go.etcd.io/bbolt"
)

// ErrBroken says that the file was damaged, replaced or taken away while the ledger had
// it open. The ledger can no longer be used, nor closed in good order, since
// bbolt may have stopped in the middle of something with its locks held: the
// process should end.
var ErrBroken = errors.New("no longer the file that was opened")

// watchInterval is how often the file is looked at where nobody writes.
const watchInterval = time.Second

// Watch returns nil once ctx is done, or an error that wraps ErrBroken as soon
// as the ledger can no longer be used: the process should then end, since what
// it does from there on is not remembered.
func (l *Ledger) Watch(ctx context.Context) error {
	tick := time.NewTicker(watchInterval)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-l.closing:
			<-ctx.Done()
			return nil
		case <-l.broken:
			return l.brokenErr
		case <-tick.C:
			// Off this goroutine, because a file that hangs must not keep the
			// others from being heard.
			if l.watching.CompareAndSwap(false, true) {
				go func() {
					defer l.watching.Store(false)
					l.look()
				}()
			}
		}
	}
}

// look reads how long the file should be, and both ends of every bucket, which
// shows whether they can be read, and compares. A write that was under way when
// something else wrote to the file may have made good its beginning only.
func (l *Ledger) look() {
	err := l.transact(func() error {
		return l.db.View(func(tx *bbolt.Tx) error {
			l.length.Store(tx.Size())
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				ends := b.Cursor()
				ends.First()
				ends.Last()
				return nil
			})
		})
	})
	if err == nil {
		_ = l.checkFile()
	}
}

// checkFile reports an error unless the ledger's name still leads to the file
// that is open, in full length. What is written to another one nobody will find
// again.
func (l *Ledger) checkFile() error {
	info, err := os.Stat(l.file)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return l.fail(fmt.Errorf("it was deleted or moved away while alertscaler had it open, and what came since was not acknowledged: " +
			"put it back from where it is or from a backup, and start alertscaler again; without it alertscaler begins with an empty ledger, and decisions, cooldowns and pauses are gone"))
	case err != nil:
		return fmt.Errorf("look at ledger %s: %w", l.file, err)
	case !os.SameFile(info, l.info):
		return l.fail(fmt.Errorf("another file was put in its place while alertscaler had it open, and what came since was not acknowledged: " +
			"start alertscaler again to go on with the file that is there now"))
	case info.Size() < l.length.Load():
		return l.fail(fmt.Errorf("it was cut off at %d of %d bytes while alertscaler had it open: %s", info.Size(), l.length.Load(), repairAdvice(l.file)))
	}
	return nil
}

// repairAdvice is what to do about a damaged file.
func repairAdvice(file string) string {
	return fmt.Sprintf("restore it from a backup, or start alertscaler with --storage.repair, or run `scalertool ledger repair --storage.path=%s`, which both move it aside and keep what of it can be read", filepath.Dir(file))
}

// fail makes the ledger unusable for good, and returns why it is: the first
// reason counts.
func (l *Ledger) fail(reason error) error {
	l.failOnce.Do(func() {
		l.brokenErr = fmt.Errorf("ledger %s: %w: %w", l.file, ErrBroken, reason)
		close(l.broken)
	})
	return l.brokenErr
}

// failure is nil while the ledger can be used.
func (l *Ledger) failure() error {
	select {
	case <-l.broken:
		return l.brokenErr
	default:
		return nil
	}
}
