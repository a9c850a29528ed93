package ansible

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/go-kit/log"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/ansible/awxtest"
	"github.com/alertscaler/alertscaler/scaler/target/targettest"
)

// hostNames are n names.
func hostNames(n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = "web" + strconv.Itoa(i)
	}
	return names
}

// farm is a controller with the job template "Scale web", whose playbook gives
// the group web as many hosts as it is told, after takes twice.
func farm(t testing.TB, takes time.Duration, change func(*awxtest.Template)) *awxtest.Server {
	t.Helper()
	var s *awxtest.Server
	template := awxtest.Template{
		ID: 7, Name: "Scale web", AskVariables: true, Takes: takes,
		Run: func(vars map[string]any) error {
			n, ok := vars["alertscaler_desired_replicas"].(float64)
			if !ok {
				return fmt.Errorf("alertscaler_desired_replicas is undefined in %v", vars)
			}
			s.SetGroup("web", hostNames(int(n)))
			return nil
		},
	}
	if change != nil {
		change(&template)
	}
	s = awxtest.Start(t, "Production", template, awxtest.Template{ID: 8, Name: "Other"})
	s.SetGroup("web", hostNames(1))
	return s
}

// awx is a target of that controller, with keys changed or added.
func awx(t testing.TB, url string, changes ...string) *jobTemplate {
	t.Helper()
	keys := map[string]string{
		"url": url, "job_template": "Scale web", "current": "{ inventory: Production, group: web }",
		"authorization": "{ credentials: secret-token }",
	}
	for _, c := range changes {
		k, v, _ := strings.Cut(c, ": ")
		keys[k] = v
	}
	var text strings.Builder
	for k, v := range keys {
		if v != "" {
			fmt.Fprintf(&text, "%s: %s\n", k, v)
		}
	}
	cfg := NewAWXConfig().(*AWXConfig)
	if err := decode(cfg, text.String()); err != nil {
		t.Fatal(err)
	}
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	tgt, err := cfg.New(target.Options{Policy: "shop", Name: "web", Logger: log.NewLogfmtLogger(newTestLog(t))})
	if err != nil {
		t.Fatal(err)
	}
	return tgt.(*jobTemplate)
}

func TestAWXConformance(t *testing.T) {
	t.Parallel()
	at := func(t *testing.T, url string, changes ...string) target.Target {
		a := awx(t, url, changes...)
		hasten(a)
		return a
	}
	targettest.Run(t, targettest.Harness{
		New: func(t *testing.T) target.Target { return at(t, farm(t, 20*time.Millisecond, nil).URL) },
		Slow: func(t *testing.T) target.Target {
			site := newSite(t, "")
			s := farm(t, 20*time.Millisecond, func(tpl *awxtest.Template) {
				run := tpl.Run
				tpl.Run = func(vars map[string]any) error {
					site.set(t, int(vars["alertscaler_desired_replicas"].(float64)))
					return run(vars)
				}
			})
			return at(t, s.URL, "current: { inventory: '1', group: web, ready: { command: ["+site.path("ready.sh")+"] } }")
		},
		Missing: func(t *testing.T) target.Target { return awx(t, farm(t, 0, nil).URL, "job_template: nobody") },
		Forbidden: func(t *testing.T) target.Target {
			return awx(t, farm(t, 0, nil).URL, "authorization: { credentials: wrong }")
		},
		Unreachable: func(t *testing.T) target.Target { return awx(t, "http://127.0.0.1:1") },
		Hanging: func(t *testing.T) target.Target {
			s := farm(t, 0, nil)
			s.Before = func(_ http.ResponseWriter, r *http.Request) bool { <-r.Context().Done(); return true }
			return awx(t, s.URL)
		},
		Converge: 20 * time.Second,
		Poll:     20 * time.Millisecond,
	})
}

// TestAWXJob follows one job from its launch to what comes after it.
func TestAWXJob(t *testing.T) {
	t.Parallel()
	s := farm(t, 300*time.Millisecond, nil)
	a := awx(t, s.URL, "authorization: ", "basic_auth: { username: admin, password: password }", "extra_vars: { region: fra1 }")
	ctx := target.WithRequest(t.Context(), target.Request{Policy: "shop", Reason: "scaled_up", From: 1})
	if err := a.Scale(ctx, 3); err != nil {
		t.Fatal(err)
	}
	if st := current(t, a); st.Requested != 3 || st.Ready != 1 {
		t.Errorf("%+v while the job is pending", st)
	}
	wantError(t, a.Scale(ctx, 3), target.KindNoOp, "under way")
	wantError(t, a.Scale(ctx, 2), target.KindConflict, "a run to 3 is under way")
	vars := s.Jobs()[0].Vars
	for name, want := range map[string]any{
		"alertscaler_target": "web", "alertscaler_policy": "shop", "alertscaler_reason": "scaled_up",
		"alertscaler_desired_replicas": 3.0, "alertscaler_current_replicas": 1.0, "region": "fra1",
	} {
		if vars[name] != want {
			t.Errorf("variable %s is %v, want %v", name, vars[name], want)
		}
	}

	// A restarted server finds the job.
	if st := current(t, awx(t, s.URL)); st.Requested != 3 {
		t.Errorf("%+v after a restart, want the job to be found", st)
	}
	for end := time.Now().Add(10 * time.Second); current(t, a).Ready != 3; {
		if time.Now().After(end) {
			t.Fatal("the job does not end")
		}
		time.Sleep(50 * time.Millisecond)
	}
	// Someone else's change, once the job is done.
	s.SetGroup("web", hostNames(5))
	a.current.now = func() time.Time { return time.Now().Add(fresh) }
	if st := current(t, a); st.Requested != 5 || st.Failed != nil {
		t.Errorf("%+v, want someone else's 5", st)
	}
}

func TestAWXJobFails(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name   string
		change func(*awxtest.Template)
		after  func(*testing.T, *awxtest.Server)
		words  []string
	}{
		{"failed", func(tpl *awxtest.Template) {
			tpl.Run = func(map[string]any) error { return errors.New("the provider has no hosts today") }
		}, nil, []string{"job 100 is failed", "no hosts today"}},
		{"canceled", func(tpl *awxtest.Template) { tpl.Takes = time.Minute }, func(t *testing.T, s *awxtest.Server) {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodPost, s.URL+"/api/v2/jobs/100/cancel/", http.NoBody)
			req.SetBasicAuth("admin", "password")
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}, []string{"job 100 is canceled"}},
		{"deleted", func(tpl *awxtest.Template) { tpl.Takes = time.Minute }, func(_ *testing.T, s *awxtest.Server) { s.Forget() }, []string{"job 100 is gone"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := farm(t, 0, test.change)
			a := awx(t, s.URL)
			if err := a.Scale(t.Context(), 3); err != nil {
				t.Fatal(err)
			}
			if test.after != nil {
				test.after(t, s)
			}
			st := current(t, a)
			if st.Requested != 1 {
				t.Errorf("%+v, want what there is", st)
			}
			wantError(t, st.Failed, target.KindTemporary, append(test.words, "scale web to 3")...)
		})
	}
}

func TestAWXRefuses(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name    string
		change  func(*awxtest.Template)
		changes []string
		before  func(w http.ResponseWriter, r *http.Request) bool
		kind    target.Kind
		words   []string
		after   time.Duration
	}{
		{
			name: "no prompt", change: func(tpl *awxtest.Template) { tpl.AskVariables = false },
			kind: target.KindPermanent, words: []string{"enable prompt on launch"},
		},
		{
			name: "a survey without our variables", change: func(tpl *awxtest.Template) { tpl.Required = []string{"ticket"} },
			kind: target.KindPermanent, words: []string{"needs variables", "'ticket' value missing"},
		},
		{
			name: "variables ignored", change: func(tpl *awxtest.Template) {
				tpl.AskVariables, tpl.Required, tpl.Takes = false, []string{"ticket"}, time.Minute
			},
			changes: []string{"extra_vars: { ticket: T1 }"},
			kind:    target.KindPermanent, words: []string{"ignores alertscaler_desired_replicas", "enable prompt on launch", "job 100 was canceled"},
		},
		{name: "may not launch", changes: []string{"authorization: { credentials: read-only-token }"}, kind: target.KindUnauthorized, words: []string{"it answered 403", "do not have permission"}},
		{name: "no group", changes: []string{"current: { inventory: Production, group: nobody }"}, kind: target.KindNotFound, words: []string{`no group "nobody"`}},
		{name: "no inventory", changes: []string{"current: { inventory: Elsewhere, group: web }"}, kind: target.KindNotFound, words: []string{`no inventory "Elsewhere"`}},
		{name: "not an API", changes: []string{"job_template: 7"}, before: answering(http.StatusOK, "<html>"), kind: target.KindTemporary, words: []string{"no JSON", "<html>"}},
		{name: "conflict", before: answering(http.StatusConflict, `{"error": "in use"}`), kind: target.KindConflict, words: []string{"409: in use"}},
		{name: "throttled", before: answering(http.StatusTooManyRequests, `{"detail": "Request was throttled."}`), kind: target.KindThrottled, words: []string{"throttled"}, after: 17 * time.Second},
		{name: "broken", before: answering(http.StatusBadGateway, ""), kind: target.KindTemporary, words: []string{"502: Bad Gateway"}},
		{name: "bad request", before: answering(http.StatusBadRequest, `{"detail": "no"}`), kind: target.KindPermanent, words: []string{"400: no"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			s := farm(t, 0, test.change)
			s.Before = test.before
			a := awx(t, s.URL, test.changes...)
			err := a.Scale(t.Context(), 3)
			wantError(t, err, test.kind, test.words...)
			if got := target.RetryAfter(err); got != test.after {
				t.Errorf("retry after %v, want %v", got, test.after)
			}
			for _, j := range s.Jobs() {
				if !j.Canceled {
					t.Errorf("job %d was left behind", j.ID)
				}
			}
		})
	}
}

func answering(code int, body string) func(http.ResponseWriter, *http.Request) bool {
	return func(w http.ResponseWriter, _ *http.Request) bool {
		w.Header().Set("Retry-After", "17")
		if code != http.StatusTooManyRequests {
			w.Header().Del("Retry-After")
		}
		w.WriteHeader(code)
		_, _ = w.Write([]byte(body))
		return true
	}
}

// TestAWXLostAnswer launches one job, whatever becomes of the answer.
func TestAWXLostAnswer(t *testing.T) {
	t.Parallel()
	s := farm(t, time.Second, nil)
	lossy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodPost {
			s.ServeHTTP(w, r)
			return
		}
		s.ServeHTTP(httptest.NewRecorder(), r)
		w.WriteHeader(http.StatusBadGateway)
	}))
	defer lossy.Close()
	a := awx(t, lossy.URL)
	wantError(t, a.Scale(t.Context(), 3), target.KindTemporary, "502")
	if st := current(t, a); st.Requested != 3 {
		t.Errorf("%+v, want the job to be found", st)
	}
	wantError(t, a.Scale(t.Context(), 3), target.KindNoOp, "under way")
	if n := len(s.Jobs()); n != 1 {
		t.Errorf("%d jobs", n)
	}
}
