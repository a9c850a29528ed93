package main

import (
	"fmt"
	"io"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

// Log formats and levels that the flags accept.
var (
	logFormats = []string{"logfmt", "json"}
	logLevels  = []string{"debug", "info", "warn", "error"}
)

// callerDepth is how many frames lie between a log line and the place in the
// logger where its caller is looked up, package level and its filter included.
const callerDepth = 5

// newLogger returns a logger in the manner of the Prometheus family: ts and
// caller first, levels filtered outermost.
func newLogger(w io.Writer, format, minLevel string) (log.Logger, error) {
	var l log.Logger
	switch format {
	case "logfmt":
		l = log.NewLogfmtLogger(log.NewSyncWriter(w))
	case "json":
		l = log.NewJSONLogger(log.NewSyncWriter(w))
	default:
		return nil, fmt.Errorf("log format %q is none of %v", format, logFormats)
	}
	allowed := level.ParseDefault(minLevel, nil)
	if allowed == nil {
		return nil, fmt.Errorf("log level %q is none of %v", minLevel, logLevels)
	}
	l = log.With(l, "ts", log.DefaultTimestampUTC, "caller", log.Caller(callerDepth))
	return level.NewFilter(l, level.Allow(allowed)), nil
}
