package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// phase is a stretch of time with one request rate.
type phase struct {
	name  string
	rate  float64 // requests per second
	lasts time.Duration
}

// phases is the load of the demo: it rises, stays, and falls for good.
var phases = []phase{
	{"calm", 4, 15 * time.Second},
	{"rush", 40, 75 * time.Second},
	{"calm", 4, time.Hour},
}

// load sends requests to the replicas, as a load balancer in front of them
// would: each in turn, and once more to another where one is gone.
type load struct {
	discovery string
	client    *http.Client

	served, failed atomic.Int64
	rate           atomic.Value // phase
	next           atomic.Uint64

	mu       sync.Mutex // guards replicas
	replicas []string
}

func newLoad(discovery string) *load {
	l := &load{discovery: discovery, client: &http.Client{Timeout: 5 * time.Second}}
	l.rate.Store(phases[0])
	return l
}

// run sends until ctx ends.
func (l *load) run(ctx context.Context) {
	go l.discover(ctx)
	var inFlight sync.WaitGroup
	defer inFlight.Wait()
	slots := make(chan struct{}, 200)
	for _, p := range phases {
		l.rate.Store(p)
		tick := time.NewTicker(time.Duration(float64(time.Second) / p.rate))
		over := time.After(p.lasts)
		for running := true; running; {
			select {
			case <-ctx.Done():
				tick.Stop()
				return
			case <-over:
				running = false
			case <-tick.C:
				slots <- struct{}{}
				inFlight.Go(func() {
					l.send(ctx)
					<-slots
				})
			}
		}
		tick.Stop()
	}
}

func (l *load) send(ctx context.Context) {
	for range 2 {
		replica, ok := l.pick()
		if ok && l.get(ctx, "http://"+replica+"/") == nil {
			l.served.Add(1)
			return
		}
	}
	if ctx.Err() == nil {
		l.failed.Add(1)
	}
}

func (l *load) get(ctx context.Context, url string) error {
	return getJSON(ctx, l.client, url, nil)
}

func (l *load) pick() (string, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.replicas) == 0 {
		return "", false
	}
	return l.replicas[l.next.Add(1)%uint64(len(l.replicas))], true
}

// discover follows the replicas the way Prometheus does, by HTTP SD.
func (l *load) discover(ctx context.Context) {
	for ctx.Err() == nil {
		var groups []struct {
			Targets []string `json:"targets"`
		}
		if err := getJSON(ctx, l.client, l.discovery, &groups); err == nil {
			var all []string
			for _, g := range groups {
				all = append(all, g.Targets...)
			}
			l.mu.Lock()
			l.replicas = all
			l.mu.Unlock()
		}
		sleep(ctx, 500*time.Millisecond)
	}
}

// getJSON reads url, and its body into v unless that is nil.
func getJSON(ctx context.Context, client *http.Client, url string, v any) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s", url, resp.Status)
	}
	if v == nil {
		_, err = io.Copy(io.Discard, resp.Body)
		return err
	}
	return json.NewDecoder(resp.Body).Decode(v)
}

// sleep waits for d or the end of ctx.
func sleep(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}
