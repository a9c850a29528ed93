package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/oklog/run"

	"github.com/alertscaler/alertscaler/scaler/config"
)

// reloadTimeout bounds how long a reload that the end of the server has
// cancelled is waited for.
const reloadTimeout = 10 * time.Second

// errStopping is why a reload ends that the end of the server cancels.
var errStopping = errors.New("the server is shutting down")

// addSignals ends the group at SIGINT and SIGTERM, and reloads at SIGHUP. The
// two have channels and actors of their own, so that none is lost behind the
// other, and a reload does not keep the end from being heard: it is cancelled.
// Of the SIGHUPs that come during a reload one is left, since the next reload
// sees what all of them were sent for.
func addSignals(g *run.Group, c *config.Coordinator, logger log.Logger) {
	end, hangup := make(chan os.Signal, 1), make(chan os.Signal, 1)
	signal.Notify(end, os.Interrupt, syscall.SIGTERM)
	signal.Notify(hangup, syscall.SIGHUP)
	ctx, cancel := context.WithCancelCause(context.Background())
	stop := func(error) { cancel(errStopping) }
	g.Add(func() error {
		defer signal.Stop(end)
		select {
		case <-ctx.Done():
		case s := <-end:
			level.Info(logger).Log("msg", "shutting down", "signal", s)
		}
		return nil
	}, stop)
	g.Add(func() error {
		defer signal.Stop(hangup)
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			reload(ctx, c, hangup, logger)
		}()
		<-ctx.Done()
		select {
		case <-ended:
		case <-time.After(reloadTimeout):
			level.Warn(logger).Log("msg", "a reload does not end, going on without it", "waited", reloadTimeout)
		}
		return nil
	}, stop)
}

// reload loads the configuration at each signal until ctx is done.
func reload(ctx context.Context, c *config.Coordinator, hangup <-chan os.Signal, logger log.Logger) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-hangup:
		}
		if err := c.Reload(ctx); err != nil {
			level.Error(logger).Log("msg", "configuration not reloaded, the old one stays in force", "err", err)
		}
	}
}
