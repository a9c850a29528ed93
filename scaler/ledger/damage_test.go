package ledger

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"
	"go.etcd.io/bbolt"

	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// written is a ledger's file and everything that was ever written to it, as
// JSON, by kind and key.
type written struct {
	file  []byte
	value map[string][]string
}

func (w *written) add(kind, key string, v any) {
	text, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	w.value[kind+" "+key] = append(w.value[kind+" "+key], string(text))
}

// writeSome makes a ledger with all kinds of records and of pages.
func writeSome(t testing.TB, decisions int) *written {
	t.Helper()
	w := &written{value: make(map[string][]string)}
	dir := t.TempDir()
	l, err := Open(Options{Path: dir, Now: start})
	if err != nil {
		t.Fatal(err)
	}
	commit := func(r Record) {
		if err := l.Commit(r); err != nil {
			t.Fatal(err)
		}
		if r.Decision != nil {
			w.add("decision", r.Decision.ID, r.Decision)
		}
		for _, a := range r.Actions {
			w.add("action", a.ID, a)
			w.add("requested", a.Policy+"/"+a.Target, a.To)
		}
		for name, h := range r.Histories {
			w.add("history", name, h)
			h.Distrust(start())
			w.add("history", name, h)
		}
	}
	for i := range decisions {
		name := fmt.Sprintf("policy-%d", i%3)
		at := start().Add(time.Duration(i) * time.Second)
		state := Converged
		if i%10 == 0 {
			state = Accepted
		}
		commit(Record{
			Decision: decision(l, name, at), Actions: []Action{newAction(l, name, "swarm", i+1, state, at)},
			Histories: map[string]policy.History{name: {Since: at, LastSeen: at, Samples: []policy.Sample{{First: at, Last: at, Replicas: i}}}},
		})
	}
	var firing []alerts.Alert
	for i := range max(2, decisions/2) {
		a := alerts.Alert{
			Fingerprint: fmt.Sprintf("%016x", i*7919), Status: alerts.Firing, StartsAt: start(), ReceivedAt: start(), LastSeen: start(),
			Labels: map[string]string{"alertname": "ScaleUp", "instance": strings.Repeat("i", i%50)},
		}
		w.add("alert", a.Fingerprint, a)
		firing = append(firing, a)
	}
	if err := l.SaveAlerts(t.Context(), firing, nil); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"policy-0", "policy-2"} {
		p := policy.Pause{By: "alice", Since: start(), Comment: "maintenance"}
		w.add("pause", name, p)
		w.add("pause", name, policy.Pause{By: "alertscaler", Since: start(), Comment: lostPause})
		if err := l.SavePause(name, p); err != nil {
			t.Fatal(err)
		}
	}
	state := bytes.Repeat([]byte("learnt"), 2000)
	w.add("learnt", "policy-1/cpu", state)
	commit(Record{Learnt: []Learnt{{Policy: "policy-1", Resource: "cpu", State: state}}})
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if w.file, err = os.ReadFile(filepath.Join(dir, fileName)); err != nil {
		t.Fatal(err)
	}
	// Only what is used: bbolt grows the file ahead.
	im, err := openImage(bytes.NewReader(w.file), int64(len(w.file)))
	if err != nil {
		t.Fatal(err)
	}
	w.file = w.file[:im.length()]
	return w
}

// check reads everything and compares it with what was written. It returns how
// many records are missing.
func (w *written) check(t testing.TB, what string, l *Ledger) (missing int) {
	t.Helper()
	found := make(map[string]bool)
	see := func(kind, key string, v any) {
		text, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		name := kind + " " + key
		found[name] = true
		if !slices.Contains(w.value[name], string(text)) {
			t.Errorf("%s: %s is %s, which was never written", what, name, text)
		}
	}
	ds, err := l.Decisions(Query{Limit: 1 << 20})
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	for _, d := range ds {
		see("decision", d.ID, d)
	}
	as, err := l.Actions(Query{Limit: 1 << 20})
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	open := 0
	for _, a := range as {
		see("action", a.ID, a)
		if a.State.Open() {
			open++
		}
	}
	if oa, err := l.OpenActions(); err != nil || len(oa) != open {
		t.Errorf("%s: %d open actions, want %d; %v", what, len(oa), open, err)
	}
	hs, err := l.Histories()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	for name, h := range hs {
		see("history", name, h)
	}
	all, err := l.LoadAlerts()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	for _, a := range all {
		see("alert", a.Fingerprint, a)
	}
	ps, err := l.Pauses()
	if err != nil {
		t.Errorf("%s: %v", what, err)
	}
	for name, p := range ps {
		see("pause", name, p)
	}
	for i := range 3 {
		name := fmt.Sprintf("policy-%d", i)
		if n, known, err := l.LastRequested(name, "swarm"); err != nil {
			t.Errorf("%s: %v", what, err)
		} else if known {
			see("requested", name+"/swarm", n)
		}
	}
	if state, err := l.Learnt("policy-1", "cpu"); err == nil && state != nil {
		see("learnt", "policy-1/cpu", state)
	}
	for name := range w.value {
		if !found[name] {
			missing++
		}
	}
	return missing
}

// mend opens a damaged file as a server would: as it is or, where that is
// refused with advice, repaired. Whatever is missing then was said.
func (w *written) mend(t testing.TB, what string, damaged []byte) (refused bool) {
	t.Helper()
	dir := t.TempDir()
	file := filepath.Join(dir, fileName)
	if err := os.WriteFile(file, damaged, 0o600); err != nil {
		t.Fatal(err)
	}
	var said bytes.Buffer
	o := Options{Path: dir, Now: start, LockTimeout: time.Second, Retention: -1, Logger: log.NewLogfmtLogger(log.NewSyncWriter(&said))}
	l, err := Open(o)
	if err != nil {
		refused = true
		for _, part := range []string{file, "--storage.path"} {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("%s: %q does not say %q", what, err, part)
			}
		}
		if after, readErr := os.ReadFile(file); readErr != nil || !bytes.Equal(after, damaged) {
			t.Errorf("%s: the file was changed: %v", what, readErr)
		}
		if errors.Is(err, ErrNewer) {
			return refused
		}
		if !errors.Is(err, ErrDamaged) || !strings.Contains(err.Error(), "--storage.repair") {
			t.Errorf("%s: %v", what, err)
		}
		o.Repair = true
		if l, err = Open(o); err != nil {
			t.Errorf("%s: not repaired: %v", what, err)
			return refused
		}
		if kept, err := os.ReadFile(l.Report().Damaged); err != nil || !bytes.Equal(kept, damaged) {
			t.Errorf("%s: the damaged file was not kept: %v", what, err)
		}
		if !l.Cautious() {
			t.Errorf("%s: it is repaired, and policies are not careful", what)
		}
	}
	if missing := w.check(t, what, l); missing > 0 && !strings.Contains(said.String(), "level=error") {
		t.Errorf("%s: %d records are missing, and nothing was said", what, missing)
	}
	if err := l.Commit(Record{Decision: decision(l, "policy-0", start())}); err != nil {
		t.Errorf("%s: the mended ledger cannot be written: %v", what, err)
	}
	if err := l.Close(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	// Once mended it is whole.
	said.Reset()
	o.Repair = false
	if l, err = Open(o); err != nil {
		t.Errorf("%s: once more: %v", what, err)
		return refused
	}
	if err := l.Close(); err != nil {
		t.Errorf("%s: %v", what, err)
	}
	if strings.Contains(said.String(), "level=error") {
		t.Errorf("%s: the mended ledger is not whole: %s", what, said.String())
	}
	return refused
}

// TestDamagedLedgers: a damaged ledger opens without what is damaged, or is
// refused with what to do and can be repaired. It never gives back what was not
// written, and never loses anything without a word.
func TestDamagedLedgers(t *testing.T) {
	w := writeSome(t, 60)
	const page = 4096
	pages := len(w.file) / page
	change := func(do func(b []byte)) []byte {
		b := bytes.Clone(w.file)
		do(b)
		return b
	}
	damaged := map[string][]byte{"garbage": bytes.Repeat([]byte("garbage\n"), 4*page), "empty": nil}
	for n := range pages {
		at := n * page
		damaged[fmt.Sprintf("cut off before page %d", n)] = w.file[:at]
		damaged[fmt.Sprintf("page %d zeroed", n)] = change(func(b []byte) { clear(b[at : at+page]) })
		damaged[fmt.Sprintf("page %d overwritten", n)] = change(func(b []byte) { copy(b[at:], bytes.Repeat([]byte{0xee}, page)) })
		damaged[fmt.Sprintf("page %d twice", n)] = change(func(b []byte) { copy(b[at:at+page], b[(n+1)%pages*page:]) })
	}
	r := rand.New(rand.NewPCG(7, 7))
	for i := range 8 * pages {
		at, bit := i/8*page+r.IntN(page), r.IntN(8)
		if i%2 == 0 {
			at = i/8*page + r.IntN(128) // where pages say what they are
		}
		damaged[fmt.Sprintf("bit %d of byte %d of page %d flipped", bit, at%page, at/page)] = change(func(b []byte) { b[at] ^= 1 << bit })
	}
	refused := 0
	for what, b := range damaged {
		if w.mend(t, what, b) {
			refused++
		}
	}
	t.Logf("%d pages, %d damaged ledgers: %d were refused and repaired, %d opened as they were", pages, len(damaged), refused, len(damaged)-refused)
}

// TestALedgerOfAnOlderAlertscaler opens, with everything in it, and has
// checksums from then on.
func TestALedgerOfAnOlderAlertscaler(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, fileName)
	old := oldLedger(t)
	if err := os.WriteFile(file, old, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, run := range []string{"upgraded", "opened again"} {
		l, err := Open(Options{Path: dir, Now: start})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(l.Report().SetAside); n > 0 || l.Cautious() {
			t.Errorf("%s: something was set aside: %+v", run, l.Report())
		}
		checkOld(t, run, l)
		if err := l.Close(); err != nil {
			t.Fatal(err)
		}
	}
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	if in := inspect(f, info.Size()); in.whole != nil || len(in.bad) > 0 || in.schema != schemaVersion {
		t.Errorf("upgraded: schema %d, %d bad records, %v", in.schema, len(in.bad), in.whole)
	}
}

// TestADamagedLedgerOfAnOlderAlertscaler is repaired as well.
func TestADamagedLedgerOfAnOlderAlertscaler(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, fileName), oldLedger(t), 0o600); err != nil {
		t.Fatal(err)
	}
	// Its list of free pages says what cannot be.
	f, err := os.OpenFile(filepath.Join(dir, fileName), os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	im, err := openImage(f, 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(bytes.Repeat([]byte{0xff}, 8), int64(im.meta.freelist)*im.pageSize+pageHeader); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	l := openWith(t, Options{Path: dir, Repair: true})
	if l.Report().Damaged == "" {
		t.Errorf("it was not repaired: %+v", l.Report())
	}
	checkOld(t, "repaired", l)
}

func oldLedger(t *testing.T) []byte {
	t.Helper()
	f, err := os.Open(filepath.Join("testdata", "schema1.db.gz"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	b, err := io.ReadAll(z)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func checkOld(t *testing.T, what string, l *Ledger) {
	t.Helper()
	ds, err := l.Decisions(Query{Policy: "web"})
	as, err2 := l.Actions(Query{Policy: "web"})
	open, err3 := l.OpenActions()
	hs, err4 := l.Histories()
	all, err5 := l.LoadAlerts()
	ps, err6 := l.Pauses()
	n, known, err7 := l.LastRequested("web", "swarm")
	learnt, err8 := l.Learnt("web", "cpu")
	if err := errors.Join(err, err2, err3, err4, err5, err6, err7, err8); err != nil {
		t.Fatalf("%s: %v", what, err)
	}
	if len(ds) != 40 || len(as) != 40 || len(open) != 1 || len(hs) != 1 || len(all) != 1 || all[0].Labels["a"] != "b" ||
		ps["api"].By != "alice" || n != 40 || !known || string(learnt) != "learnt" {
		t.Errorf("%s: %d decisions, %d actions, %d open, %d histories, alerts %v, pauses %v, requested %d, learnt %q",
			what, len(ds), len(as), len(open), len(hs), all, ps, n, learnt)
	}
}

// TestAPageThatSaysItHasOtherElements: the seal of a record does not tell that
// another one is missing.
func TestAPageThatSaysItHasOtherElements(t *testing.T) {
	w := writeSome(t, 12)
	size := os.Getpagesize()
	pages := 0
	for id := 2; (id+1)*size <= len(w.file); id++ {
		page := w.file[id*size:]
		flags, count := native.Uint16(page[8:]), int(native.Uint16(page[10:]))
		if native.Uint64(page) != uint64(id) || (flags != leafPage && flags != branchPage) || count == 0 {
			continue
		}
		pages++
		for _, other := range []int{0, count / 2, count - 1, count + 1} {
			b := bytes.Clone(w.file)
			native.PutUint16(b[id*size+10:], uint16(other))
			w.mend(t, fmt.Sprintf("page %d with %d elements instead of %d", id, other, count), b)
		}
	}
	if pages == 0 {
		t.Error("there is no page with elements")
	}
}

// FuzzDamagedLedger: whatever is changed of a ledger's file.
func FuzzDamagedLedger(f *testing.F) {
	w := writeSome(f, 12)
	f.Add(uint32(0), []byte{0xff}, uint16(0))
	f.Add(uint32(4096), []byte{1, 2, 3, 4}, uint16(0))
	f.Add(uint32(3*4096+10), []byte{0xff, 0xff}, uint16(3))
	f.Fuzz(func(t *testing.T, at uint32, change []byte, cut uint16) {
		b := bytes.Clone(w.file)
		for i, c := range change {
			b[(int(at)+i)%len(b)] ^= c
		}
		w.mend(t, "fuzzed", b[:len(b)-int(cut)%len(b)])
	})
}

// FuzzRecord: a value is taken only for what was written under its key, of
// every kind.
func FuzzRecord(f *testing.F) {
	f.Add([]byte("web"), []byte(`{"observed":"2026-01-05T08:00:00Z"}`), uint16(3), byte(1))
	f.Add([]byte("0123456789abcdef"), []byte(`{"id":"x","steps":[{"name":"bounds"}]}`), uint16(0), byte(0))
	f.Add([]byte("f"), []byte("{"), uint16(1), byte(0xff))
	f.Fuzz(func(t *testing.T, key, payload []byte, at uint16, change byte) {
		kinds := map[string]func() any{
			bucketDecisions: func() any { return new(policy.Decision) }, bucketActions: func() any { return new(Action) },
			bucketHistories: func() any { return new(policy.History) }, bucketRequested: func() any { return new(Requested) },
			bucketAlerts: func() any { return new(alerts.Alert) }, bucketPauses: func() any { return new(policy.Pause) },
		}
		for name, fresh := range kinds {
			if err := decode(name, key, payload, fresh()); err == nil && !bytes.HasSuffix(payload, []byte{sealKind}) {
				t.Errorf("%s: %q was taken without a seal", name, payload)
			}
			value := seal(name, key, bytes.Clone(payload))
			got, err := unseal(name, key, value)
			if err != nil || !bytes.Equal(got, payload) {
				t.Errorf("%s: %q became %q, %v", name, payload, got, err)
			}
			v, plain := fresh(), fresh()
			if sealed, bare := decode(name, key, value, v), json.Unmarshal(payload, plain); (sealed == nil) != (bare == nil) {
				t.Errorf("%s: sealed %v, bare %v", name, sealed, bare)
			}
			if change != 0 {
				value[int(at)%len(value)] ^= change
				if err := decode(name, key, value, fresh()); err == nil {
					t.Errorf("%s: %q was taken after a change", name, value)
				}
			}
			if _, err := unseal(name, append(bytes.Clone(key), 'x'), seal(name, key, bytes.Clone(payload))); err == nil {
				t.Errorf("%s: the value of another key was taken", name)
			}
		}
	})
}

// TestAWholeLedgerIsNeverRefused: whatever was written, removed and pruned, in
// whatever order, what lies on the disk in between is whole.
func TestAWholeLedgerIsNeverRefused(t *testing.T) {
	dir := t.TempDir()
	l := openWith(t, Options{Path: dir, Retention: time.Hour, MaxDecisions: 800})
	r := rand.New(rand.NewPCG(3, 3))
	look := func(round int) {
		t.Helper()
		f, err := os.Open(l.file)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		info, err := f.Stat()
		if err != nil {
			t.Fatal(err)
		}
		in := inspect(f, info.Size())
		if in.whole != nil || len(in.bad) > 0 || in.stale || in.miscounted || in.image.half {
			t.Fatalf("round %d: %v, %d bad records, stale %t, miscounted %t, half %t", round, in.whole, len(in.bad), in.stale, in.miscounted, in.image.half)
		}
	}
	now := start()
	for round := range 60 {
		now = now.Add(time.Duration(r.IntN(600)) * time.Second)
		var put []alerts.Alert
		var gone []string
		for range r.IntN(400) {
			fp := fmt.Sprintf("%x", r.IntN(3000))
			if r.IntN(2) == 0 {
				gone = append(gone, fp)
				continue
			}
			put = append(put, alerts.Alert{Fingerprint: fp, Labels: map[string]string{"l": strings.Repeat("x", r.IntN(3000))}})
		}
		if err := l.SaveAlerts(t.Context(), put, gone); err != nil {
			t.Fatal(err)
		}
		for range r.IntN(100) {
			name := fmt.Sprintf("policy-%d", r.IntN(30))
			l.Enqueue(Record{
				Decision: decision(l, name, now), Actions: []Action{newAction(l, name, "swarm", r.IntN(9), []ActionState{Accepted, Converged}[r.IntN(2)], now)},
				Histories: map[string]policy.History{name: {LastSeen: now}},
				Learnt:    []Learnt{{Policy: name, Resource: "cpu", State: bytes.Repeat([]byte{1}, r.IntN(20000))}},
			})
		}
		l.flush()
		if err := errors.Join(l.pruneRecords(now, true), l.pruneHistories(now, true)); err != nil {
			t.Fatal(err)
		}
		look(round)
	}
}

// TestABucketThatIsNotKnown is left alone where a later alertscaler may have
// made it, and is damage where it may be one of ours under another name.
func TestABucketThatIsNotKnown(t *testing.T) {
	for _, lost := range []bool{false, true} {
		file := filled(t)
		edit(t, file, func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucket([]byte("pausfs"))
			if err == nil && lost {
				err = tx.DeleteBucket([]byte(bucketPauses))
			}
			return errors.Join(err, b.Put([]byte("web"), []byte("{}")))
		})
		l, err := Open(Options{Path: filepath.Dir(file)})
		if err == nil {
			l.Close()
		}
		if errors.Is(err, ErrDamaged) != lost || (err == nil) == lost {
			t.Errorf("a bucket of ours lost %t: %v", lost, err)
		}
	}
}
