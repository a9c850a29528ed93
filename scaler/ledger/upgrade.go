package ledger

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	"github.com/go-kit/log/level"
	"go.etcd.io/bbolt"
)

// upgradeBatch is how many values one transaction of an upgrade seals.
const upgradeBatch = 5000

// upgrade gives a ledger that was found whole the buckets that came after it,
// and seals what was written before values were. Where it is cut off it goes
// on at the next start. It writes only where something is missing.
func (l *Ledger) upgrade(schema int) error {
	var missing []string
	err := l.view(func(tx *bbolt.Tx) error {
		for _, name := range laterBuckets() {
			if bucket(tx, name) == nil {
				missing = append(missing, name)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if len(missing) > 0 {
		err := l.update(func(tx *bbolt.Tx) error {
			for _, name := range missing {
				if _, err := tx.CreateBucket([]byte(name)); err != nil {
					return fmt.Errorf("create bucket %q: %w", name, err)
				}
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	if schema >= sealedSchema {
		return nil
	}
	level.Info(l.logger).Log("msg", "the ledger is of an older alertscaler: every record gets a checksum, after which an older one can no longer read it", "file", l.file)
	var bad []badRecord
	records := 0
	for _, name := range dataBuckets() {
		for after := []byte(nil); ; {
			n, last, found, err := l.sealSome(name, after)
			if err != nil {
				return fmt.Errorf("seal bucket %q: %w", name, err)
			}
			records += n
			bad = append(bad, found...)
			if last == nil {
				break
			}
			after = last
		}
	}
	if err := l.setAside(bad); err != nil {
		return err
	}
	err = l.update(func(tx *bbolt.Tx) error {
		return bucket(tx, bucketMeta).Put([]byte(keySchema), []byte(strconv.Itoa(schemaVersion)))
	})
	if err != nil {
		return err
	}
	level.Info(l.logger).Log("msg", "the ledger is upgraded", "file", l.file, "schema", schemaVersion, "records", records)
	return nil
}

// sealSome seals the values that follow a key, and returns the last key it came
// to; nil: the bucket is done.
func (l *Ledger) sealSome(name string, after []byte) (sealed int, last []byte, bad []badRecord, err error) {
	err = l.update(func(tx *bbolt.Tx) error {
		type pair struct{ key, payload []byte }
		var bare []pair
		sealed, last, bad = 0, nil, nil
		b := bucket(tx, name)
		c := b.Cursor()
		key, value := c.Seek(after)
		if after != nil && bytes.Equal(key, after) {
			key, value = c.Next()
		}
		for n := 0; key != nil; key, value = c.Next() {
			if n++; n > upgradeBatch {
				break
			}
			last = bytes.Clone(key)
			switch _, err := unseal(name, key, value); {
			case err == nil: // by an upgrade that was cut off
			case bareOK(name, value):
				bare = append(bare, pair{bytes.Clone(key), bytes.Clone(value)})
			default:
				bad = append(bad, badRecord{name, bytes.Clone(key), bytes.Clone(value), errBare})
			}
		}
		if key == nil {
			last = nil
		}
		for _, p := range bare {
			if err := put(tx, name, p.key, p.payload); err != nil {
				return err
			}
		}
		sealed = len(bare)
		return nil
	})
	return sealed, last, bad, err
}

var errBare = errors.New("it has no checksum and cannot be decoded")

// bareOK reports whether a value without a seal is what was written before
// there were seals, as far as can be told.
func bareOK(name string, value []byte) bool {
	switch {
	case isIndex(name):
		return len(value) == 0
	case name == bucketLearnt:
		return len(value) > 0
	}
	return json.Valid(value)
}
