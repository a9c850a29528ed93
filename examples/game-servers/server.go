package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// playersInMatch is how many players a match has.
const playersInMatch = 4

// arena is one game server: it holds one match, or none.
type arena struct {
	mu       sync.Mutex // guards what follows
	running  bool
	draining bool
}

// begin begins a match, unless there is one or the server is to go.
func (a *arena) begin() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running || a.draining {
		return false
	}
	a.running = true
	return true
}

func (a *arena) end() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.running = false
}

// drain stops new matches, or allows them again, and reports whether there is
// none now.
func (a *arena) drain(yes bool) (empty bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.draining = yes
	return !a.running
}

func (a *arena) matches() float64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.running {
		return 1
	}
	return 0
}

// server serves one arena.
func server(args []string) error {
	flags := flag.NewFlagSet("server", flag.ContinueOnError)
	listen := flags.String("listen", "127.0.0.1:0", "address to serve on")
	if err := flags.Parse(args); err != nil {
		return err
	}
	a := &arena{}
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "game_match_running", Help: "1 while a match is on."}, a.matches),
		prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: "game_players", Help: "Players on this server."}, func() float64 { return playersInMatch * a.matches() }),
	)
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	// A match is an answer that lasts as long. Its players are thrown out where
	// it is cut off.
	mux.HandleFunc("POST /match", func(w http.ResponseWriter, r *http.Request) {
		takes, err := time.ParseDuration(r.FormValue("takes"))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if !a.begin() {
			http.Error(w, "no match here now", http.StatusConflict)
			return
		}
		defer a.end()
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		select {
		case <-time.After(takes):
		case <-r.Context().Done():
		}
	})
	// The drain hook of Alertscaler: 202 while there is a match, 204 once the
	// server may go.
	mux.HandleFunc("POST /drain", func(w http.ResponseWriter, r *http.Request) {
		var hook struct {
			Action string `json:"action"`
		}
		if err := json.NewDecoder(r.Body).Decode(&hook); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		empty := a.drain(hook.Action == "drain")
		if hook.Action == "drain" && !empty {
			w.WriteHeader(http.StatusAccepted)
			return
		}
		w.WriteHeader(http.StatusNoContent)
	})
	return serve(*listen, mux)
}
