package targettest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// WorkerPackage is the replica program, see its documentation for what it can
// be told to do.
const WorkerPackage = "github.com/alertscaler/alertscaler/scaler/target/targettest/worker"

// BuildWorker builds the replica program, static, into dir and returns its
// path. It is meant for TestMain, so that one build serves all tests.
func BuildWorker(dir string) (string, error) {
	path := filepath.Join(dir, "worker")
	cmd := exec.Command("go", "build", "-o", path, WorkerPackage)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the worker: %w\n%s", err, out)
	}
	return path, nil
}
