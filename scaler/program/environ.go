package program

import (
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/alertscaler/alertscaler/scaler/target"
)

// inherited are the variables of the server's own environment that programs
// are given: where things are, whose they are, and how words and times are
// written. The rest may hold the server's secrets, and is given by name.
var inherited = []string{
	"PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TZ", "LANG", "LANGUAGE", "LC_*",
	// Without these few programs start on Windows.
	"SYSTEMROOT", "SYSTEMDRIVE", "WINDIR", "COMSPEC", "PATHEXT", "TEMP", "TMP", "USERPROFILE", "APPDATA", "LOCALAPPDATA",
}

// Environ is the environment of a program: defaults, then what is inherited of
// the server's own, then what pass names there, then env. Of two values of one
// name the last counts.
func Environ(pass []string, env map[string]string, defaults ...string) []string {
	out := slices.Clone(defaults)
	for _, names := range [][]string{inherited, pass} {
		for _, kv := range os.Environ() {
			name, _, _ := strings.Cut(kv, "=")
			if name != "" && slices.ContainsFunc(names, func(of string) bool { return named(of, name) }) {
				out = append(out, kv)
			}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		out = append(out, name+"="+env[name])
	}
	return out
}

// named reports whether a name is the one given or, where that ends with a
// star, begins with what is before it.
func named(of, name string) bool {
	if prefix, ok := strings.CutSuffix(of, "*"); ok {
		return strings.HasPrefix(name, prefix)
	}
	return of == name
}

// ValidateEnviron checks the keys pass_env and env of a section.
func ValidateEnviron(pass []string, env map[string]string) error {
	for _, name := range pass {
		if name == "" || strings.ContainsAny(strings.TrimSuffix(name, "*"), "*=\x00$ ") {
			return &target.FieldError{Field: "pass_env", Msg: fmt.Sprintf("%q is not the name of an environment variable, such as SSH_AUTH_SOCK, or the beginning of names and a star, such as ANSIBLE_*", name)}
		}
	}
	for _, name := range slices.Sorted(maps.Keys(env)) {
		if name == "" || strings.ContainsAny(name, "=\x00") {
			return &target.FieldError{Field: "env", Msg: fmt.Sprintf("%q is not the name of an environment variable", name)}
		}
	}
	return nil
}

// Command is a program and its arguments, to be run in dir with the environment
// env. Where argv[0] is a relative path, it begins at the server's working
// directory and not at dir.
func Command(argv []string, dir string, env []string) *exec.Cmd {
	cmd := exec.Command(Absolute(argv[0]), argv[1:]...)
	cmd.Dir, cmd.Env = dir, env
	return cmd
}

// Absolute is a program as it can be started from any working directory.
func Absolute(name string) string {
	if !strings.ContainsRune(name, filepath.Separator) {
		return name
	}
	if abs, err := filepath.Abs(name); err == nil {
		return abs
	}
	return name
}
