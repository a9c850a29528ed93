package main_test

import (
	"fmt"
	"os/exec"
	"path/filepath"
)

// build builds the program as users do, with the race detector where the tests
// have it, so that it watches the real thing too.
func build(dir string) (string, error) {
	path := filepath.Join(dir, "alertscaler")
	args := []string{"build", "-o", path}
	if raceEnabled {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, ".")...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build alertscaler: %w\n%s", err, out)
	}
	return path, nil
}
