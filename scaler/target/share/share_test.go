package share_test

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// conn is a client that notes its end.
type conn struct{ ended atomic.Int32 }

func (c *conn) end() { c.ended.Add(1) }

func dial() (*conn, error) { return new(conn), nil }

func get(t *testing.T, p *share.Pool[string, *conn], key string, content share.Sum) *share.Lease[*conn] {
	t.Helper()
	l, err := p.Get(key, content, dial, (*conn).end)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPoolSharesByKeyAndContent(t *testing.T) {
	var p share.Pool[string, *conn]
	one, two := share.Sum{1}, share.Sum{2}
	a, b := get(t, &p, "east", one), get(t, &p, "east", one)
	if a.Client != b.Client {
		t.Error("two leases of one key and content have two clients")
	}
	if get(t, &p, "west", one).Client == a.Client || get(t, &p, "east", two).Client == a.Client {
		t.Error("another key, or another content, has the same client")
	}
	a.Close()
	a.Close()
	if n := a.Client.ended.Load(); n != 0 {
		t.Fatalf("ended %d times while there is another lease", n)
	}
	b.Close()
	if n := a.Client.ended.Load(); n != 1 {
		t.Errorf("ended %d times after its last lease, want once", n)
	}
	if get(t, &p, "east", one).Client == a.Client {
		t.Error("a client that has ended was lent again")
	}
}

func TestPoolKeepsTheClientOfACallInFlight(t *testing.T) {
	var p share.Pool[string, *conn]
	l := get(t, &p, "east", share.Sum{})
	done := l.Use()
	l.Close()
	if l.Client.ended.Load() != 0 {
		t.Fatal("the client ended while a call uses it")
	}
	// It is the one to be had, still.
	again := get(t, &p, "east", share.Sum{})
	if again.Client != l.Client {
		t.Error("another client, while a call uses the first")
	}
	again.Close()
	done()
	done()
	if n := l.Client.ended.Load(); n != 1 {
		t.Errorf("ended %d times after its last call, want once", n)
	}
}

func TestPoolTriesAgainWhatCouldNotBeMade(t *testing.T) {
	var p share.Pool[string, *conn]
	refused := errors.New("no certificate")
	if _, err := p.Get("east", share.Sum{}, func() (*conn, error) { return nil, refused }, (*conn).end); !errors.Is(err, refused) {
		t.Errorf("%v, want what build says", err)
	}
	func() {
		defer func() { _ = recover() }()
		_, _ = p.Get("east", share.Sum{}, func() (*conn, error) { panic("no certificate") }, (*conn).end)
	}()
	if l := get(t, &p, "west", share.Sum{}); l.Client == nil {
		t.Error("no client")
	}
	if l := get(t, &p, "east", share.Sum{}); l.Client == nil {
		t.Error("no client, after one that could not be made")
	}
}

// TestPoolMakesOneAtATimePerKey has many ask at once, for a client that takes
// its time; another one is to be had meanwhile.
func TestPoolMakesOneAtATimePerKey(t *testing.T) {
	var p share.Pool[string, *conn]
	var made atomic.Int32
	begun, goOn := make(chan struct{}), make(chan struct{})
	slow := func() (*conn, error) {
		made.Add(1)
		close(begun)
		<-goOn
		return dial()
	}
	var asking sync.WaitGroup
	leases := make([]*share.Lease[*conn], 8)
	for i := range leases {
		asking.Go(func() { leases[i], _ = p.Get("slow", share.Sum{}, slow, (*conn).end) })
	}
	<-begun
	get(t, &p, "east", share.Sum{}).Close()
	close(goOn)
	asking.Wait()
	if n := made.Load(); n != 1 {
		t.Errorf("made %d times, want once", n)
	}
	for _, l := range leases {
		l.Close()
	}
	if n := leases[0].Client.ended.Load(); n != 1 {
		t.Errorf("ended %d times, want once", n)
	}
}

func TestAlone(t *testing.T) {
	c := new(conn)
	l := share.Alone(c, (*conn).end)
	l.Close()
	if l.Client != c || c.ended.Load() != 1 {
		t.Errorf("ended %d times, want once", c.ended.Load())
	}
}

func TestFiles(t *testing.T) {
	dir := t.TempDir()
	write := func(name, content string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	ca, key := write("ca", "one"), write("key", "two")
	missing := filepath.Join(dir, "token")
	was := share.Files(ca, key, missing)
	if share.Files(ca, "", key, missing) != was {
		t.Error("another sum of the same content")
	}
	changes := []func(){
		func() { write("key", "owt") },
		func() { write("ca", "onetwo"); write("key", "") },
		func() { write("token", "") },
		func() {
			if err := os.Remove(ca); err != nil {
				t.Fatal(err)
			}
		},
	}
	for i, change := range changes {
		change()
		now := share.Files(ca, key, missing)
		if now == was {
			t.Errorf("the same sum after change %d", i)
		}
		was = now
	}
	if was.Add([]byte("a"), []byte("b")) == was.Add([]byte("ab")) {
		t.Error("the same sum of two texts and of one")
	}
}

func TestPoolUse(t *testing.T) {
	var p share.Pool[string, *int]
	build := func() *int { return new(int) }
	a, leave := p.Use("east", build)
	b, leaveToo := p.Use("east", build)
	if other, _ := p.Use("west", build); a != b || other == a || p.Len() != 2 {
		t.Errorf("one key: %p and %p, another: %p, of %d", a, b, other, p.Len())
	}
	leave()
	leave()
	if c, leave := p.Use("east", build); c != b {
		t.Error("what is in use was made again")
	} else {
		leave()
	}
	leaveToo()
	if p.Len() != 1 {
		t.Errorf("%d are there, want the one in use", p.Len())
	}
}
