package main

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestSimulateOfWhatIsNoHistory: an answer that says no numbers is an error that
// says what came and from where, and nothing is played by it.
func TestSimulateOfWhatIsNoHistory(t *testing.T) {
	t.Parallel()
	body := ""
	s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(body)) }))
	defer s.Close()
	file := write(t, t.TempDir(), "alertscaler.yml", `
prometheus: { url: "`+s.URL+`" }
policies:
  - { name: web, max: 20, resources: [ { name: cpu, usage: jobs, capacity_per_replica: 2 } ], targets: [ { name: swarm, docker_service: { name: web } } ] }
`)
	matrix := func(values string) string {
		return `{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":` + values + `}]}}`
	}
	for _, tc := range []struct{ body, want string }{
		{"", "the answer is empty; Prometheus answers with a JSON object"},
		{"null", `the answer begins with "null"; Prometheus answers with a JSON object`},
		{"{}", `the answer has the status ""; Prometheus says "success" or "error"`},
		{`{"status":"success"}`, "the answer has no data"},
		{`{"status":"success","data":null}`, "the data of the answer: null where an object is expected"},
		{`{"status":"success","data":{"resultType":"matrix"}}`, "the answer has no result"},
		{`{"status":"success","data":{"resultType":"matrix","result":null}}`, "the result: null where an array is expected"},
		{`{"status":"success","data":{"resultType":"scalar","result":[1,"1"]}}`, "the answer is a scalar, not a range"},
		{matrix("null"), "element 1: values: null where an array is expected"},
		{matrix("[[1]]"), "a sample has two"},
		{matrix("[[1,null]]"), `null where a number in quotes such as "0.25" is expected`},
		{matrix("[[1,2]]"), `number where a number in quotes such as "0.25" is expected`},
		{matrix(`[[1,"two"]]`), `"two" is not a number`},
		{"<html><title>Sign in</title></html>", `answers with an HTML page, "<html><title>Sign in</title></html>", where Prometheus answers with JSON; prometheus.url must lead to Prometheus itself`},
	} {
		body = tc.body
		code, stdout, stderr := tool("simulate", "--config.file="+file, "--policy=web", "--from=1h")
		want := `read the history of policy "web" from ` + s.URL + ": past usage: "
		if code != 2 || stdout != "" || !strings.Contains(stderr, want) || !strings.Contains(stderr, tc.want) {
			t.Errorf("%s: exit %d, want 2 with %q and %q\n%s%s", tc.body, code, want, tc.want, stdout, stderr)
		}
	}
}
