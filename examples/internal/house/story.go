package house

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// Story is what should happen in an example, chapter by chapter.
type Story struct {
	House *House
	// Policies are those that the story is about.
	Policies []string
	// Aside is printed at the end of each line, such as the load; nil for
	// nothing.
	Aside func(context.Context) string
	// Chapters follow each other: the next begins once the one before is over.
	Chapters []Chapter
}

// Chapter is a part of a story: something is done, and something must follow.
type Chapter struct {
	Title string
	// Begin does what the chapter begins with; nil for nothing.
	Begin func(context.Context) error
	// Until reports whether what must follow has happened. It is asked about
	// twice a second.
	Until func(*Scene) bool
	// Within is how long that may take. It bounds a failure and is no
	// expectation: a chapter is over as soon as Until says so.
	Within time.Duration
}

// Scene is what is to be seen of the policies at one moment.
type Scene struct {
	// Status is each policy's own, by name.
	Status map[string]status.Policy

	ctx   context.Context
	house *House
	seen  map[string]bool // policy and reason, since the chapter began
}

// Requested is how many replicas a policy's targets were asked for.
func (s *Scene) Requested(name string) int { n, _ := Replicas(s.Status[name]); return n }

// Ready is how many of a policy's replicas serve.
func (s *Scene) Ready(name string) int { _, n := Replicas(s.Status[name]); return n }

// Settled reports whether a policy has exactly n replicas, all of them ready.
func (s *Scene) Settled(name string, n int) bool { return s.Requested(name) == n && s.Ready(name) == n }

// Target is how many replicas one target of a policy was asked for.
func (s *Scene) Target(name, target string) int {
	for _, t := range s.Status[name].Targets {
		if t.Name == target {
			return t.Requested
		}
	}
	return 0
}

// Saw reports whether a decision of this policy had this reason since the
// chapter began.
func (s *Scene) Saw(name string, reason policy.Reason) bool { return s.seen[name+" "+string(reason)] }

// Query is that of the house.
func (s *Scene) Query(expr string) float64 { return s.house.Query(s.ctx, expr) }

// teller tells one story.
type teller struct {
	*Story
	out     *printer
	peaks   map[string]*peak
	chapter []string // what became of each
}

// peak is how many replicas a policy had.
type peak struct{ first, highest, last int }

// Tell prints what happens until the last chapter is over, and a summary. It
// returns why a chapter did not come to its end.
func (s *Story) Tell(ctx context.Context) error {
	t := &teller{Story: s, out: newPrinter(s), peaks: make(map[string]*peak)}
	err := t.tell(ctx)
	t.summary(ctx, err)
	return err
}

func (t *teller) tell(ctx context.Context) error {
	t.out.header()
	for i, c := range t.Chapters {
		t.out.title(i+1, c.Title)
		began := time.Now()
		if c.Begin != nil {
			if err := c.Begin(ctx); err != nil {
				return fmt.Errorf("chapter %d: %w", i+1, err)
			}
		}
		if err := t.watch(ctx, c); err != nil {
			t.chapter = append(t.chapter, fmt.Sprintf("✗ %s: %s", c.Title, err))
			return fmt.Errorf("chapter %d, %q: %w", i+1, c.Title, err)
		}
		t.chapter = append(t.chapter, fmt.Sprintf("✓ %s (%s)", c.Title, time.Since(began).Round(time.Second)))
	}
	return nil
}

func (t *teller) watch(story context.Context, c Chapter) error {
	ctx, cancel := context.WithTimeout(story, c.Within)
	defer cancel()
	scene := &Scene{Status: make(map[string]status.Policy), ctx: ctx, house: t.House, seen: make(map[string]bool)}
	began := time.Now()
	for {
		if err := t.House.Dead(); err != nil {
			return err
		}
		if t.look(ctx, scene, began) && c.Until(scene) {
			return nil
		}
		select {
		case <-ctx.Done():
			if errors.Is(story.Err(), context.Canceled) {
				return errors.New("interrupted")
			}
			return fmt.Errorf("it did not happen within %s", c.Within)
		case <-time.After(500 * time.Millisecond):
		}
	}
}

// look reads all policies; it reports false where one could not be read.
func (t *teller) look(ctx context.Context, scene *Scene, began time.Time) bool {
	for _, name := range t.Policies {
		st, err := t.House.Policy(ctx, name)
		if err != nil {
			return false
		}
		scene.Status[name] = st
		if st.Last != nil && st.Last.Time.After(began) {
			scene.seen[name+" "+string(st.Last.Reason)] = true
		}
		t.note(name, st)
		t.out.line(ctx, name, st)
	}
	return true
}

func (t *teller) note(name string, st status.Policy) {
	n, _ := Replicas(st)
	p := t.peaks[name]
	if p == nil {
		p = &peak{first: n}
		t.peaks[name] = p
	}
	p.highest, p.last = max(p.highest, n), n
}

// summary says what came of it.
func (t *teller) summary(ctx context.Context, err error) {
	fmt.Printf("\nAfter %s:\n", t.out.since())
	for _, text := range t.chapter {
		fmt.Println("  " + text)
	}
	for _, name := range slices.Sorted(slices.Values(t.Policies)) {
		if p := t.peaks[name]; p != nil {
			fmt.Printf("  %s: %d → %d → %d replicas\n", name, p.first, p.highest, p.last)
		}
	}
	if t.Aside != nil && ctx.Err() == nil {
		if text := strings.TrimSpace(t.Aside(ctx)); text != "" {
			fmt.Println("  " + text)
		}
	}
	if err != nil {
		fmt.Printf("It did not happen as it should. The logs are in %s.\n", t.House.Data)
		for _, name := range t.Policies {
			if last := t.out.shown[name].Explanation; last != "" {
				fmt.Printf("  the last decision: %s\n", last)
			}
		}
	}
}
