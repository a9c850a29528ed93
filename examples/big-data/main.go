// Big-data runs workers that drain two queues on this host: none while there is
// nothing to do, as many as a backlog needs, within a budget that both share.
//
// Run it with make example-big-data; README.md says what there is to see.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

const queueAddress = "127.0.0.1:19113"

func main() {
	if len(os.Args) > 1 {
		if err := part(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "big-data:", err)
			os.Exit(house.ExitFailed)
		}
		return
	}
	os.Exit(house.Run(house.Options{
		Name:         "big-data",
		Prometheus:   "http://127.0.0.1:19110",
		Alertmanager: "http://127.0.0.1:19111",
		Alertscaler:  "http://127.0.0.1:19112",
		Prepare: func(_ context.Context, h *house.House) error {
			h.Add("queue", "http://"+queueAddress+"/-/ready", h.Bin("big-data"), "queue", "--listen="+queueAddress)
			return nil
		},
	}, tell))
}

// part is one of the programs that the example is made of.
func part(name string, args []string) error {
	switch name {
	case "queue":
		return queue(args)
	case "worker":
		return worker(args)
	}
	return fmt.Errorf("unknown argument %q; the example takes none", name)
}

// serve serves until SIGTERM.
func serve(listen string, handler http.Handler) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(drain)
	}()
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
