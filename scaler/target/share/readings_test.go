package share_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/alertscaler/alertscaler/scaler/recovery"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// library is something that is read, slowly. In it are all things but those
// whose names begin with "no".
type library struct {
	mu    sync.Mutex // guards what follows
	took  time.Duration
	fail  error
	calls [][]string // what was asked for, each call sorted
	ended int        // calls that were given up
}

func (l *library) fetch(ctx context.Context, keys []string) (map[string]int, error) {
	l.mu.Lock()
	l.calls = append(l.calls, slices.Sorted(slices.Values(keys)))
	n, took, fail := len(l.calls), l.took, l.fail
	l.mu.Unlock()
	select {
	case <-time.After(took):
	case <-ctx.Done():
		l.mu.Lock()
		defer l.mu.Unlock()
		l.ended++
		return nil, ctx.Err()
	}
	out := make(map[string]int)
	for _, k := range keys {
		if !strings.HasPrefix(k, "no") {
			out[k] = n
		}
	}
	return out, fail
}

// set changes how long calls take, and how they fail.
func (l *library) set(took time.Duration, fail error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.took, l.fail = took, fail
}

// seen are the calls so far, and how many of them were given up.
func (l *library) seen() (calls [][]string, ended int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.calls), l.ended
}

// bubble runs a test over a library that takes a second, in virtual time. What
// is read is good for two.
func bubble(t *testing.T, test func(*testing.T, *library, *share.Readings[string, int])) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		l := &library{took: time.Second}
		test(t, l, &share.Readings[string, int]{Fetch: l.fetch, Age: 2 * time.Second})
		synctest.Wait() // whoever reads beside the test is done
	})
}

// want reads a thing and wants the answer to the call of this number.
func want(t *testing.T, r *share.Readings[string, int], key string, since time.Time, call int) {
	t.Helper()
	if n, err := r.Get(t.Context(), key, since); err != nil || n != call {
		t.Errorf("%s is of call %d, %v, want that of call %d", key, n, err, call)
	}
}

func TestReadingsAreSharedForAWhile(t *testing.T) {
	bubble(t, func(t *testing.T, l *library, r *share.Readings[string, int]) {
		began := time.Now()
		for range 9 {
			go want(t, r, "web", time.Time{}, 1)
		}
		synctest.Wait()
		time.Sleep(500 * time.Millisecond)
		want(t, r, "web", time.Time{}, 1)
		if took := time.Since(began); took != time.Second {
			t.Errorf("ten readings took %v, want the one second of one", took)
		}
		time.Sleep(time.Second - 1)
		want(t, r, "web", time.Time{}, 1)
		time.Sleep(time.Nanosecond)
		want(t, r, "web", time.Time{}, 2) // two seconds after it began, and one after it ended
		want(t, r, "api", time.Time{}, 3)
		if calls, _ := l.seen(); len(calls) != 3 {
			t.Errorf("calls %v, want three", calls)
		}
		time.Sleep(time.Minute)
		want(t, r, "api", time.Time{}, 4)
		if n := r.Len(); n != 1 {
			t.Errorf("%d things are known, and one is of any use", n)
		}
	})
}

func TestReadingsForget(t *testing.T) {
	bubble(t, func(t *testing.T, l *library, r *share.Readings[string, int]) {
		r.Forget("web")
		want(t, r, "web", time.Time{}, 1)
		r.Forget("web")
		go want(t, r, "web", time.Time{}, 2)
		synctest.Wait()
		r.Forget("web") // while it is read
		want(t, r, "web", time.Time{}, 3)
		want(t, r, "web", time.Time{}, 3)
		if _, ended := l.seen(); ended != 0 {
			t.Errorf("%d calls were given up that somebody waits for", ended)
		}
	})
}

// TestReadingsSince: who needs it younger waits for the call under way, so that
// there is one at a time, and then has one more made.
func TestReadingsSince(t *testing.T) {
	bubble(t, func(t *testing.T, l *library, r *share.Readings[string, int]) {
		go want(t, r, "web", time.Now(), 1)
		time.Sleep(time.Millisecond)
		for range 3 {
			go want(t, r, "web", time.Now(), 2)
		}
		synctest.Wait()
		if calls, _ := l.seen(); len(calls) != 1 {
			t.Errorf("%d calls at once", len(calls))
		}
		time.Sleep(2 * time.Second)
		want(t, r, "web", time.Time{}, 2)
		l.set(0, nil)
		want(t, r, "web", time.Now(), 3)
	})
}

// TestReadingsCallers: one caller's end is not another's, and a call ends with
// the last of them.
func TestReadingsCallers(t *testing.T) {
	bubble(t, func(t *testing.T, l *library, r *share.Readings[string, int]) {
		impatient, cancel := context.WithCancel(t.Context())
		leave := func() {
			if _, err := r.Get(impatient, "web", time.Time{}); !errors.Is(err, context.Canceled) {
				t.Errorf("the impatient one: %v", err)
			}
		}
		go leave()
		synctest.Wait()
		go want(t, r, "web", time.Time{}, 1)
		synctest.Wait()
		cancel()
		synctest.Wait()
		leave() // before it even asks
		if _, ended := l.seen(); ended != 0 {
			t.Error("the call was given up while somebody waits for it")
		}
		time.Sleep(3 * time.Second)
		impatient, cancel = context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		if _, err := r.Get(impatient, "web", time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("the lonely one: %v", err)
		}
		synctest.Wait()
		if _, ended := l.seen(); ended != 1 {
			t.Error("the call goes on, and nobody waits for it")
		}
		want(t, r, "web", time.Time{}, 3)
	})
}

func TestReadingsErrors(t *testing.T) {
	bubble(t, func(t *testing.T, l *library, r *share.Readings[string, int]) {
		noAnswer := errors.New("no answer")
		l.set(time.Second, noAnswer)
		for range 2 { // an error is not kept
			if n, err := r.Get(t.Context(), "web", time.Time{}); !errors.Is(err, noAnswer) {
				t.Errorf("%d, %v, want that there is no answer", n, err)
			}
		}
		l.set(time.Second, nil)
		want(t, r, "web", time.Time{}, 3)
		want(t, r, "nothing", time.Time{}, 0)
		l.set(time.Hour, nil)
		if _, err := r.Get(t.Context(), "slow", time.Time{}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v of a call that takes an hour", err)
		}
		broken := share.Readings[string, int]{Fetch: share.Only(func(context.Context, string) (int, error) { panic("broken") })}
		if _, err := broken.Get(t.Context(), "web", time.Time{}); recovery.Of(err) == nil {
			t.Errorf("%v, want the panic", err)
		}
	})
}

// TestReadingsTogether: with what is asked for goes what others use and is old,
// as many a call as there may be, and each shelf by itself.
func TestReadingsTogether(t *testing.T) {
	bubble(t, func(t *testing.T, l *library, r *share.Readings[string, int]) {
		r.PerCall, r.Together = 2, func(a, b string) bool { return a[0] == b[0] }
		var releases []func()
		for _, key := range []string{"a1", "a2", "a3", "a4", "a5", "b1"} {
			releases = append(releases, r.Use(key))
		}
		releases = append(releases, r.Use("a5"))
		for _, release := range releases[3:5] {
			release() // a4 goes, and a5 stays for somebody else
			release()
		}
		if _, err := r.Get(t.Context(), "a1", time.Time{}); err != nil {
			t.Fatal(err)
		}
		var got []string
		calls, _ := l.seen()
		for _, call := range calls {
			got = append(got, call...)
			if len(call) > 2 {
				t.Errorf("%v by one call", call)
			}
		}
		slices.Sort(got)
		if fmt.Sprint(got) != "[a1 a2 a3 a5]" || len(calls) != 2 {
			t.Errorf("calls %v, want a1, a2, a3 and a5 by two", calls)
		}
		for _, key := range []string{"a1", "a2", "a3", "a5"} {
			if n, err := r.Get(t.Context(), key, time.Time{}); err != nil || n == 0 {
				t.Errorf("%s: %d, %v", key, n, err)
			}
		}
		if calls, _ := l.seen(); len(calls) != 2 {
			t.Errorf("calls %v: what was read is read again", calls)
		}
		r.Forget("a3")
		want(t, r, "a3", time.Time{}, 3)
		if calls, _ := l.seen(); !slices.Equal(calls[2], []string{"a3"}) {
			t.Errorf("%v by the third call, want a3 alone", calls[2])
		}
		time.Sleep(time.Minute)
		for _, release := range releases {
			release()
		}
		if n := r.Len(); n != 0 {
			t.Errorf("%d things are left", n)
		}
	})
}
