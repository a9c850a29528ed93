package simulate

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// ErrFailed says that a test failed, or that a file of them is not valid.
var ErrFailed = errors.New("policy tests failed")

// TestFiles loads files of tests, runs those whose name only matches, nil all
// of them, and writes what became of them. The error wraps ErrFailed where one
// is not well; any other means that a file could not be read.
func TestFiles(ctx context.Context, out io.Writer, files []string, only *regexp.Regexp, platforms *target.Registry) error {
	failed, ran := 0, 0
	for _, name := range files {
		fmt.Fprintf(out, "Policy tests: %s\n", name)
		f, err := Load(name, platforms)
		if errors.As(err, new(*os.PathError)) {
			return err
		}
		var failures []string
		if err != nil {
			failures = []string{err.Error()}
		} else {
			var n int
			failures, n = runAll(ctx, f, only)
			ran += n
		}
		if len(failures) == 0 {
			fmt.Fprint(out, "  SUCCESS\n\n")
			continue
		}
		failed++
		fmt.Fprint(out, "  FAILED:\n")
		for _, text := range failures {
			fmt.Fprintf(out, "    %s\n", strings.ReplaceAll(strings.TrimRight(text, "\n"), "\n", "\n    "))
		}
		fmt.Fprintln(out)
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%w in %d of %d files", ErrFailed, failed, len(files))
	case ran == 0:
		return fmt.Errorf("%w: no test has a name that matches %s", ErrFailed, only)
	}
	return nil
}

// runAll returns a text for each test that failed, and how many ran.
func runAll(ctx context.Context, f *File, only *regexp.Regexp) (failures []string, ran int) {
	for _, t := range f.Tests {
		if only != nil && !only.MatchString(t.Name) {
			continue
		}
		ran++
		r, err := Run(ctx, t, Options{Quiet: true})
		if err != nil {
			failures = append(failures, fmt.Sprintf("%s (line %d): cannot be run: %s", t.Name, t.Line, err))
			continue
		}
		for i := range r.Failures {
			failures = append(failures, t.Name+": "+r.Failures[i].String())
		}
	}
	return failures, ran
}
