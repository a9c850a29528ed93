package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/status"
)

// TestStatusOfARealServer asks a running Alertscaler, in both forms.
func TestStatusOfARealServer(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "alertscaler.yml")
	if err := os.WriteFile(file, []byte(`
policies:
  - name: web
    min: 2
    max: 5
    targets: [ { name: local, process: { command: [sleep, "1000"] } } ]
  - name: batch
    mode: "off"
    min: 0
    max: 3
    targets: [ { name: local, process: { command: [sleep, "1001"] } } ]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	address := fmt.Sprintf("127.0.0.1:%d", realtest.FreePort(t))
	server := realtest.Start(t, realtest.GoBuild(t, "../alertscaler"),
		"--config.file="+file, "--storage.path="+filepath.Join(dir, "data"), "--web.listen-address="+address)
	server.WaitHTTP(t, "http://"+address+"/-/ready")
	at := "--alertscaler.url=http://" + address

	realtest.Eventually(t, 15*time.Second, 200*time.Millisecond, "two replicas of web and none of batch", func() error {
		code, stdout, stderr := tool("status", at)
		if code != exitOK {
			return fmt.Errorf("exit %d: %s", code, stderr)
		}
		for i, want := range []string{"POLICY MODE REPLICAS READY BOUNDS ALERTS LAST DECISION", "web on 2 2 2..5 none web stays at 2 (no_alert)", "batch off 0 0 0..3 none batch stays at 0 (no_alert)"} {
			lines := strings.Split(stdout, "\n")
			if len(lines) <= i || !strings.HasPrefix(strings.Join(strings.Fields(lines[i]), " "), want) {
				return fmt.Errorf("line %d is not %q:\n%s", i, want, stdout)
			}
		}
		return nil
	})

	code, stdout, stderr := tool("status", at, "--output=json", "web")
	var got []status.Policy
	if err := json.Unmarshal([]byte(stdout), &got); code != exitOK || err != nil || len(got) != 1 || got[0].Name != "web" {
		t.Errorf("exit %d, %v: %s%s", code, err, stdout, stderr)
	}
	if code, _, stderr := tool("status", at, "wbe"); code != exitFailed || !strings.Contains(stderr, "wbe") {
		t.Errorf("no such policy: exit %d: %s", code, stderr)
	}
}
