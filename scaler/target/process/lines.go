package process

import (
	"bytes"

	"github.com/go-kit/log"
)

// maxLine is the longest line of a replica's output that is logged whole.
const maxLine = 4096

// lineLogger is an io.Writer that logs what is written to it line by line. A
// line is kept in memory up to maxLine bytes and dropped beyond them, so that
// a replica that never ends its lines costs no more than that.
//
// It is not safe for concurrent use; os/exec writes from one goroutine.
type lineLogger struct {
	logger    log.Logger
	line      []byte
	truncated bool
}

// Write never fails: a replica must not block or die of its log.
func (l *lineLogger) Write(p []byte) (int, error) {
	n := len(p)
	for {
		line, rest, ended := bytes.Cut(p, []byte("\n"))
		l.add(line)
		if !ended {
			return n, nil
		}
		l.flush()
		p = rest
	}
}

func (l *lineLogger) add(p []byte) {
	if room := maxLine - len(l.line); len(p) > room {
		p, l.truncated = p[:room], true
	}
	l.line = append(l.line, p...)
}

// flush logs what there is of a line, if there is anything.
func (l *lineLogger) flush() {
	line := bytes.TrimSuffix(l.line, []byte("\r"))
	if len(line) > 0 {
		kv := []any{"msg", "replica output", "line", string(line)}
		if l.truncated {
			kv = append(kv, "truncated", true)
		}
		_ = l.logger.Log(kv...)
	}
	l.line, l.truncated = l.line[:0], false
}
