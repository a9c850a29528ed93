package main

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

// lobby finds a server for each match that players want.
type lobby struct {
	servers func(context.Context) ([]string, error)

	mu sync.Mutex // guards what follows
	// wanted is how many matches there should be at a time; a new one begins
	// for each that ends.
	wanted  int
	running int
	begun   int
	// ended are those that were played to their end, lost the others.
	ended, lost int
	next        int
}

// want sets how many matches there should be from now on.
func (l *lobby) want(n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wanted = n
}

// scores is what became of the matches so far.
func (l *lobby) scores() (running, begun, ended, lost int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.running, l.begun, l.ended, l.lost
}

// waiting is how many matches wait for a server.
func (l *lobby) waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return max(0, l.wanted-l.running)
}

// run begins matches until ctx ends, and returns once all are over.
func (l *lobby) run(ctx context.Context) {
	var matches sync.WaitGroup
	defer matches.Wait()
	for ctx.Err() == nil {
		if l.waiting() > 0 {
			l.place(ctx, &matches)
		}
		house.Sleep(ctx, 250*time.Millisecond)
	}
}

// place looks for a server for one match, beginning at another one each time,
// so that idle servers are found among busy ones.
func (l *lobby) place(ctx context.Context, matches *sync.WaitGroup) {
	servers, err := l.servers(ctx)
	if err != nil || len(servers) == 0 {
		return
	}
	l.mu.Lock()
	l.next += 3
	at := l.next
	// Some matches are twice as long as others.
	takes := time.Duration(15+5*(l.begun%4)) * time.Second
	l.mu.Unlock()
	for i := range servers {
		address := servers[(at+i)%len(servers)]
		m, err := begin(ctx, address, takes)
		if err != nil {
			continue // it takes no match now
		}
		l.count(func() { l.running++; l.begun++ })
		matches.Go(func() { l.play(ctx, m) })
		return
	}
}

// play waits for the end of a match.
func (l *lobby) play(ctx context.Context, match io.ReadCloser) {
	defer match.Close()
	_, err := io.Copy(io.Discard, match)
	l.count(func() {
		l.running--
		switch {
		case ctx.Err() != nil:
		case err == nil:
			l.ended++
		default:
			l.lost++
		}
	})
}

func (l *lobby) count(change func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	change()
}

// begin begins a match. What it returns ends with the match, and with an error
// where the players were thrown out.
func begin(ctx context.Context, address string, takes time.Duration) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, fmt.Sprintf("http://%s/match?takes=%s", address, takes), http.NoBody)
	if err != nil {
		return nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		_ = resp.Body.Close()
		return nil, fmt.Errorf("%s: %s", address, resp.Status)
	}
	return resp.Body, nil
}
