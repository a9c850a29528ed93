package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/alecthomas/kingpin/v2"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// registerExplain adds explain: why a policy has the replicas it has.
func registerExplain(app *kingpin.Application, commands map[string]command) {
	cmd := app.Command("explain", "Show the last decision of a policy of a running server, step by step.")
	c := newClient(cmd)
	output := outputFlag(cmd)
	name := cmd.Arg("policy", "The policy to explain.").Required().String()
	commands[cmd.FullCommand()] = func(ctx context.Context, stdout io.Writer) error {
		s, err := c.policy(ctx, *name)
		if err != nil {
			return err
		}
		if *output == "json" {
			return printJSON(stdout, s)
		}
		return explain(stdout, &s)
	}
}

// explain writes what was decided, what holds the policy now, and then how the
// decision came about.
func explain(stdout io.Writer, s *status.Policy) error {
	w := tabwriter.NewWriter(stdout, 0, 0, 2, ' ', 0)
	if s.Last == nil {
		fmt.Fprintf(w, "%s has decided nothing yet\n", s.Name)
		explainHolds(w, s)
		return w.Flush()
	}
	text := s.Explanation
	if text == "" {
		text = s.Last.Explain()
	}
	fmt.Fprintln(w, oneLine(text))
	fmt.Fprintf(w, "decided at %s in mode %s, with %d of %s ready\n",
		instant(s.Last.Time), s.Last.Mode, s.Last.Ready, replicas(s.Last.Current))
	explainHolds(w, s)
	explainSteps(w, s.Last.Steps)
	explainRequirements(w, s.Last.Requirements)
	explainPlacements(w, s.Last)
	explainBudgets(w, s)
	return w.Flush()
}

func explainHolds(w io.Writer, s *status.Policy) {
	if s.Pause != nil {
		fmt.Fprintf(w, "PAUSED %s\n", pauseText(s.Pause))
	}
	for i := range s.Silences {
		fmt.Fprintf(w, "SILENCED %s (silence %s)\n", pauseText(&s.Silences[i]), oneLine(s.Silences[i].Silence))
	}
	if len(s.BlockUp) > 0 {
		fmt.Fprintf(w, "BLOCKED upwards by %s\n", oneLine(strings.Join(s.BlockUp, ", ")))
	}
	if len(s.BlockDown) > 0 {
		fmt.Fprintf(w, "BLOCKED downwards by %s\n", oneLine(strings.Join(s.BlockDown, ", ")))
	}
}

func explainSteps(w io.Writer, steps []policy.Step) {
	if len(steps) == 0 {
		return
	}
	fmt.Fprint(w, "\nSTEP\tLEAVES\tREASON\tMESSAGE\n")
	for i := range steps {
		s := &steps[i]
		fmt.Fprintf(w, "%s\t%d\t%s\t%s\n", s.Name, s.Replicas, dash(string(s.Reason)), oneLine(s.String()))
	}
}

// explainRequirements marks the reservation that decides: the largest.
func explainRequirements(w io.Writer, requirements []policy.Requirement) {
	if len(requirements) == 0 {
		return
	}
	fmt.Fprint(w, "\nRESOURCE\tFOR\tAMOUNT\tREPLICAS\tNOTE\n")
	for i := range requirements {
		q := &requirements[i]
		if q.Problem != "" && q.Replicas == 0 {
			fmt.Fprintf(w, "%s\tusage\t?\t?\t%s\n", q.Resource, problemText(q))
			continue
		}
		fmt.Fprintf(w, "%s\tusage\t%s\t-\t%s\n", q.Resource, policy.Quantity(q.Usage), dash(problemText(q)))
		won := false
		for j := range q.Reservations {
			e := &q.Reservations[j]
			note := ""
			if !won && e.Amount > 0 && e.Amount == q.Reserved {
				note, won = "largest, so this is kept free", true
			}
			fmt.Fprintf(w, "%s\t%s\t%s\t-\t%s\n", q.Resource, oneLine(e.Name()), policy.Quantity(e.Amount), dash(note))
		}
		fmt.Fprintf(w, "%s\tall\t%s\t%d\tof %s each\n", q.Resource,
			policy.Quantity(q.Usage+q.Reserved), q.Replicas, policy.Quantity(q.CapacityPerReplica))
		if q.PredictedReplicas > 0 {
			fmt.Fprintf(w, "%s\tpredicted usage\t%s\t%d\tcounts for going up\n", q.Resource,
				policy.Quantity(q.Predicted), q.PredictedReplicas)
		}
	}
}

// problemText is why a reading could not be used; empty where it could.
func problemText(q *policy.Requirement) string {
	text := string(q.Problem)
	if q.Detail != "" {
		text += ": " + oneLine(q.Detail)
	}
	if text != "" && q.Replicas > 0 {
		text += "; at least this much is needed"
	}
	return text
}

// explainPlacements says what each target was, or would have been, asked for.
func explainPlacements(w io.Writer, d *policy.Decision) {
	if len(d.Placements) == 0 {
		return
	}
	title := "ASKED FOR"
	if !d.Act {
		title = "WOULD BE ASKED FOR"
	}
	fmt.Fprintf(w, "\nTARGET\tHAD\t%s\n", title)
	for _, p := range d.Placements {
		fmt.Fprintf(w, "%s\t%d\t%d\n", p.Target, p.From, p.To)
	}
}

func explainBudgets(w io.Writer, s *status.Policy) {
	if len(s.Budgets) == 0 {
		return
	}
	fmt.Fprintf(w, "\nBUDGET\tHELD BY ALL\tBY %s\tLACKS\tRIVALS\tCUT FOR IT\n", s.Name)
	for i := range s.Budgets {
		b := &s.Budgets[i]
		lacks := amounts(b.Lacks > 0, replicas(b.Lacks), b.LacksCostPerHour > 0, policy.Quantity(b.LacksCostPerHour)+" an hour")
		byReplicas, byCost := b.MaxReplicas > 0, b.MaxCostPerHour > 0
		held := amounts(byReplicas, fmt.Sprintf("%d of %s", b.HeldReplicas, replicas(b.MaxReplicas)),
			byCost, fmt.Sprintf("%s of %s an hour", policy.Quantity(b.HeldCostPerHour), policy.Quantity(b.MaxCostPerHour)))
		own := amounts(byReplicas, strconv.Itoa(b.Replicas), byCost, policy.Quantity(b.CostPerHour)+" an hour")
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\t%s\n", b.Name, held, own, lacks, dash(named(b.Rivals, b.MoreRivals)), dash(named(b.Victims, b.MoreVictims)))
	}
}

// amounts joins an amount of replicas and one of cost where they count.
func amounts(haveReplicas bool, inReplicas string, haveCost bool, inCost string) string {
	switch {
	case haveReplicas && haveCost:
		return inReplicas + ", " + inCost
	case haveReplicas:
		return inReplicas
	case haveCost:
		return inCost
	}
	return "-"
}

// dash keeps an empty cell from looking like a mistake.
func dash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

func replicas(n int) string {
	if n == 1 {
		return "1 replica"
	}
	return strconv.Itoa(n) + " replicas"
}

// named are names, and how many more there are.
func named(names []string, more int) string {
	text := strings.Join(names, ", ")
	if more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}
