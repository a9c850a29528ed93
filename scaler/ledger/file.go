package ledger

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// openFile opens the ledger's file, or makes an empty one. A new file gets its
// name only when it is complete: an empty or half-written ledger.db is
// therefore always damage and never taken for a first start.
func openFile(file string, lockTimeout time.Duration) (*bbolt.DB, error) {
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return nil, err
	}
	info, err := os.Stat(file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := createFile(file); err != nil {
			return nil, fmt.Errorf("create it: %w", err)
		}
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: not a regular file", ErrDamaged)
	case info.Size() < minSize:
		return nil, fmt.Errorf("%w: it has %d bytes", ErrDamaged, info.Size())
	}
	return openBolt(file, lockTimeout)
}

// minSize is what bbolt's first two pages take. An empty file it would take
// for a new one.
const minSize = 2 * 4096

// createFile makes a complete file under a name of its own and then gives it
// the right one, unless another process was faster.
func createFile(file string) error {
	f, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".*.tmp")
	if err != nil {
		return err
	}
	tmp := f.Name()
	defer os.Remove(tmp)
	if err := f.Close(); err != nil {
		return err
	}
	db, err := openBolt(tmp, time.Second)
	if err != nil {
		return err
	}
	if err := errors.Join(initialize(db), db.Close()); err != nil {
		return err
	}
	// Unlike a rename, a link never replaces what somebody else has put there.
	err = os.Link(tmp, file)
	switch {
	case errors.Is(err, fs.ErrExist):
		return nil
	case err != nil:
		// Not every file system has links.
		if err := os.Rename(tmp, file); err != nil {
			return err
		}
	}
	return syncDir(filepath.Dir(file))
}

func initialize(db *bbolt.DB) error {
	return db.Update(func(tx *bbolt.Tx) error {
		for _, name := range slices.Concat(firstBuckets(), laterBuckets()) {
			if _, err := tx.CreateBucketIfNotExists([]byte(name)); err != nil {
				return err
			}
		}
		return bucket(tx, bucketMeta).Put([]byte(keySchema), []byte(strconv.Itoa(schemaVersion)))
	})
}

// syncDir makes a rename durable.
func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil {
		return fmt.Errorf("sync directory %s: %w", dir, err)
	}
	return nil
}

// openBolt opens and locks a bbolt file. Where that makes bbolt panic, the
// file stays locked: bbolt's memory map of it cannot be reached any more.
func openBolt(file string, lockTimeout time.Duration) (db *bbolt.DB, err error) {
	err = guard(func() (err error) {
		db, err = bbolt.Open(file, 0o600, &bbolt.Options{
			Timeout: lockTimeout,
			// The default degrades with the number of free pages, of which
			// retention makes many.
			FreelistType: bbolt.FreelistMapType,
			// Growing the map has to wait for readers; most ledgers never do.
			InitialMmapSize: 64 << 20,
			NoStatistics:    true,
		})
		return err
	})
	switch {
	case err == nil:
		// Small ledgers stay small files; bbolt's own step is 16 MiB.
		db.AllocSize = 1 << 20
		return db, nil
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, err
}

// verify reads what a start depends on, so that damage is found here and not
// in the middle of the work, and takes up the order of IDs.
func (l *Ledger) verify() error {
	info, err := os.Stat(l.file)
	if err != nil {
		return err
	}
	return guard(func() error {
		return l.db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > info.Size() {
				return fmt.Errorf("%w: cut off at %d of %d bytes", ErrDamaged, info.Size(), tx.Size())
			}
			if err := checkSchema(tx); err != nil {
				return err
			}
			for _, name := range firstBuckets() {
				if bucket(tx, name) == nil {
					return fmt.Errorf("%w: bucket %q is missing", ErrDamaged, name)
				}
			}
			for _, name := range []string{bucketHistories, bucketRequested, bucketAlerts, bucketActionsOpen, bucketPauses} {
				if bucket(tx, name) == nil {
					continue // one of laterBuckets
				}
				if err := bucket(tx, name).ForEach(func(_, _ []byte) error { return nil }); err != nil {
					return fmt.Errorf("read bucket %q: %w", name, err)
				}
			}
			for _, name := range []string{bucketDecisions, bucketActions} {
				key, _ := bucket(tx, name).Cursor().Last()
				if id, ok := keyID(key); ok {
					l.ids.after(id)
				}
			}
			return nil
		})
	})
}

// upgrade gives a ledger that was found whole the buckets that came after it.
// It writes only where one is missing.
func (l *Ledger) upgrade() error {
	var missing []string
	err := l.db.View(func(tx *bbolt.Tx) error {
		for _, name := range laterBuckets() {
			if bucket(tx, name) == nil {
				missing = append(missing, name)
			}
		}
		return nil
	})
	if err != nil || len(missing) == 0 {
		return err
	}
	return l.update(func(tx *bbolt.Tx) error {
		for _, name := range missing {
			if _, err := tx.CreateBucket([]byte(name)); err != nil {
				return fmt.Errorf("create bucket %q: %w", name, err)
			}
		}
		return nil
	})
}

func checkSchema(tx *bbolt.Tx) error {
	meta := bucket(tx, bucketMeta)
	if meta == nil {
		return fmt.Errorf("%w: it is not a ledger", ErrDamaged)
	}
	text := string(meta.Get([]byte(keySchema)))
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < 1:
		return fmt.Errorf("%w: its schema version is %q", ErrDamaged, text)
	case version > schemaVersion:
		return fmt.Errorf("written by a newer alertscaler: its schema is version %d, and this one knows up to %d", version, schemaVersion)
	}
	return nil
}

// keyID is the ID at the end of a key.
func keyID(key []byte) (id ulid.ULID, ok bool) {
	if len(key) < len(id) {
		return id, false
	}
	copy(id[:], key[len(key)-len(id):])
	return id, true
}

// guard calls fn and turns its panics into ErrDamaged. That is how bbolt says
// that a page is not what it should be; and because the file is mapped into
// memory, a read error of the disk is a fault at an address.
func guard(fn func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, r)
		}
	}()
	return fn()
}

// view reads one consistent state, which holds all that was handed over
// before. Where it could not be written, the state on disk is what there is.
func (l *Ledger) view(fn func(*bbolt.Tx) error) error {
	l.flush()
	return l.transact(func() error { return l.db.View(fn) })
}

// update is one synced transaction.
func (l *Ledger) update(fn func(*bbolt.Tx) error) error {
	return l.transact(func() error { return l.db.Update(fn) })
}

func (l *Ledger) transact(fn func() error) error {
	err := guard(fn)
	if errors.Is(err, berrors.ErrDatabaseNotOpen) {
		return ErrClosed
	}
	return err
}
