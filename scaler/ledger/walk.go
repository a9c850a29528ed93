package ledger

import (
	"bytes"
	"errors"
	"iter"

	"github.com/oklog/ulid/v2"
	"go.etcd.io/bbolt"
)

// newest walks the IDs of a bucket backwards: all of them, or those that the
// index has of one policy. The transaction must outlive the walk.
func newest(tx *bbolt.Tx, policy, values, index string) iter.Seq[ulid.ULID] {
	return func(yield func(ulid.ULID) bool) {
		var (
			c      *bbolt.Cursor
			prefix []byte
			key    []byte
		)
		if policy == "" {
			c = bucket(tx, values).Cursor()
			key, _ = c.Last()
		} else {
			prefix = policyPrefix(policy)
			c = bucket(tx, index).Cursor()
			key = seekLast(c, prefix)
		}
		for ; key != nil && bytes.HasPrefix(key, prefix); key, _ = c.Prev() {
			if id, ok := keyID(key); ok && !yield(id) {
				return
			}
		}
	}
}

// seekLast finds the last key that begins with prefix, or one before where
// there is none. The prefix ends in NUL, which no name contains.
func seekLast(c *bbolt.Cursor, prefix []byte) []byte {
	end := bytes.Clone(prefix)
	end[len(end)-1]++
	var key []byte
	if next, _ := c.Seek(end); next == nil {
		key, _ = c.Last()
	} else {
		key, _ = c.Prev()
	}
	return key
}

// get decodes one value. Where it is not what was written, that is bad.
func get[T any](tx *bbolt.Tx, values string, id ulid.ULID) (v T, bad *badRecord) {
	value := bucket(tx, values).Get(id[:])
	reason := errIndexOnly
	if value != nil {
		if reason = decode(values, id[:], value, &v); reason == nil {
			return v, nil
		}
	}
	return v, &badRecord{bucket: values, key: bytes.Clone(id[:]), value: bytes.Clone(value), reason: reason}
}

var errIndexOnly = errors.New("it is in an index only")

// all decodes a bucket. What is not what was written is set aside first.
func all[T any](l *Ledger, name string) (keys []string, values []T, err error) {
	read := func() (bad []badRecord, err error) {
		keys, values = nil, nil
		err = l.view(func(tx *bbolt.Tx) error {
			return bucket(tx, name).ForEach(func(key, value []byte) error {
				var v T
				if reason := decode(name, key, value, &v); reason == nil {
					keys, values = append(keys, string(key)), append(values, v)
				} else {
					bad = append(bad, badRecord{name, bytes.Clone(key), bytes.Clone(value), reason})
				}
				return nil
			})
		})
		return bad, err
	}
	bad, err := read()
	if err == nil && len(bad) > 0 {
		// What is put in its place, and what becomes careful, is read too.
		if err = l.setAside(bad); err == nil {
			_, err = read()
		}
	}
	return keys, values, err
}
