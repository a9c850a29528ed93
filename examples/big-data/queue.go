package main

import (
	"flag"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// leaseFor is how long a worker may take for a job before another gets it.
const leaseFor = 30 * time.Second

// jobs is one queue, in memory. A job is a number.
type jobs struct {
	mu      sync.Mutex // guards what follows
	last    int
	waiting []int
	leased  map[int]time.Time // until when
	done    int
}

// add adds n jobs.
func (q *jobs) add(n int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for range n {
		q.last++
		q.waiting = append(q.waiting, q.last)
	}
}

// take leases the oldest job. One whose worker has not come back goes first.
func (q *jobs) take(now time.Time) (job int, ok bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for job, until := range q.leased {
		if now.After(until) {
			q.leased[job] = now.Add(leaseFor)
			return job, true
		}
	}
	if len(q.waiting) == 0 {
		return 0, false
	}
	job, q.waiting = q.waiting[0], q.waiting[1:]
	q.leased[job] = now.Add(leaseFor)
	return job, true
}

// finish ends a job, once.
func (q *jobs) finish(job int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, ok := q.leased[job]; ok {
		delete(q.leased, job)
		q.done++
	}
}

// counts are what is still to do, jobs under way included, and what is done.
func (q *jobs) counts() (backlog, done int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.waiting) + len(q.leased), q.done
}

// queue serves the two queues: POST /{queue}/add?n=, /take and /done?job=.
func queue(args []string) error {
	flags := flag.NewFlagSet("queue", flag.ContinueOnError)
	listen := flags.String("listen", queueAddress, "address to serve on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	return serve(*listen, queueHandler("etl", "reports"))
}

func queueHandler(names ...string) http.Handler {
	reg := prometheus.NewRegistry()
	mux := http.NewServeMux()
	for _, name := range names {
		q := &jobs{leased: make(map[int]time.Time)}
		labels := prometheus.Labels{"queue": name}
		reg.MustRegister(
			prometheus.NewGaugeFunc(prometheus.GaugeOpts{
				Name: "queue_backlog", Help: "Jobs that wait or are under way.", ConstLabels: labels,
			}, func() float64 { backlog, _ := q.counts(); return float64(backlog) }),
			prometheus.NewCounterFunc(prometheus.CounterOpts{
				Name: "queue_jobs_done_total", Help: "Jobs that were done.", ConstLabels: labels,
			}, func() float64 { _, done := q.counts(); return float64(done) }),
		)
		mux.HandleFunc("POST /"+name+"/add", func(w http.ResponseWriter, r *http.Request) {
			n, err := strconv.Atoi(r.FormValue("n"))
			if err != nil || n < 0 {
				http.Error(w, "n must be a number of jobs", http.StatusBadRequest)
				return
			}
			q.add(n)
		})
		mux.HandleFunc("POST /"+name+"/take", func(w http.ResponseWriter, _ *http.Request) {
			job, ok := q.take(time.Now())
			if !ok {
				http.Error(w, "nothing to do", http.StatusNotFound)
				return
			}
			fmt.Fprintln(w, job)
		})
		mux.HandleFunc("POST /"+name+"/done", func(w http.ResponseWriter, r *http.Request) {
			job, err := strconv.Atoi(r.FormValue("job"))
			if err != nil {
				http.Error(w, "job must be a number", http.StatusBadRequest)
				return
			}
			q.finish(job)
		})
	}
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	return mux
}
