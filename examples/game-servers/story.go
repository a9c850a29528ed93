package main

import (
	"context"
	"fmt"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
	"github.com/alertscaler/alertscaler/scaler/policy"
)

// What players want, and the idle servers that are kept for the next of them.
const (
	evening = 6
	night   = 2
	buffer  = 2
)

// tell has players come and go, and watches that none is thrown out.
func tell(ctx context.Context, h *house.House) error {
	l := &lobby{servers: h.Discovered}
	h.Go(l.run)
	want := func(n int) func(context.Context) error {
		return func(context.Context) error { l.want(n); return nil }
	}
	err := (&house.Story{
		House:    h,
		Policies: []string{"arena"},
		Aside: func(context.Context) string {
			running, begun, ended, lost := l.scores()
			return fmt.Sprintf("matches: %d running, %d waiting, %d played of %d, %d cut off", running, l.waiting(), ended, begun, lost)
		},
		Chapters: []house.Chapter{
			{
				Title:  "Nobody plays: two servers are there for whoever comes.",
				Until:  func(s *house.Scene) bool { return s.Settled("arena", buffer) && s.Saw("arena", policy.ReasonNoAlert) },
				Within: time.Minute,
			},
			{
				Title: fmt.Sprintf("Evening: %d matches at a time. Two begin at once, and two servers stay idle all the same.", evening),
				Begin: want(evening),
				Until: func(s *house.Scene) bool {
					running, _, _, _ := l.scores()
					return running == evening && s.Settled("arena", evening+buffer)
				},
				Within: 2 * time.Minute,
			},
			{
				Title:  fmt.Sprintf("Night: %d matches at a time. Servers go as they fall idle, wherever they are in the list.", night),
				Begin:  want(night),
				Until:  func(s *house.Scene) bool { return s.Settled("arena", night+buffer) },
				Within: 3 * time.Minute,
			},
			{
				Title:  "The last players leave: back to the two.",
				Begin:  want(0),
				Until:  func(s *house.Scene) bool { return s.Settled("arena", buffer) },
				Within: 3 * time.Minute,
			},
		},
	}).Tell(ctx)
	if err != nil {
		return err
	}
	if _, begun, ended, lost := l.scores(); lost > 0 || ended < begun {
		return fmt.Errorf("%d matches were begun, %d played to their end and %d cut off", begun, ended, lost)
	}
	return nil
}
