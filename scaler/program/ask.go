package program

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os/exec"
	"strings"
)

// maxComplaint bounds what is kept of what a program says on standard error.
const maxComplaint = 4 << 10

// Answer is what a program that was asked something has printed.
type Answer struct {
	// Stdout is the beginning of its standard output.
	Stdout []byte
	// Over: there was more of it.
	Over bool

	complaint *Output
}

// Ask runs cmd as Run does, and keeps limit bytes of what it prints. There is an
// answer beside an error, too, if not a whole one.
func Ask(ctx context.Context, cmd *exec.Cmd, limit int) (Answer, error) {
	printed, complaint := &Capped{Max: limit}, NewOutput(maxComplaint)
	cmd.Stdout, cmd.Stderr = printed, complaint
	err := Run(ctx, cmd)
	return Answer{Stdout: printed.Kept.Bytes(), Over: printed.Over, complaint: complaint}, err
}

// Said is what a program that did not work has to say, for an error: the end of
// its standard error or, where there is none, of its standard output.
func (a Answer) Said() string {
	if s := a.Complaint(); s != "" {
		return s
	}
	if s := bytes.TrimSpace(a.Stdout); len(s) > 0 {
		return strings.ToValidUTF8(string(s[max(0, len(s)-maxComplaint):]), "�")
	}
	return "it printed nothing"
}

// Complaint is the end of its standard error.
func (a Answer) Complaint() string { return a.complaint.Last(maxComplaint) }

// NeverStarts reports whether err is that of a program which is not there or may
// not be executed: no later try changes that.
func NeverStarts(err error) bool {
	return errors.Is(err, exec.ErrNotFound) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission)
}

// Excerpt is the beginning of what was printed, for an error.
func Excerpt(b []byte) string {
	const most = 200
	b = bytes.TrimSpace(b)
	if len(b) > most {
		return strings.ToValidUTF8(string(b[:most]), "�") + " ..."
	}
	return strings.ToValidUTF8(string(b), "�")
}
