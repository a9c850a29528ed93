package main_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestAdminAPIIsOff: nobody pauses a server that was not started for it.
func TestAdminAPIIsOff(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	for _, path := range []string{"web/pause", "web/resume"} {
		code, text := s.post("/api/v1/policies/"+path, `{"by":"ann","comment":"migration"}`)
		if code != http.StatusForbidden || !strings.Contains(text, "--web.enable-admin-api") {
			t.Errorf("POST %s: %d %s", path, code, text)
		}
	}
}

// TestPauseSurvivesARestart: a pause is an operator's word, and holds until it
// ends or somebody resumes.
func TestPauseSurvivesARestart(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""), "--web.enable-admin-api")
	if code, text := s.post("/api/v1/policies/web/pause", `{"for":"1h","by":"ann","comment":"migration"}`); code != http.StatusOK {
		t.Fatalf("pause: %d %s", code, text)
	}
	if code, text := s.post("/api/v1/policies/wbe/pause", `{"by":"ann","comment":"migration"}`); code != http.StatusNotFound {
		t.Errorf("pause of no such policy: %d %s", code, text)
	}
	byAnn := func(st status.Policy) error {
		if st.Pause == nil || st.Pause.By != "ann" || st.Pause.Until.IsZero() {
			return fmt.Errorf("the pause is %+v", st.Pause)
		}
		return nil
	}
	s.eventually(10*time.Second, "the policy is paused", "web", byAnn)
	s.restart()
	s.eventually(10*time.Second, "the policy is still paused", "web", byAnn)
	before, _ := counts(s.policy("web"))
	s.fire("up", "web")
	s.eventually(10*time.Second, "the alert is held", "web", func(st status.Policy) error {
		if st.AlertsUp != 1 || st.Last == nil || st.Last.Reason != policy.ReasonPaused {
			return fmt.Errorf("%d alerts; %s", st.AlertsUp, st.Explanation)
		}
		return nil
	})
	if n, _ := counts(s.policy("web")); n != before {
		t.Errorf("%d replicas were %d: a paused policy was scaled", n, before)
	}
	if code, text := s.post("/api/v1/policies/web/resume", ""); code != http.StatusOK || !strings.Contains(text, `{"resumed":true}`) {
		t.Errorf("resume: %d %s", code, text)
	}
	s.eventually(10*time.Second, "the policy acts again", "web", func(st status.Policy) error {
		if st.Pause != nil {
			return errors.New("it is paused")
		}
		if n, _ := counts(st); n <= before {
			return fmt.Errorf("%d replicas; %s", n, st.Explanation)
		}
		return nil
	})
}
