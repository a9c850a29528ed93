package main

import (
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// always is a schedule's window that is open.
type always struct{}

func (always) Contains(time.Time) bool { return true }
func (always) String() string          { return "0 8 * * 1-5 for 2h in UTC" }

// rich is a policy with something of everything that explain shows; the
// decision is a real one.
func rich() status.Policy {
	price, room := 0.5, 8
	p := policy.Policy{
		Name: "web", Mode: policy.ModeOn, Min: 2, Max: 20,
		Resources: []policy.Resource{{Name: "cpu", Reservation: policy.Reservation{
			Ratio: 0.3, Schedules: []policy.Schedule{{Window: always{}, Replicas: 1}},
		}}, {Name: "memory"}, {Name: "queue"}},
		Reservation: policy.Reservation{Replicas: 2},
		Targets:     []policy.Target{{Name: "owned", Max: 6}, {Name: "rented", CostPerHour: &price}},
		ScaleUp:     policy.Behavior{Step: policy.StepLimit{Ratio: 1, Per: time.Minute}},
	}
	o := policy.Observation{
		Up: 2,
		Targets: []policy.TargetState{
			{Name: "owned", Requested: 4, Ready: 4}, {Name: "rented", Requested: 2, Ready: 1},
		},
		Usage: []policy.Usage{
			{Resource: "cpu", Value: 11.9, Predicted: 14, CapacityPerReplica: 2},
			{Resource: "memory", Value: 9.5e9, CapacityPerReplica: 2 << 30, Problem: policy.ProblemLowCoverage, Detail: "3 of 5 replicas report"},
			{Resource: "queue", Problem: policy.ProblemStale, Detail: "newest sample is 3m old"},
		},
		Budgets: []policy.Room{{Budget: "shop", Replicas: &room, Rivals: []string{"checkout"}}},
	}
	d := policy.Decide(p, o, policy.History{}, now)
	d.ID = "42"
	return status.Policy{
		Name: "web", Mode: policy.ModeOn, Min: 2, Max: 20, AlertsUp: 2,
		Targets: []status.Target{
			{Name: "owned", Platform: "process", Requested: 4, Ready: 4, ReadAt: now},
			{Name: "rented", Platform: "ec2", Requested: 2, Ready: 1, ReadAt: now, CostPerHour: &price},
		},
		Pause:     &policy.Pause{Since: now, Until: now.Add(2 * time.Hour), By: "ann", Comment: "migration\n\x1b[31mof the database"},
		Silences:  []policy.Pause{{Until: now.Add(time.Hour), By: "bob", Comment: "noise", Silence: "5d2f"}},
		BlockUp:   []string{"HighErrorRate", "Deploying"},
		BlockDown: []string{"Backup"},
		Budgets: []status.Budget{
			{
				Name: "shop", MaxReplicas: 20, HeldReplicas: 20, Replicas: 8, Lacks: 2,
				Rivals: []string{"checkout"}, Victims: []string{"batch", "night"},
			},
			{Name: "cloud", MaxReplicas: 40, MaxCostPerHour: 10, HeldReplicas: 20, HeldCostPerHour: 7.25, Replicas: 8, CostPerHour: 1},
		},
		Last: &d, Explanation: d.Explain(),
	}
}

func TestExplainTable(t *testing.T) {
	at := serve(t, &world{statuses: []status.Policy{rich()}}, nil)
	code, got, stderr := tool("explain", at, "web")
	if code != exitOK {
		t.Fatalf("exit %d: %s", code, stderr)
	}
	golden := filepath.Join("testdata", "explain.golden")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("go test ./cmd/scalertool -run ExplainTable -update rewrites it (-want +got):\n%s", diff)
	}
	if strings.ContainsRune(got, '\x1b') {
		t.Error("a comment commands the terminal")
	}
}

// TestExplainJSON: the API carries all that there is to a decision, and the
// tool passes it on.
func TestExplainJSON(t *testing.T) {
	want := rich()
	at := serve(t, &world{statuses: []status.Policy{want}}, nil)
	code, stdout, stderr := tool("explain", "--output=json", at, "web")
	var got status.Policy
	if err := json.Unmarshal([]byte(stdout), &got); code != exitOK || err != nil {
		t.Fatalf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, field := range []string{
		`"explanation": "web 6 → 8`, `"message": "budget shop leaves 8`, `"predicted_replicas": `, `"reservations": `,
		`"schedule": "0 8 * * 1-5 for 2h in UTC"`, `"placements": `, `"pause": `, `"silences": `, `"block_up": `, `"block_down": `,
		`"lacks": 2`, `"rivals": `, `"victims": `,
	} {
		if !strings.Contains(stdout, field) {
			t.Errorf("lacks %s", field)
		}
	}
}

func TestExplainOthers(t *testing.T) {
	shadow := policy.Decision{
		Policy: "shadow", Time: now, Mode: policy.ModeOff, Current: 1, Ready: 1, Desired: 2, Reason: policy.ReasonShadow,
		Placements: []policy.Placement{{Target: "local", From: 1, To: 2}},
	}
	at := serve(t, &world{statuses: []status.Policy{
		{Name: "new", Pause: &policy.Pause{By: "ann", Comment: "not yet"}},
		{Name: "shadow", Last: &shadow},
		{Name: "shop/eu"},
	}}, nil)
	for _, tc := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"new"}, exitOK, "new has decided nothing yet\nPAUSED by ann until resumed: not yet\n"},
		{[]string{"shadow"}, exitOK, "shadow would go 1 → 2 (shadow)\ndecided at 2026-01-05T08:00:00Z in mode off, with 1 of 1 replica ready\n"},
		{[]string{"shadow"}, exitOK, "TARGET  HAD  WOULD BE ASKED FOR\nlocal   1    2\n"},
		{[]string{"shop/eu"}, exitOK, "shop/eu has decided nothing yet\n"},
		{[]string{"wbe"}, exitFailed, `there is no policy "wbe"`},
		{[]string{""}, exitCannot, "the name of the policy is empty"},
		{nil, exitCannot, "required argument 'policy' not provided, try --help"},
		{[]string{"web", "--output=xml"}, exitCannot, "enum value must be one of table,json"},
	} {
		code, stdout, stderr := tool(append([]string{"explain", at}, tc.args...)...)
		if code != tc.code || !strings.Contains(stdout+stderr, tc.want) {
			t.Errorf("%q: exit %d, want %d with %q\n%s%s", tc.args, code, tc.code, tc.want, stdout, stderr)
		}
	}
}
