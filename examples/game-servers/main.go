// Game-servers runs game servers that hold one match each on this host: two
// idle ones are kept for whoever comes next, and none goes while a match is on
// it.
//
// Run it with make example-game-servers; README.md says what there is to see.
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

func main() {
	if len(os.Args) > 1 {
		if err := part(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "game-servers:", err)
			os.Exit(house.ExitFailed)
		}
		return
	}
	os.Exit(house.Run(house.Options{
		Name:         "game-servers",
		Prometheus:   "http://127.0.0.1:19150",
		Alertmanager: "http://127.0.0.1:19151",
		Alertscaler:  "http://127.0.0.1:19152",
	}, tell))
}

// part is one of the programs that the example is made of.
func part(name string, args []string) error {
	if name == "server" {
		return server(args)
	}
	return fmt.Errorf("unknown argument %q; the example takes none", name)
}

// serve serves until SIGTERM. A match that is on then is cut off.
func serve(listen string, handler http.Handler) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s := &http.Server{Addr: listen, Handler: handler, ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		_ = s.Close()
	}()
	if err := s.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}
