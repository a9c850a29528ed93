// Demo runs the whole loop on this host: a real Prometheus with the shipped
// rules, a real Alertmanager, Alertscaler, a handful of HTTP workers and a
// load that rises and falls. It prints what happens and ends with a summary.
//
// Run it with make demo, which sees to the programs it needs.
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

// limit is when the demo gives up waiting for what should have happened.
const limit = 7 * time.Minute

func main() {
	if len(os.Args) > 1 {
		if err := other(os.Args[1], os.Args[2:]); err != nil {
			fmt.Fprintln(os.Stderr, "demo:", err)
			os.Exit(house.ExitFailed)
		}
		return
	}
	os.Exit(house.Run(house.Options{
		Name:         "demo",
		Prometheus:   "http://127.0.0.1:19090",
		Alertmanager: "http://127.0.0.1:19093",
		Alertscaler:  "http://127.0.0.1:19920",
		Limit:        limit,
	}, run))
}

// other is what this program is besides the demo itself.
func other(name string, args []string) error {
	if name != "worker" {
		return fmt.Errorf("unknown argument %q; the demo takes none", name)
	}
	return worker(args)
}

func run(ctx context.Context, h *house.House) error {
	l := newLoad(h)
	h.Go(l.run)
	s := &story{load: l, house: h, started: time.Now()}
	err := s.tell(ctx)
	s.summary(err)
	return err
}
