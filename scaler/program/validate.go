package program

import (
	"errors"
	"os"
	"os/exec"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// ValidateDir checks the key dir of a section, which is a working directory on
// this host; empty is none.
func ValidateDir(dir string) error {
	if dir == "" {
		return nil
	}
	info, err := os.Stat(dir)
	switch {
	case err != nil:
		return &target.FieldError{Field: "dir", Msg: err.Error()}
	case !info.IsDir():
		return &target.FieldError{Field: "dir", Msg: dir + " is not a directory"}
	}
	return nil
}

// Runnable is why a program cannot be run on this host; nil where it can. Whoever
// asks says which one it is.
func Runnable(name string) error {
	_, err := exec.LookPath(name)
	if e, ok := errors.AsType[*exec.Error](err); ok {
		return e.Err
	}
	return err
}
