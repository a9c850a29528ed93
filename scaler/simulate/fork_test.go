package simulate

import (
	"context"
	"maps"
	"slices"
)

// RestartedAt runs a test without a restart and, for each evaluation that at
// names, its rest after a restart before that one. What comes before it is the
// same in both, and is not played again. Rest is called with the number of the
// evaluation, and with what was decided from it on.
func RestartedAt(ctx context.Context, t *Test, at func(step int) bool, rest func(step int, got []Step)) (*Result, error) {
	w := newWorld(t, Options{})
	if err := w.start(ctx); err != nil {
		return nil, err
	}
	s := newStory(w, Options{})
	for !s.over() {
		if err := s.happen(ctx); err != nil {
			return nil, err
		}
		if at(s.step) {
			forked := s.fork()
			if err := forked.world.start(ctx); err != nil {
				return nil, err
			}
			if err := forked.evaluate(ctx); err != nil {
				return nil, err
			}
			for !forked.over() {
				if err := forked.next(ctx); err != nil {
					return nil, err
				}
			}
			rest(s.step, forked.result.Steps)
		}
		if err := s.evaluate(ctx); err != nil {
			return nil, err
		}
	}
	return s.result, nil
}

// fork is the same story in a world of its own, at the same instant, in which no
// server runs yet.
func (s *story) fork() *story {
	forked := *s
	forked.events, forked.expect = slices.Clone(s.events), slices.Clone(s.expect)
	forked.result = &Result{Test: s.result.Test}
	forked.world = s.world.fork()
	return &forked
}

func (w *world) fork() *world {
	forked := newWorld(w.test, Options{})
	forked.set(w.clock())
	for key, p := range w.platforms {
		p.copyTo(forked.platforms[key])
	}
	kept := *w.feed
	kept.firing, kept.changes = maps.Clone(w.feed.firing), slices.Clone(w.feed.changes)
	forked.feed = &kept
	forked.ledger = w.ledger.(*Ledger).fork()
	return forked
}

// copyTo makes other as p is; it keeps its own clock.
func (p *platform) copyTo(other *platform) {
	p.mu.Lock()
	defer p.mu.Unlock()
	other.requested, other.shows, other.showsAfter = p.requested, slices.Clone(p.shows), p.showsAfter
	other.ready, other.booting, other.dead, other.provisioning, other.limit = p.ready, slices.Clone(p.booting), p.dead, p.provisioning, p.limit
	other.stillborn, other.stillbornUntil = p.stillborn, p.stillbornUntil
	other.refuses, other.refusesUntil, other.hiddenUntil = p.refuses, p.refusesUntil, p.hiddenUntil
	other.conflicts, other.conflictsAt = p.conflicts, p.conflictsAt
}

// fork is a ledger with the same records, none of which is written to in place.
func (l *Ledger) fork() *Ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	return &Ledger{
		ids: l.ids, histories: maps.Clone(l.histories), open: maps.Clone(l.open), requested: maps.Clone(l.requested),
		alerts: maps.Clone(l.alerts), pauses: maps.Clone(l.pauses), learnt: maps.Clone(l.learnt),
	}
}
