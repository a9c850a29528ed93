package process

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"time"

	"github.com/go-kit/log/level"
)

const (
	// aliveAfter is how long a replica without a probe must have run to be ready.
	aliveAfter = time.Second
	// startInterval is how often a starting replica is probed, for the first
	// startPatience; after that it is probed like any other.
	startInterval = 100 * time.Millisecond
	startPatience = 10 * time.Second
	// failuresUnready is how many probes in a row must fail for a ready
	// replica to be unready: one lost to a busy moment is not an outage.
	failuresUnready = 3
)

// watchReady keeps r.ready right until ctx is done, and returns whether it ever was.
func (r *replica) watchReady(ctx context.Context, port int) bool {
	cfg := r.pool.cfg.Ready
	if cfg == nil {
		if !sleep(ctx, r.pool.aliveAfter) {
			return false
		}
		r.setReady(true, nil)
		<-ctx.Done()
		return true
	}
	url := "http://" + net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) + cfg.HTTPPath
	started := time.Now()
	var ready, wasReady bool
	for failures := 0; ; {
		err := r.pool.probe(ctx, url, time.Duration(cfg.Timeout))
		if failures++; err == nil {
			failures = 0
		}
		switch {
		case ctx.Err() != nil:
			return wasReady
		case err == nil && !ready:
			ready, wasReady = true, true
			r.setReady(true, nil)
		case ready && failures >= failuresUnready:
			ready = false
			r.setReady(false, err)
		}
		interval := time.Duration(cfg.Interval)
		if !wasReady && time.Since(started) < startPatience {
			interval = min(interval, startInterval)
		}
		if !sleep(ctx, interval) {
			return wasReady
		}
	}
}

func (r *replica) setReady(ready bool, why error) {
	r.pool.update(func() { r.ready = ready })
	if ready {
		level.Debug(r.logger).Log("msg", "replica is ready")
	} else {
		level.Warn(r.logger).Log("msg", "replica is not ready any more", "err", why)
	}
}

// probe asks one replica whether it is ready.
func (p *pool) probe(ctx context.Context, url string, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, http.NoBody)
	if err != nil {
		return err
	}
	req.Header.Set("User-Agent", "alertscaler")
	resp, err := p.client.Do(req)
	if err != nil {
		return err
	}
	_ = resp.Body.Close()
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("probe %s: %s", url, resp.Status)
	}
	return nil
}

// probeClient returns the client of the probes: straight to loopback, one
// connection a probe as a probe should find out whether it can be made, and
// a redirect is an answer.
func probeClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		},
	}
}

// sleep waits for d and reports whether ctx was still not done by then.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-t.C:
		return true
	}
}
