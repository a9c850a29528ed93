package ansible

import (
	"os"
	"regexp"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// TestDocumentedExample runs the example of docs/ansible.md as it is written.
func TestDocumentedExample(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../../docs/ansible.md")
	if err != nil {
		t.Fatal(err)
	}
	s := site{t.TempDir()}
	files := regexp.MustCompile("(?s)`([a-z]+\\.[a-z]+)`[^`]*(?:`web` [^`]*)?```[a-z]+\n(.*?)```").FindAllSubmatch(doc, 3)
	if len(files) != 3 {
		t.Fatalf("%d files in the example, want 3", len(files))
	}
	for _, f := range files {
		s.write(t, string(f[1]), string(f[2]), 0o644)
	}
	var c struct {
		Policies []struct {
			Targets []struct{ Ansible *Config }
		}
	}
	text, err := os.ReadFile(s.path("alertscaler.yml"))
	if err != nil {
		t.Fatal(err)
	}
	if err := yaml.Unmarshal(text, &c); err != nil {
		t.Fatal(err)
	}
	cfg := c.Policies[0].Targets[0].Ansible
	cfg.SetDirectory(s.dir)
	p := open(t, cfg)
	p.acceptAfter = time.Minute
	for _, n := range []int{3, 1} {
		if err := p.Scale(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if st := current(t, p); st.Requested != n || st.Ready != n || st.Failed != nil {
			t.Errorf("%+v after Scale(%d)", st, n)
		}
	}
}
