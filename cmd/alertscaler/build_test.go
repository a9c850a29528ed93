package main_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
)

// buildDir has the programs that are built, until all tests have ended.
var buildDir string

// build builds the program as users do, with the race detector where the tests
// have it, so that it watches the real thing too.
func build() (string, error) {
	if raceEnabled {
		return goBuild("alertscaler", nil, "-race")
	}
	return goBuild("alertscaler", nil)
}

// released is the program that users get: stripped, and without the race
// detector, which takes several times the memory and the time. It is built once
// for all tests that measure, as .promu.yml has it, so that the build at the end
// of CI has most of it done.
func released(t testing.TB) string {
	t.Helper()
	program, err := buildReleased()
	if err != nil {
		t.Fatal(err)
	}
	return program
}

var buildReleased = sync.OnceValues(func() (string, error) {
	return goBuild("alertscaler-released", []string{"CGO_ENABLED=0"}, "-trimpath", "-tags=netgo", "-ldflags=-s -w")
})

// goBuild builds the program of this directory as buildDir/name.
func goBuild(name string, env []string, flags ...string) (string, error) {
	path := filepath.Join(buildDir, name)
	cmd := exec.Command("go", slices.Concat([]string{"build", "-o", path}, flags, []string{"."})...)
	cmd.Env = append(os.Environ(), env...)
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build alertscaler: %w\n%s", err, out)
	}
	return path, nil
}
