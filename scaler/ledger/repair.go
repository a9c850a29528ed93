package ledger

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"time"

	"go.etcd.io/bbolt"
)

// Report is what was found when a ledger was opened, and what was done.
type Report struct {
	File string `json:"file"`
	// Created: there was none, and an empty one was made.
	Created bool `json:"created"`
	// Damaged is the name under which the file is kept that could not be used;
	// empty: it could.
	Damaged string `json:"damaged,omitempty"`
	// Problems are what was wrong with its pages.
	Problems []string `json:"problems,omitempty"`
	// Salvaged are how many records were taken over from it, by bucket.
	Salvaged map[string]int `json:"salvaged,omitempty"`
	// SetAside are how many records were not what had been written, by bucket.
	// They are kept in SideFile.
	SetAside map[string]int `json:"set_aside,omitempty"`
	SideFile string         `json:"side_file,omitempty"`
	// Careful: something was lost that could have mattered to the next
	// decision. No policy scales down before a full window has passed.
	Careful bool `json:"careful"`
}

func newReport(file string) Report {
	return Report{File: file, Salvaged: make(map[string]int), SetAside: make(map[string]int)}
}

func (r *Report) total() int {
	n := 0
	for _, records := range r.Salvaged {
		n += records
	}
	return n
}

// Report is what was found and done since the ledger was opened. Its maps are
// the caller's.
func (l *Ledger) Report() Report {
	l.mu.Lock()
	defer l.mu.Unlock()
	r := l.report
	r.Salvaged, r.SetAside = maps.Clone(r.Salvaged), maps.Clone(r.SetAside)
	r.Problems = slices.Clone(r.Problems)
	return r
}

// Repair opens the ledger under o.Path, which nobody else may have open, sets
// damaged records aside, replaces a file that cannot be used by what can be
// read of it, and closes it again. Where there is no ledger it makes none.
func Repair(o Options) (Report, error) {
	file := filepath.Join(o.Path, fileName)
	if _, err := os.Stat(file); err != nil {
		return Report{}, fmt.Errorf("repair ledger: %w", err)
	}
	o.Repair = true
	o.Retention, o.MaxDecisions = -1, -1 // nothing goes but what is damaged
	l, err := Open(o)
	if err != nil {
		return Report{}, err
	}
	r := l.Report()
	if err := l.Close(); err != nil {
		return Report{}, err
	}
	return r, nil
}

// replaceDamaged puts what can be read of the file in its place, and keeps it
// under another name. The caller holds the file's lock. Until the new file is
// complete the old one is where it was.
func (l *Ledger) replaceDamaged(in *inspection) error {
	now := l.opts.Now()
	tmp, err := l.salvage(in, now)
	if err != nil {
		return err
	}
	defer os.Remove(tmp)
	kept := l.file + ".damaged-" + now.UTC().Format("20060102T150405Z")
	for n := 2; ; n++ {
		// As long as both names lead to it, nothing is lost by a crash.
		if err = os.Link(l.file, kept); !errors.Is(err, fs.ErrExist) {
			break
		}
		kept = fmt.Sprintf("%s.damaged-%s-%d", l.file, now.UTC().Format("20060102T150405Z"), n)
	}
	if err != nil {
		// Not every file system has links.
		if err := os.Rename(l.file, kept); err != nil {
			return fmt.Errorf("move it aside: %w", err)
		}
	}
	if err := os.Rename(tmp, l.file); err != nil {
		return fmt.Errorf("put what was salvaged in its place, it is kept as %s: %w", kept, err)
	}
	l.report.Damaged, l.report.Careful = kept, true
	return syncDir(filepath.Dir(l.file))
}

// salvageBatch is how many records one transaction takes over.
const salvageBatch = 5000

// salvage makes a new ledger of all that can be reached and is what was
// written, and returns its name.
func (l *Ledger) salvage(in *inspection, now time.Time) (tmp string, err error) {
	f, err := os.CreateTemp(filepath.Dir(l.file), filepath.Base(l.file)+".*.tmp")
	if err != nil {
		return "", err
	}
	tmp = f.Name()
	if err := f.Close(); err != nil {
		return "", err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(tmp))
		}
	}()
	db, _, err := openBolt(tmp, time.Second)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	if err := initialize(db); err != nil {
		return "", err
	}
	if in.image == nil || len(in.image.problems) == 0 {
		l.report.Problems = append(l.report.Problems, in.whole.Error())
	}
	bad, err := l.takeOver(in, db)
	if err != nil {
		return "", err
	}
	if in.image != nil {
		l.report.Problems = append(l.report.Problems, in.image.problems...)
	}
	if len(bad) > 0 {
		if err := keepAside(l.file, bad, now); err != nil {
			return "", fmt.Errorf("set records aside: %w", err)
		}
		l.report.SideFile = l.file + sideSuffix
	}
	return tmp, db.Update(func(tx *bbolt.Tx) error {
		for _, b := range bad {
			l.report.SetAside[b.bucket]++
			if b.bucket == bucketPauses {
				if _, err := pauseAgain(tx, b.key, now); err != nil {
					return err
				}
			}
		}
		if err := rebuildIndexes(tx); err != nil {
			return err
		}
		if err := recount(tx); err != nil {
			return err
		}
		return distrust(tx, now)
	})
}

// takeOver copies the sound records and returns the others. The indexes are
// made anew by whoever calls it.
func (l *Ledger) takeOver(in *inspection, db *bbolt.DB) (bad []badRecord, err error) {
	if in.image == nil || in.image.pageSize == 0 {
		return nil, nil // Not even the beginning is there.
	}
	type pair struct {
		bucket     string
		key, value []byte
	}
	var batch []pair
	write := func() error {
		defer func() { batch = batch[:0] }()
		return db.Update(func(tx *bbolt.Tx) error {
			for _, p := range batch {
				if err := bucket(tx, p.bucket).Put(p.key, p.value); err != nil {
					return err
				}
			}
			return nil
		})
	}
	_, visitErr := in.visit(func(string, uint64) {}, func(name string, key, value []byte) {
		if isIndex(name) || err != nil {
			return
		}
		key, value = bytes.Clone(key), bytes.Clone(value)
		if _, unsealed := unseal(name, key, value); unsealed != nil {
			if in.schema >= sealedSchema || !bareOK(name, value) {
				bad = append(bad, badRecord{name, key, value, unsealed})
				return
			}
			value = seal(name, key, value)
		}
		l.report.Salvaged[name]++
		batch = append(batch, pair{name, key, value})
		if len(batch) == salvageBatch {
			err = write()
		}
	})
	if err == nil {
		err = write()
	}
	if errors.Is(visitErr, ErrNewer) {
		err = errors.Join(err, visitErr)
	}
	return bad, err
}
