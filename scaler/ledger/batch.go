package ledger

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
	// lazy entries survive a failed transaction; the others' callers know.
	lazy bool
}

// history is the newest state of one policy in a batch.
type history struct {
	value []byte
	// lazy is the newest one that was enqueued; nil: none was.
	lazy []byte
}

func (b *batch) empty() bool { return len(b.entries) == 0 && len(b.histories) == 0 }

func (b *batch) add(e encoded, lazy bool) {
	for _, w := range e.writes {
		b.entries = append(b.entries, entry{w, lazy})
		if lazy {
			b.lazyBytes += w.size()
		}
	}
	if b.histories == nil && len(e.histories) > 0 {
		b.histories = make(map[string]history, len(e.histories))
	}
	for name, value := range e.histories {
		h := b.histories[name]
		h.value = value
		if lazy {
			h.lazy = value
		}
		b.histories[name] = h
	}
}

// keepLazy puts what was enqueued in a failed batch in front of b, the batch
// after it, and returns how many records that are.
func (b *batch) keepLazy(failed *batch) int {
	kept := &batch{histories: b.histories, waiters: b.waiters, lazyBytes: b.lazyBytes}
	for _, e := range failed.entries {
		if e.lazy {
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
			h.value = old.lazy
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
		if e.lazy {
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
