package main_test

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/alertscaler/alertscaler/scaler/realtest"
)

// TestBasicAuth: --web.config.file guards every endpoint, the webhook first of
// all.
func TestBasicAuth(t *testing.T) {
	t.Parallel()
	hash, err := bcrypt.GenerateFromPassword([]byte("right"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	web, file := filepath.Join(dir, "web.yml"), filepath.Join(dir, "alertscaler.yml")
	for name, text := range map[string]string{
		web:  fmt.Sprintf("basic_auth_users: { alertmanager: %q }\n", hash),
		file: sleepers(""),
	} {
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := fmt.Sprintf("127.0.0.1:%d", realtest.FreePort(t))
	p := realtest.Start(t, binary, "--config.file="+file, "--storage.path="+filepath.Join(dir, "data"),
		"--web.listen-address="+address, "--web.config.file="+web)
	p.WaitHTTP(t, "http://alertmanager:right@"+address+"/-/ready")

	for password, want := range map[string]int{"right": http.StatusAccepted, "wrong": http.StatusUnauthorized, "": http.StatusUnauthorized} {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, "http://"+address+"/webhook",
			strings.NewReader(`{"version":"4","status":"firing","alerts":[]}`))
		if err != nil {
			t.Fatal(err)
		}
		if password != "" {
			req.SetBasicAuth("alertmanager", password)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("password %q: %s, want %d", password, resp.Status, want)
		}
	}
}
