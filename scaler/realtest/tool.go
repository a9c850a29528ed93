package realtest

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Tool returns the path of a program: the one built from the pin in .bingo, or
// in a module below testdata, if `make tools` has built it, else what is on
// PATH. Absent from both, t skips or fails. Programs without a pin, such as
// ansible-playbook, are looked up on PATH alone.
func Tool(t testing.TB, name string) string {
	t.Helper()
	version, err := pinned(name)
	if err != nil {
		t.Fatal(err)
	}
	if version != "" {
		path := filepath.Join(toolsDir(t), name+"-"+version)
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if version == "" {
		SkipOrFail(t, "needs %s on PATH", name)
	}
	SkipOrFail(t, "needs %s %s: run `make tools`", name, version)
	return ""
}

// toolsDir is where the Makefile puts the tools it builds.
func toolsDir(t testing.TB) string {
	t.Helper()
	if dir := os.Getenv("ALERTSCALER_TOOLS"); dir != "" {
		return dir
	}
	cache := os.Getenv("XDG_CACHE_HOME")
	if cache == "" {
		home, err := os.UserHomeDir()
		if err != nil {
			t.Fatalf("find the built tools: %v", err)
		}
		cache = filepath.Join(home, ".cache")
	}
	return filepath.Join(cache, "alertscaler", "tools")
}

// nested are the programs that have a module below testdata, and the module
// there that their version is of.
var nested = map[string]struct{ dir, module string }{
	"cadvisor":                {"cadvisor", "github.com/google/cadvisor"},
	"etcd":                    {"kubernetes", "go.etcd.io/etcd/server/v3"},
	"kube-apiserver":          {"kubernetes", "k8s.io/kubernetes"},
	"kube-controller-manager": {"kubernetes", "k8s.io/kubernetes"},
}

// pinned returns the version of a tool that this tree asks for, empty if it
// names none.
func pinned(tool string) (string, error) {
	root, err := repoRoot()
	if err != nil {
		return "", err
	}
	file, module := filepath.Join(root, ".bingo", tool+".mod"), ""
	if n, ok := nested[tool]; ok {
		file, module = filepath.Join(root, "testdata", n.dir, "go.mod"), n.module
	}
	f, err := os.Open(file)
	if os.IsNotExist(err) {
		return "", nil
	}
	if err != nil {
		return "", err
	}
	defer f.Close()

	for lines := bufio.NewScanner(f); lines.Scan(); {
		words := strings.Fields(strings.TrimPrefix(lines.Text(), "require "))
		if len(words) < 2 || !strings.HasPrefix(words[1], "v") {
			continue
		}
		if module == "" || words[0] == module {
			return words[1], nil
		}
	}
	return "", fmt.Errorf("%s requires no version of %s", file, tool)
}

// repoRoot is the nearest directory upwards that has the pins. Tests run in
// their package's directory, which may belong to a nested module.
func repoRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, ".bingo")); err == nil {
			return dir, nil
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", fmt.Errorf("no .bingo directory above the working directory")
		}
		dir = parent
	}
}
