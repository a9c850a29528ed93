package ledger

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
)

// inspection is what a ledger's file is found to be, page by page and value by
// value, before it is used.
type inspection struct {
	image  *image
	schema int
	// whole is nil where the file can be used. It wraps ErrDamaged unless
	// the file is a newer alertscaler's.
	whole error
	// bad are the records that are not what was written, in a file that can
	// be used else.
	bad []badRecord
	// stale is set where an index does not match what it is of, miscounted
	// where the number of decisions is another.
	stale, miscounted bool
	// unknown are buckets that are not a ledger's.
	unknown []string
}

// badRecord is one that is not what was written.
type badRecord struct {
	bucket     string
	key, value []byte
	reason     error
}

// inspect reads all of a file. It never fails for what the file holds.
func inspect(r io.ReaderAt, size int64) *inspection {
	in := &inspection{}
	var err error
	if in.image, err = openImage(r, size); err != nil {
		in.whole = fmt.Errorf("%w: %w", ErrDamaged, err)
		return in
	}
	found := make(map[string]bool)
	tallies := make(map[string]*tally)
	var sequence uint64
	in.schema, err = in.visit(func(name string, seq uint64) {
		found[name] = true
		tallies[name] = &tally{}
		if name == bucketDecisions {
			sequence = seq
		}
	}, func(name string, key, value []byte) {
		tallies[name].add(key)
		if in.schema < sealedSchema {
			return
		}
		if _, err := unseal(name, key, value); err != nil {
			in.bad = append(in.bad, badRecord{name, bytes.Clone(key), bytes.Clone(value), err})
		}
	})
	switch {
	case err != nil:
		in.whole = err
		return in
	case in.problems() != nil:
		in.whole = fmt.Errorf("%w: %w", ErrDamaged, in.problems())
		return in
	}
	for _, name := range firstBuckets()[1:] {
		if !found[name] {
			in.whole = fmt.Errorf("%w: bucket %q is missing", ErrDamaged, name)
			return in
		}
	}
	for _, name := range laterBuckets() {
		// It would be made anew, without what is in it.
		if !found[name] && len(in.unknown) > 0 {
			in.whole = fmt.Errorf("%w: bucket %q is missing, and there is one called %q", ErrDamaged, name, in.unknown[0])
			return in
		}
	}
	in.miscounted = sequence != tallies[bucketDecisions].keys
	in.stale = *tallies[bucketDecisions] != *tallies[bucketDecisionsByPolicy] || *tallies[bucketActions] != *tallies[bucketActionsByPolicy] ||
		slices.ContainsFunc(in.bad, func(b badRecord) bool { return isIndex(b.bucket) })
	return in
}

// tally tells whether two buckets are about the same IDs.
type tally struct {
	keys      uint64
	high, low uint64
}

func (t *tally) add(key []byte) {
	t.keys++
	if id, ok := keyID(key); ok {
		t.high ^= binary.BigEndian.Uint64(id[:])
		t.low ^= binary.BigEndian.Uint64(id[8:])
	}
}

// problems are those of the pages; nil where there is none.
func (in *inspection) problems() error {
	im := in.image
	switch {
	case len(im.problems) == 0:
		return nil
	case len(im.problems) == 1:
		return fmt.Errorf("%s", im.problems[0])
	}
	return fmt.Errorf("%s (and %d more)", im.problems[0], len(im.problems)+im.more-1)
}

// visit walks all buckets that can be reached, meta first, and returns the
// version of the schema. Where that is of no ledger, or of one that is too new,
// the others are not walked.
func (in *inspection) visit(bucketFound func(name string, sequence uint64), record func(name string, key, value []byte)) (schema int, err error) {
	im := in.image
	im.seen, im.problems, im.more, in.unknown = nil, nil, 0, nil
	type bucketAt struct {
		name           string
		root, sequence uint64
		inline         []byte
	}
	var all []bucketAt
	im.walk("buckets", im.meta.root, 0, nil, nil, func(e element) {
		if !e.bucket || len(e.value) < 16 {
			im.problem("buckets: %q is not a bucket", e.key)
			return
		}
		b := bucketAt{name: string(e.key), root: native.Uint64(e.value), sequence: native.Uint64(e.value[8:])}
		if b.root == 0 {
			b.inline = bytes.Clone(e.value[16:])
		}
		all = append(all, b)
	})
	walk := func(b bucketAt, visit func(element)) {
		switch {
		case b.root != 0:
			im.walk(b.name, b.root, 0, nil, nil, visit)
		case len(b.inline) < pageHeader || native.Uint16(b.inline[8:]) != leafPage:
			im.problem("%s: its page is not one", b.name)
		default:
			im.leaf(b.name, 0, int(native.Uint16(b.inline[10:])), b.inline, nil, nil, visit)
		}
	}
	isMeta := func(b bucketAt) bool { return b.name == bucketMeta }
	i := slices.IndexFunc(all, isMeta)
	if i < 0 {
		return 0, fmt.Errorf("%w: it is not a ledger, it has no bucket %q", ErrDamaged, bucketMeta)
	}
	version := ""
	walk(all[i], func(e element) {
		if string(e.key) == keySchema {
			version = string(e.value)
		}
	})
	schema, err = parseSchema(version)
	in.schema = schema
	if schema > schemaVersion {
		return schema, err
	}
	for _, b := range slices.DeleteFunc(all, isMeta) {
		if !slices.Contains(dataBuckets(), b.name) {
			// One of a later alertscaler, or one whose name is damaged.
			in.unknown = append(in.unknown, b.name)
			walk(b, func(element) {})
			continue
		}
		bucketFound(b.name, b.sequence)
		walk(b, func(e element) {
			if e.bucket {
				im.problem("%s: %q is a bucket", b.name, e.key)
				return
			}
			record(b.name, e.key, e.value)
		})
	}
	im.free()
	return schema, err
}

func parseSchema(text string) (int, error) {
	version, err := strconv.Atoi(text)
	switch {
	case err != nil || version < 1 || strings.HasPrefix(text, "+"):
		return 0, fmt.Errorf("%w: its schema version is %q", ErrDamaged, text)
	case version > schemaVersion:
		return version, fmt.Errorf("%w: its schema is version %d, and this one knows up to %d", ErrNewer, version, schemaVersion)
	}
	return version, nil
}
