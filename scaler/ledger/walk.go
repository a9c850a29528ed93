package ledger

import (
	"bytes"
	"encoding/json"
	"fmt"
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

// get decodes one value.
func get[T any](tx *bbolt.Tx, values string, id ulid.ULID) (T, error) {
	var v T
	value := bucket(tx, values).Get(id[:])
	if value == nil {
		return v, fmt.Errorf("%w: %s %s is in an index only", ErrDamaged, values, id)
	}
	if err := json.Unmarshal(value, &v); err != nil {
		return v, fmt.Errorf("decode %s %s: %w", values, id, err)
	}
	return v, nil
}
