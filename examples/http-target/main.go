// Command http-target is a target that Alertscaler can scale by HTTP, in a few
// lines: a pool of goroutines that take a second to start. Put your own
// replicas in their place. The contract is docs/http-target.md.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"sync"
	"time"
)

func main() {
	http.Handle("/pools/web", newPool(20))
	log.Fatal(http.ListenAndServe("127.0.0.1:8088", nil))
}

// pool is the thing that is scaled.
type pool struct {
	max int

	mu       sync.Mutex // guards what follows
	replicas []*replica
	version  int // of the number of replicas; its ETag
}

type replica struct {
	stop  context.CancelFunc
	ready bool
}

func newPool(most int) *pool { return &pool{max: most} }

// ServeHTTP is the whole contract: GET says what there is, PUT asks for a
// number of replicas.
func (p *pool) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.mu.Lock()
	defer p.mu.Unlock()
	etag := fmt.Sprintf(`"%d"`, p.version)
	switch r.Method {
	case http.MethodGet:
		ready := 0
		for _, rep := range p.replicas {
			if rep.ready {
				ready++
			}
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("ETag", etag)
		fmt.Fprintf(w, `{"requested": %d, "ready": %d, "max": %d}`, len(p.replicas), ready, p.max)
	case http.MethodPut:
		var ask struct{ Desired *int }
		if err := json.NewDecoder(r.Body).Decode(&ask); err != nil || ask.Desired == nil || *ask.Desired < 0 {
			http.Error(w, `want {"desired": 3}`, http.StatusBadRequest)
			return
		}
		if match := r.Header.Get("If-Match"); match != "" && match != etag {
			http.Error(w, "changed by someone else", http.StatusPreconditionFailed)
			return
		}
		if *ask.Desired > p.max {
			http.Error(w, "no room for more", http.StatusInsufficientStorage)
			return
		}
		p.scale(*ask.Desired)
		w.WriteHeader(http.StatusAccepted)
	default:
		w.Header().Set("Allow", "GET, PUT")
		http.Error(w, "only GET and PUT", http.StatusMethodNotAllowed)
	}
}

// scale makes the pool that large. Asked for what it has, it does nothing.
func (p *pool) scale(desired int) {
	if desired != len(p.replicas) {
		p.version++
	}
	for len(p.replicas) > desired {
		last := len(p.replicas) - 1
		p.replicas[last].stop()
		p.replicas = p.replicas[:last]
	}
	for len(p.replicas) < desired {
		ctx, stop := context.WithCancel(context.Background())
		rep := &replica{stop: stop}
		p.replicas = append(p.replicas, rep)
		go p.run(ctx, rep)
	}
}

// run is what a replica does.
func (p *pool) run(ctx context.Context, rep *replica) {
	select {
	case <-time.After(time.Second): // it starts
	case <-ctx.Done():
		return
	}
	p.mu.Lock()
	rep.ready = true
	p.mu.Unlock()
	<-ctx.Done() // it works
}
