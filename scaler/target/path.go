package target

import (
	"path/filepath"
	"strings"

	"github.com/prometheus/common/config"
)

// JoinPath makes a relative path of a configuration relative to dir, the
// directory of the configuration file, and keeps it a path. dir is absolute
// where the configuration was loaded from a file; were it not, filepath.Join
// would make "worker" of "." and "./worker", which is the name of a program in
// PATH and no longer the file beside the configuration. An empty path stays
// empty.
func JoinPath(dir, path string) string {
	joined := config.JoinDir(dir, path)
	if joined == "" || strings.ContainsRune(joined, filepath.Separator) {
		return joined
	}
	return "." + string(filepath.Separator) + joined
}

// JoinProgram is JoinPath for a program that is written with a slash. One
// without is a name that is looked up in PATH, and stays that.
func JoinProgram(dir, program string) string {
	if !strings.ContainsRune(program, filepath.Separator) {
		return program
	}
	return JoinPath(dir, program)
}

// JoinCommand returns command, a program and its arguments, with its program
// relative to dir as JoinProgram has it.
func JoinCommand(dir string, command []string) []string {
	if len(command) == 0 {
		return command
	}
	return append([]string{JoinProgram(dir, command[0])}, command[1:]...)
}
