package ansible

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strconv"
	"time"

	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Bounds of the programs that count.
const (
	countTimeout   = 30 * time.Second // where the caller has no deadline before
	maxCount       = 64 << 10         // a number
	maxInventory   = 64 << 20         // all hosts with all their variables
	maxErrorOutput = 4 << 10          // what an error quotes
)

// environment is where the programs of a target run.
type environment struct {
	dir string
	env []string
}

func (e *environment) command(argv []string) *exec.Cmd {
	// A path is relative to the server's working directory, not to dir.
	cmd := exec.Command(program.Absolute(argv[0]), argv[1:]...)
	cmd.Dir, cmd.Env = e.dir, e.env
	return cmd
}

// output runs a program that prints limit bytes at most and returns them.
func (e *environment) output(ctx context.Context, op string, argv []string, limit int) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, countTimeout)
	defer cancel()
	a, err := program.Ask(ctx, e.command(argv), limit)
	switch {
	case err != nil && ctx.Err() != nil:
		return nil, failure(op, fmt.Errorf("run %q: %w", argv, ctx.Err()))
	case program.NeverStarts(err):
		return nil, target.Errorf(target.KindPermanent, op, "run %q: %w", argv, err)
	case err != nil:
		return nil, target.Errorf(target.KindTemporary, op, "run %q: %w: %s", argv, err, a.Said())
	case a.Over:
		return nil, target.Errorf(target.KindTemporary, op, "%q printed more than %d bytes: %q", argv, limit, program.Excerpt(a.Stdout))
	}
	return a.Stdout, nil
}

// failure is an error on the way: temporary, whatever it is.
func failure(op string, err error) error {
	return &target.Error{Kind: target.KindTemporary, Op: op, Err: err}
}

// counter is the source that a command is.
type counter struct {
	environment
	argv []string
}

func (c *counter) read(ctx context.Context, op string, _ time.Time) (counts, error) {
	return printed(ctx, op, c, parseCounts, `one whole number or {"requested": 3, "ready": 2}`)
}

// number reads a command that prints nothing but one whole number.
func (c *counter) number(ctx context.Context, op string) (int, error) {
	return printed(ctx, op, c, parseNumber, "one whole number")
}

// printed is what parse, which wants something of it, makes of what the command
// prints.
func printed[N any](ctx context.Context, op string, c *counter, parse func([]byte) (N, bool), want string) (N, error) {
	var n N
	text, err := c.output(ctx, op, c.argv, maxCount)
	if err != nil {
		return n, err
	}
	n, ok := parse(text)
	if !ok {
		return n, target.Errorf(target.KindTemporary, op, "%q printed %q, want %s", c.argv, program.Excerpt(text), want)
	}
	return n, nil
}

func parseNumber(b []byte) (int, bool) {
	n, err := strconv.Atoi(string(bytes.TrimSpace(b)))
	return n, err == nil && n >= 0
}

// parseCounts takes a number for both counts. What is missing is not taken for
// zero.
func parseCounts(b []byte) (counts, bool) {
	if n, ok := parseNumber(b); ok {
		return counts{n, n}, true
	}
	var c struct{ Requested, Ready *int }
	if json.Unmarshal(b, &c) != nil || c.Requested == nil || c.Ready == nil || *c.Requested < 0 || *c.Ready < 0 {
		return counts{}, false
	}
	return counts{*c.Requested, *c.Ready}, true
}
