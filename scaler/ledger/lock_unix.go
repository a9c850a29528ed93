//go:build unix && !aix && !solaris

package ledger

import (
	"errors"
	"os"
	"syscall"
	"time"

	berrors "go.etcd.io/bbolt/errors"
)

// lockFile takes the lock that bbolt takes too. It ends with the file.
func lockFile(f *os.File, timeout time.Duration) error {
	for begin := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case !errors.Is(err, syscall.EWOULDBLOCK):
			return err
		case time.Since(begin) > timeout:
			return berrors.ErrTimeout
		}
	}
}
