package house

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// How an example ends.
const (
	// ExitOK: everything happened as it should.
	ExitOK = 0
	// ExitFailed: something did not, or not in time.
	ExitFailed = 1
	// ExitMissing: this machine lacks what the message names.
	ExitMissing = 3
)

const defaultLimit = 10 * time.Minute

// Run runs an example from its start to its end and returns the status to exit
// with. Once all programs are ready it calls tell, whose error says what did
// not happen as it should. Whatever was started has ended when it returns, also
// after Ctrl-C. KEEP=1 in the environment leaves everything running until then.
func Run(o Options, tell func(context.Context, *House) error) int {
	err := run(o, tell)
	if err == nil {
		return ExitOK
	}
	fmt.Fprintf(os.Stderr, "%s: %s\n", o.Name, err)
	if errors.Is(err, errMissing) {
		return ExitMissing
	}
	return ExitFailed
}

func run(o Options, tell func(context.Context, *House) error) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if o.Limit == 0 {
		o.Limit = defaultLimit
	}
	h, err := New(ctx, o)
	if err != nil {
		return interrupted(ctx, err)
	}
	defer h.Stop()
	if err := h.Start(ctx); err != nil {
		return interrupted(ctx, err)
	}
	storyCtx, cancel := context.WithTimeout(ctx, o.Limit)
	defer cancel()
	if err := tell(storyCtx, h); err != nil {
		return interrupted(ctx, err)
	}
	if os.Getenv("KEEP") == "1" {
		fmt.Printf("\nStill running, with logs in %s:\n  Alertscaler   %s\n  Prometheus    %s\n  Alertmanager  %s\nCtrl-C ends it.\n",
			h.Data, o.Alertscaler, o.Prometheus, o.Alertmanager)
		<-ctx.Done()
	}
	return nil
}

// interrupted is err, unless it comes of Ctrl-C: then nobody asks for more.
func interrupted(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return errors.New("interrupted")
	}
	return err
}
