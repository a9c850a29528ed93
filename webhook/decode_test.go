package webhook

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestQuick wants what Alertmanager itself sends to take the short way.
func TestQuick(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*_v0.*.good.json"))
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var m message
		if !quick(body, &m) {
			t.Errorf("%s takes the long way", file)
		}
	}
	var m message
	if !quick(bodyOf(t, 3), &m) {
		t.Error("a notification of three alerts takes the long way")
	}
}

// unusual are bodies that decoders often see differently.
var unusual = []string{
	`{"Version":"4","alerts":[]}`,
	`{"version":"4","version":"3","alerts":[]}`,
	`{"version":"4","alerts":[{"status":"firing"}],"alerts":[{"fingerprint":"1"}]}`,
	`{"version":"4","alerts":[{"labels":{"a":"b"},"labels":{"c":"d"}}]}`,
	`{"version":"4","alerts":[{"labels":{"a":"b","a":"c"}}]}`,
	`{"version":"4","alerts":[{"labels":null,"annotations":{}}]}`,
	`{"version":"4","alerts":[{"labels":{"a":null}}]}`,
	`{"version":"4","alerts":[null]}`,
	`{"version":"4","alerts":null}`,
	`{"version":null,"alerts":[]}`,
	`{"version":"4","alerts":[{"labels":{"a":"\ud800"}}]}`,
	`{"version":"4","alerts":[{"labels":{"a":"\ud83d\ude00 \u0041"}}]}`,
	`{"version":"4","alerts":[{"startsAt":"2026-01-01T00:00:00\u005a"}]}`,
	`{"version":"4","alerts":[{"startsAt":"2026-01-01T0:00:00Z"}]}`,
	`{"version":"4","alerts":[{"startsAt":null}]}`,
	`{"version":"4","truncatedAlerts":1.0,"alerts":[]}`,
	`{"version":"4","truncatedAlerts":-0,"alerts":[]}`,
	`{"version":"4","truncatedAlerts":18446744073709551616,"alerts":[]}`,
	`{"version":"4","x":01,"alerts":[]}`,
	`{"version":"4","x":1e,"alerts":[]}`,
	`{"version":"4","x":-,"alerts":[]}`,
	`{"version":"4","x":[1,],"alerts":[]}`,
	`{"version":"4","x":{"a":1,},"alerts":[]}`,
	`{"version":"4","x":"\x","alerts":[]}`,
	`{"version":"4","x":tru,"alerts":[]}`,
	`{"version":"4","x":truefalse,"alerts":[]}`,
	"{\"version\":\"4\",\"x\":\"a\x01\",\"alerts\":[]}",
	"{\"version\":\"4\",\"x\":\"\xff\",\"alerts\":[]}",
	"{\"version\":\"4\",\"alerts\":[{\"labels\":{\"\xff\":\"\xfe\"}}]}",
	`{"version":"4","alerts":[]}}`,
	`{"version":"4","alerts":[]} {}`,
	`{"version":"4","alerts":[]}{"":`,
	`{"version":"4","alerts":[]}` + " \n\t\r",
	`{"version":"4","alerts":[]}` + "\x00",
	"\ufeff" + `{"version":"4","alerts":[]}`,
	`{"ver\u0073ion":"4","alerts":[]}`,
	`{"version":"4","alerts":[{"` + "\u017ftatus" + `":"firing"}]}`,
	`{"version":"4","alerts":[],"x":` + strings.Repeat("[", 200) + strings.Repeat("]", 200) + `}`,
	`{"version":"4","alerts":[],"x":` + strings.Repeat("[", 20000) + strings.Repeat("]", 20000) + `}`,
	`[]`, `"4"`, `null`, ``, `{`, `{"version"}`,
}

func TestDecode(t *testing.T) {
	for _, body := range unusual {
		compareDecoders(t, []byte(body))
	}
}

// FuzzDecode holds the short way against encoding/json.
func FuzzDecode(f *testing.F) {
	files, err := filepath.Glob(filepath.Join(fixtures, "*.json"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	for _, body := range unusual {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) { compareDecoders(t, body) })
}

func compareDecoders(t *testing.T, body []byte) {
	t.Helper()
	var got, want message
	if !quick(body, &got) {
		return // encoding/json decides
	}
	if err := json.Unmarshal(body, &want); err != nil {
		t.Fatalf("%.200q is taken, and encoding/json says: %v", body, err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Fatalf("%.200q (-encoding/json +short way):\n%s", body, d)
	}
}
