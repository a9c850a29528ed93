package main_test

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/webhook"
)

// admin posts to the admin API and returns the code and the body.
func (s *server) admin(path, body string) (code int, text string) {
	s.t.Helper()
	resp, err := http.Post(s.url+"/api/v1/policies/"+path, "application/json", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

// TestAdminAPIIsOff: nobody pauses a server that was not started for it.
func TestAdminAPIIsOff(t *testing.T) {
	t.Parallel()
	s := startServer(t, sleepers(""))
	for _, path := range []string{"web/pause", "web/resume"} {
		code, text := s.admin(path, `{"by":"ann","comment":"migration"}`)
		if code != http.StatusForbidden || !strings.Contains(text, "--web.enable-admin-api") {
			t.Errorf("POST %s: %d %s", path, code, text)
		}
	}
}

// TestPauseSurvivesARestart: a pause is an operator's word, and holds until it
// ends or somebody resumes.
func TestPauseSurvivesARestart(t *testing.T) {
	t.Parallel()
	if _, ok := any((*scaler.Engine)(nil)).(webhook.Pauses); !ok {
		t.Skip("the engine cannot pause yet")
	}
	s := startServer(t, sleepers(""), "--web.enable-admin-api")
	if code, text := s.admin("web/pause", `{"for":"1h","by":"ann","comment":"migration"}`); code != http.StatusOK {
		t.Fatalf("pause: %d %s", code, text)
	}
	if code, text := s.admin("wbe/pause", `{"by":"ann","comment":"migration"}`); code != http.StatusNotFound {
		t.Errorf("pause of no such policy: %d %s", code, text)
	}
	byAnn := func(st policy.Status) error {
		if st.Pause == nil || st.Pause.By != "ann" || st.Pause.Until.IsZero() {
			return fmt.Errorf("the pause is %+v", st.Pause)
		}
		return nil
	}
	s.eventually(10*time.Second, "the policy is paused", "web", byAnn)
	s.restart()
	s.eventually(10*time.Second, "the policy is still paused", "web", byAnn)
	if code, text := s.admin("web/resume", ""); code != http.StatusOK || !strings.Contains(text, `{"resumed":true}`) {
		t.Errorf("resume: %d %s", code, text)
	}
	s.eventually(10*time.Second, "the policy acts again", "web", func(st policy.Status) error {
		if st.Pause != nil {
			return errors.New("it is paused")
		}
		return nil
	})
}
