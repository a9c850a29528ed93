package main

import (
	"context"
	"flag"
	"fmt"
	"net/http"
	"os/signal"
	"strconv"
	"syscall"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

// worker is one replica: it takes one job after another from a queue. At
// SIGTERM it finishes the one that it has.
func worker(args []string) error {
	flags := flag.NewFlagSet("worker", flag.ContinueOnError)
	queue := flags.String("queue", "", "URL of the queue")
	listen := flags.String("listen", "127.0.0.1:0", "address to serve on")
	takes := flags.Duration("takes", 250*time.Millisecond, "how long a job takes")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	drained := make(chan struct{})
	go func() {
		defer close(drained)
		drain(ctx, *queue, *takes)
	}()
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	err := serve(*listen, mux)
	<-drained
	return err
}

// drain does jobs until ctx ends.
func drain(ctx context.Context, queue string, takes time.Duration) {
	// What was taken is finished, whatever happens meanwhile.
	own := context.WithoutCancel(ctx)
	for ctx.Err() == nil {
		var job int
		if err := house.Post(own, queue+"/take", &job); err != nil {
			house.Sleep(ctx, 200*time.Millisecond)
			continue
		}
		time.Sleep(takes)
		for try := range 5 {
			if house.Post(own, queue+"/done?job="+strconv.Itoa(job), nil) == nil {
				break
			}
			time.Sleep(time.Duration(try) * 100 * time.Millisecond)
		}
	}
}
