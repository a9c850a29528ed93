package ledger

import "slices"

// batch is what the next transaction will hold, in the order it arrived.
type batch struct {
	entries   []entry
	histories map[string]history
	lazyBytes int
	// waiters are told how it went; each has room for one answer.
	waiters []chan<- error
}

type entry struct {
	write
	// by is who waits for it; nil where it was enqueued. Those survive a failed
	// transaction; the callers of the others know.
	by chan<- error
}

func (e entry) lazy() bool { return e.by == nil }

// history is the newest state of one policy in a batch.
type history struct {
	value []byte
	// lazy is the newest one that was enqueued; nil: none was.
	lazy []byte
	// by is who waits for value; nil: nobody, it was enqueued.
	by chan<- error
}

func (b *batch) empty() bool { return len(b.entries) == 0 && len(b.histories) == 0 }

// add takes up what somebody waits for, or what was enqueued where by is nil.
func (b *batch) add(e encoded, by chan<- error) {
	lazy := by == nil
	for _, w := range e.writes {
		b.entries = append(b.entries, entry{w, by})
		if lazy {
			b.lazyBytes += w.size()
		}
	}
	if b.histories == nil && len(e.histories) > 0 {
		b.histories = make(map[string]history, len(e.histories))
	}
	for name, value := range e.histories {
		h := b.histories[name]
		h.value, h.by = value, by
		if lazy {
			h.lazy = value
		}
		b.histories[name] = h
	}
}

// withdraw removes what somebody waited for who waits no more. A history that
// it had replaced stays replaced only where one was enqueued.
func (b *batch) withdraw(by chan<- error) {
	b.waiters = slices.DeleteFunc(b.waiters, func(w chan<- error) bool { return w == by })
	b.entries = slices.DeleteFunc(b.entries, func(e entry) bool { return e.by == by })
	for name, h := range b.histories {
		switch {
		case h.by != by:
		case h.lazy == nil:
			delete(b.histories, name)
		default:
			b.histories[name] = history{value: h.lazy, lazy: h.lazy}
		}
	}
}

// keepLazy puts what was enqueued in a failed batch in front of b, the batch
// after it, and returns how many records that are.
func (b *batch) keepLazy(failed *batch) int {
	kept := &batch{histories: b.histories, waiters: b.waiters, lazyBytes: b.lazyBytes}
	for _, e := range failed.entries {
		if e.lazy() {
			kept.entries = append(kept.entries, e)
			kept.lazyBytes += e.size()
		}
	}
	records := len(kept.entries)
	kept.entries = append(kept.entries, b.entries...)
	for name, old := range failed.histories {
		if old.lazy == nil {
			continue
		}
		records++
		h, newer := b.histories[name]
		if !newer {
			h.value, h.by = old.lazy, nil
		}
		if h.lazy == nil {
			h.lazy = old.lazy
		}
		if kept.histories == nil {
			kept.histories = map[string]history{}
		}
		kept.histories[name] = h
	}
	*b = *kept
	return records
}

// lazyRecords counts what would be lost with b.
func (b *batch) lazyRecords() int {
	n := 0
	for _, e := range b.entries {
		if e.lazy() {
			n++
		}
	}
	for _, h := range b.histories {
		if h.lazy != nil {
			n++
		}
	}
	return n
}
