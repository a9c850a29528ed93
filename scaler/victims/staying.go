package victims

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/go-kit/log/level"

	"github.com/alertscaler/alertscaler/scaler/drain"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// cancel lets every replica of the policy that was to go stay. Where the
// server stops the hooks are told nothing: it goes on with them when it is
// back, or their deadlines pass.
func (s *State) cancel() {
	for name, of := range s.drains {
		s.stay(name, values(of), false)
	}
}

// Leave lets every replica stay of a policy that is gone. What goes with its
// target does not stay.
func (s *State) Leave() {
	for name, of := range s.drains {
		s.stay(name, values(of), true)
	}
}

// BeingTold are closed once the hooks know of every replica that stays.
func (s *State) BeingTold() []<-chan struct{} {
	var out []<-chan struct{}
	for _, of := range s.drains {
		for _, it := range of {
			if it.stays() {
				out = append(out, it.told)
			}
		}
	}
	return out
}

func values(of map[string]*draining) []*draining {
	out := make([]*draining, 0, len(of))
	for _, it := range of {
		out = append(out, it)
	}
	return out
}

// stay has the hooks told of the replicas of one target that stay after all.
// Those that a platform was asked to take are on their way; and only those
// that it still has when their hook is told can stay. Closing says that the
// target is about to be closed.
func (s *State) stay(targetName string, its []*draining, closing bool) {
	var stay []*draining
	for _, it := range its {
		_, mortal := it.at.Target.(target.Restorer)
		switch {
		case it.stays():
			if closed(it.told) {
				delete(s.drains[targetName], it.replica.ID)
			}
		case it.action != "" && !closing:
		case it.action != "" || (closing && mortal) || s.opts.Stopping.Err() != nil:
			it.cancel()
			delete(s.drains[targetName], it.replica.ID)
		default:
			it.cancel()
			it.told = make(chan struct{})
			stay = append(stay, it)
		}
	}
	if len(stay) == 0 {
		return
	}
	within := listWithin
	if closing {
		within = tellTimeout
	}
	s.opts.Go(func() {
		ctx, cancel := context.WithTimeout(s.opts.Stopping, within)
		defer cancel()
		_ = s.opts.Guard.Do(s.opts.Logger, Component, func() error {
			s.tellStay(ctx, stay)
			return nil
		})
		s.opts.Wake()
	})
}

// tellStay tells the hooks of those that their platform still has.
func (s *State) tellStay(ctx context.Context, its []*draining) {
	at := its[0].at
	defer func() {
		for _, it := range its {
			close(it.told)
		}
	}()
	has, err := s.listAfter(ctx, at, its)
	if err != nil {
		level.Warn(s.opts.Logger).Log("msg", "drain hooks not told that replicas stay: nobody knows which are left", "target", at.Name, "replicas", len(its), "err", err)
		return
	}
	for _, it := range its {
		name := it.request.Replica.Name
		if !slices.ContainsFunc(has.List, func(r target.Replica) bool { return r.ID == it.request.Replica.ID }) {
			level.Info(s.opts.Logger).Log("msg", "a replica that was being drained is gone", "target", at.Name, "replica", name)
			continue
		}
		level.Info(s.opts.Logger).Log("msg", "a replica that was to go stays", "target", at.Name, "replica", name)
		s.opts.Count(at.Name, Cancelled)
		r := it.request
		r.Action = drain.Cancel
		tell, cancel := context.WithTimeout(ctx, tellTimeout)
		if err := at.Hook.Tell(tell, r); err != nil {
			level.Warn(s.opts.Logger).Log("msg", "drain hook not told that its replica stays", "target", at.Name, "replica", name, "err", err)
		}
		cancel()
	}
}

// listAfter lists the replicas that a target has once its list can be trusted,
// again and again until it answers.
func (s *State) listAfter(ctx context.Context, at Target, its []*draining) (target.Replicas, error) {
	v, ok := at.Target.(target.Victims)
	if !ok {
		return target.Replicas{}, errors.New("it cannot tell its replicas apart")
	}
	wait := time.Duration(0)
	for _, it := range its {
		wait = max(wait, it.listed.Sub(s.opts.Now()))
	}
	for {
		if wait > 0 {
			select {
			case <-time.After(wait):
			case <-ctx.Done():
				return target.Replicas{}, ctx.Err()
			}
		}
		list, cancel := context.WithTimeout(ctx, s.opts.PlatformTimeout)
		has, err := v.Replicas(list)
		cancel()
		if err == nil || ctx.Err() != nil {
			return has, err
		}
		wait = listInterval
	}
}
