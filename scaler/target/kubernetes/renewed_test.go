package kubernetes

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// testRenewed changes what a kubeconfig says, and what is in the files that it
// names, after a target was built. A reload goes by target.FilesSum.
func testRenewed(t *testing.T, c *testCluster) {
	const may, mayNot = realtest.KubernetesAdmin + "-token", realtest.KubernetesNobody + "-token"
	name := c.create(t, "apps/v1", "Deployment", 1, "0s")
	for _, test := range []struct {
		what string
		// files are named in the kubeconfig's %s.
		kubeconfig, before, after string
	}{
		{"a token", "certificate-authority: " + c.CAFile + " } } ]\nusers: [ { name: test, user: { token: %s } } ]", mayNot, may},
		{"a token file", "certificate-authority: " + c.CAFile + " } } ]\nusers: [ { name: test, user: { tokenFile: content } } ]", mayNot, may},
		{"a CA", "certificate-authority: content } } ]\nusers: [ { name: test, user: { token: " + may + " } } ]", "other", "good"},
	} {
		t.Run(test.what, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			cfg := c.deployment(name)
			cfg.Kubeconfig = filepath.Join(dir, "kubeconfig")
			write := func(content string) {
				text := "apiVersion: v1\nkind: Config\ncurrent-context: test\n" +
					"clusters: [ { name: test, cluster: { server: " + c.URL + ", " + test.kubeconfig + "\n" +
					"contexts: [ { name: test, context: { cluster: test, user: test } } ]\n"
				if test.what == "a token" {
					text = fmt.Sprintf(text, content)
				}
				switch content {
				case "good":
					content = readFile(t, c.CAFile)
				case "other":
					_, other := serverOf(t, c.Proxy(t, "", nil))
					content = readFile(t, other)
				}
				for file, s := range map[string]string{"kubeconfig": text, "content": content} {
					if err := os.WriteFile(filepath.Join(dir, file), []byte(s), 0o600); err != nil {
						t.Fatal(err)
					}
				}
			}
			write(test.before)
			first := open(t, cfg)
			if _, err := first.Current(t.Context()); err == nil {
				t.Fatal("it can be read already")
			}
			before := target.FilesSum(cfg)
			if before == "" || before != target.FilesSum(cfg) {
				t.Fatal("the sum changes while the files do not")
			}
			write(test.after)
			if target.FilesSum(cfg) == before {
				t.Error("the sum is what it was before")
			}
			settle(t, open(t, cfg), target.State{Requested: 1, Ready: 1})
		})
	}
}

func readFile(t testing.TB, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
