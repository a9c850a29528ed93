package main

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
)

func TestLoggerNamesTheCaller(t *testing.T) {
	var b bytes.Buffer
	l, err := newLogger(&b, "logfmt", "info")
	if err != nil {
		t.Fatal(err)
	}
	level.Info(log.With(l, "component", "test")).Log("msg", "hello")
	level.Debug(l).Log("msg", "too quiet")
	if got := b.String(); !strings.HasPrefix(got, "ts=") || !strings.Contains(got, " caller=logger_test.go:") || strings.Count(got, "\n") != 1 {
		t.Errorf("logged %q", got)
	}
	for _, bad := range [][2]string{{"xml", "info"}, {"json", "loud"}} {
		if _, err := newLogger(&b, bad[0], bad[1]); err == nil {
			t.Errorf("format %s, level %s: accepted", bad[0], bad[1])
		}
	}
}
