package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// web is one replica of the service. A request costs it some CPU, and fails
// where it asks for that, as those do that need a database which is down.
func web(args []string) error {
	flags := flag.NewFlagSet("web", flag.ContinueOnError)
	listen := flags.String("listen", ":8080", "address to serve on")
	cost := flags.Duration("cost", 2*time.Millisecond, "CPU time of one request")
	// A load balancer needs a moment to learn that a replica goes; until then
	// it is served.
	linger := flags.Duration("linger", 2*time.Second, "how long to go on serving after SIGTERM")
	if err := flags.Parse(args); err != nil {
		return err
	}
	reg := prometheus.NewRegistry()
	requests := promauto.With(reg).NewCounterVec(prometheus.CounterOpts{
		Name: "http_requests_total", Help: "Requests by their status.",
	}, []string{"code"})
	// Both are there from the start: an error that shows up as a new series
	// would have no rate.
	ok, failed := requests.WithLabelValues("200"), requests.WithLabelValues("500")
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		for end := time.Now().Add(*cost); time.Now().Before(end); {
			continue
		}
		if r.FormValue("database") == "down" {
			failed.Inc()
			http.Error(w, "the database is down", http.StatusInternalServerError)
			return
		}
		ok.Inc()
		fmt.Fprintln(w, "hello")
	})
	mux.Handle("GET /metrics", promhttp.HandlerFor(reg, promhttp.HandlerOpts{}))

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: *listen, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		time.Sleep(*linger)
		drain, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(drain)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
