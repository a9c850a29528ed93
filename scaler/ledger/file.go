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
func (l *Ledger) openFile() (*inspection, error) {
	o := l.opts
	if err := os.MkdirAll(filepath.Dir(l.file), 0o700); err != nil {
		return nil, err
	}
	info, err := os.Stat(l.file)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := createFile(l.file); err != nil {
			return nil, fmt.Errorf("create it: %w", err)
		}
		l.report.Created = true
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%w: it is %s", errNotAFile, kindOf(info.Mode()))
	}
	in, err := l.inspectFile()
	if err != nil {
		return nil, err
	}
	l.db, l.info, err = openBolt(l.file, o.LockTimeout)
	return in, err
}

// errNotAFile: the name is taken by something else.
var errNotAFile = errors.New("not a regular file")

func kindOf(m fs.FileMode) string {
	if m.IsDir() {
		return "a directory"
	}
	return "of mode " + m.String()
}

// inspectFile looks through all of the file while nobody else has it, and
// replaces one that cannot be used by what can be read of it, where that is
// asked for.
func (l *Ledger) inspectFile() (*inspection, error) {
	f, err := os.OpenFile(l.file, os.O_RDWR, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if err := lockFile(f, l.opts.LockTimeout); err != nil {
		return nil, err
	}
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	in := inspect(f, info.Size())
	if in.whole == nil || !l.opts.Repair || !errors.Is(in.whole, ErrDamaged) {
		return in, in.whole
	}
	if err := l.replaceDamaged(in); err != nil {
		return nil, fmt.Errorf("%w; it cannot be repaired either: %w", in.whole, err)
	}
	return &inspection{schema: schemaVersion}, nil
}

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
	db, _, err := openBolt(tmp, time.Second)
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

// openBolt opens and locks a bbolt file, and says which one it is. Where that
// makes bbolt panic, the file stays locked: bbolt's memory map of it cannot be
// reached any more.
func openBolt(file string, lockTimeout time.Duration) (db *bbolt.DB, info fs.FileInfo, err error) {
	err = guard(func() (err error) {
		db, err = bbolt.Open(file, 0o600, &bbolt.Options{
			Timeout: lockTimeout,
			// The default degrades with the number of free pages, of which
			// retention makes many.
			FreelistType: bbolt.FreelistMapType,
			// Growing the map has to wait for readers; most ledgers never do.
			InitialMmapSize: 64 << 20,
			NoStatistics:    true,
			OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
				f, err := os.OpenFile(name, flag, mode)
				if err != nil {
					return nil, err
				}
				if info, err = f.Stat(); err != nil {
					return nil, errors.Join(err, f.Close())
				}
				return f, nil
			},
		})
		return err
	})
	switch {
	case err == nil:
		// Small ledgers stay small files; bbolt's own step is 16 MiB.
		db.AllocSize = 1 << 20
		return db, info, nil
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrVersionMismatch), errors.Is(err, berrors.ErrChecksum):
		return nil, nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil, nil, err
}

// begin takes up the order of IDs, and what was lost before.
func (l *Ledger) begin() error {
	return l.view(func(tx *bbolt.Tx) error {
		l.length.Store(tx.Size())
		l.cautious = readCautious(tx, l.opts.Now())
		for _, name := range []string{bucketDecisions, bucketActions} {
			key, _ := bucket(tx, name).Cursor().Last()
			if id, ok := keyID(key); ok {
				l.ids.after(id)
			}
		}
		return nil
	})
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

// transact runs one transaction. Where it panics, bbolt may have kept its
// locks: everything after it would wait for ever.
func (l *Ledger) transact(fn func() error) error {
	if err := l.failure(); err != nil {
		return err
	}
	returned := false
	err := guard(func() error {
		err := fn()
		returned = true
		return err
	})
	switch {
	case !returned:
		return l.fail(fmt.Errorf("%w: %s", err, repairAdvice(l.file)))
	case errors.Is(err, berrors.ErrDatabaseNotOpen):
		return ErrClosed
	}
	return err
}
