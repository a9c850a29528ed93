// Demo runs the whole loop on this host: a real Prometheus with the shipped
// rules, a real Alertmanager, Alertscaler, a handful of HTTP workers and a
// load that rises and falls. It prints what happens and ends with a summary.
//
// Run it with make demo, which sees to the programs it needs.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

// limit is when the demo gives up waiting for what should have happened.
const limit = 7 * time.Minute

func main() {
	err := run(os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) > 0 && args[0] == "worker" {
		return worker(args[1:])
	}
	if len(args) > 0 {
		return fmt.Errorf("unknown argument %q; the demo takes none", args[0])
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()

	home, err := filepath.Abs("examples/demo")
	if err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(home, "alertscaler.yml")); err != nil {
		return fmt.Errorf("run it from the root of the repository: %w", err)
	}
	h, err := newHouse(ctx, home)
	if err != nil {
		return err
	}
	defer h.stop()
	if err := h.start(ctx); err != nil {
		return err
	}
	l := newLoad(alertscalerURL + "/sd/targets")
	loadCtx, endLoad := context.WithCancel(ctx)
	defer endLoad()
	go l.run(loadCtx)

	storyCtx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	s := &story{load: l, house: h, started: time.Now()}
	err = s.tell(storyCtx)
	s.summary(err)
	if err != nil {
		return err
	}
	if os.Getenv("KEEP") == "1" {
		fmt.Printf("\nStill running, with logs in %s:\n  Alertscaler   %s\n  Prometheus    %s\n  Alertmanager  %s\nCtrl-C ends it.\n",
			h.data, alertscalerURL, prometheusURL, alertmanagerURL)
		<-ctx.Done()
	}
	return nil
}

// lookup finds a program by the variable make sets, or on the PATH.
func lookup(variable, name string) (string, error) {
	if p := os.Getenv(variable); p != "" {
		return p, nil
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", fmt.Errorf("%s is not on the PATH; `make demo` builds it: %w", name, errors.Unwrap(err))
	}
	return p, nil
}
