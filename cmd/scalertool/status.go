package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"github.com/alertscaler/alertscaler/scaler/status"
)

// registerStatus adds status: the policies of a running server.
func registerStatus(app *kingpin.Application, commands map[string]command) {
	cmd := app.Command("status", "Show the policies of a running server.")
	c := newClient(cmd)
	output := outputFlag(cmd)
	only := cmd.Arg("policy", "Show only this policy.").String()
	commands[cmd.FullCommand()] = func(ctx context.Context, stdout io.Writer) error {
		var statuses []status.Policy
		if *only != "" {
			one, err := c.policy(ctx, *only)
			if err != nil {
				return err
			}
			statuses = append(statuses, one)
		} else if err := c.get(ctx, "/api/v1/policies", &statuses); err != nil {
			return err
		}
		if *output == "json" {
			return printJSON(stdout, statuses)
		}
		return printStatuses(stdout, statuses)
	}
}

// policy asks for one policy.
func (c *client) policy(ctx context.Context, name string) (status.Policy, error) {
	var s status.Policy
	path, err := policyPath(name)
	if err != nil {
		return s, err
	}
	err = c.get(ctx, path, &s)
	return s, err
}

func printStatuses(stdout io.Writer, statuses []status.Policy) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "POLICY\tMODE\tREPLICAS\tREADY\tBOUNDS\tALERTS\tLAST DECISION")
	for i := range statuses {
		s := &statuses[i]
		requested, ready, unread := "?", "?", ""
		n, r := 0, 0
		for _, t := range s.Targets {
			n, r = n+t.Requested, r+t.Ready
			if t.Error != "" {
				unread = t.Name + ": " + t.Error
			}
		}
		if len(s.Targets) > 0 && unread == "" {
			requested, ready = strconv.Itoa(n), strconv.Itoa(r)
		}
		last := "none yet"
		if s.Explanation != "" {
			last = oneLine(s.Explanation)
		}
		if s.Pause != nil {
			last = "PAUSED " + pauseText(s.Pause) + "; " + last
		}
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d..%d\t%s\t%s\n", s.Name, s.Mode, requested, ready, s.Min, s.Max, alertsOf(s), last)
	}
	return w.Flush()
}

func alertsOf(s *status.Policy) string {
	var parts []string
	if s.AlertsUp > 0 {
		parts = append(parts, fmt.Sprintf("%d up", s.AlertsUp))
	}
	if s.AlertsDown > 0 {
		parts = append(parts, fmt.Sprintf("%d down", s.AlertsDown))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}
