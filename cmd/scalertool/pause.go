package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/user"
	"time"

	"github.com/alecthomas/kingpin/v2"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/policy"
)

// pauseFlags are the flags of pause. The set ones are told from those left
// out: --for="$UNSET" must not pause until somebody resumes.
type pauseFlags struct {
	length, until       string
	lengthSet, untilSet bool
	author, comment     string
}

// pauseRequest is what the server takes.
type pauseRequest struct {
	For     *string `json:"for,omitempty"`
	Until   *string `json:"until,omitempty"`
	By      string  `json:"by"`
	Comment string  `json:"comment"`
}

// registerPause adds pause and resume, which a server allows with
// --web.enable-admin-api.
func registerPause(app *kingpin.Application, commands map[string]command) {
	pause := app.Command("pause", "Keep a policy from acting. The server must run with --web.enable-admin-api.")
	pauseClient := newClient(pause)
	var f pauseFlags
	pause.Flag("for", "For how long, such as 2h or 1d12h; until resumed by default.").IsSetByUser(&f.lengthSet).StringVar(&f.length)
	pause.Flag("until", "Until when, such as 2026-01-05T08:00:00Z.").IsSetByUser(&f.untilSet).StringVar(&f.until)
	pause.Flag("comment", "Why.").Required().StringVar(&f.comment)
	pause.Flag("author", "Who; the user of the operating system by default.").StringVar(&f.author)
	pauseName := pause.Arg("policy", "The policy to pause.").Required().String()
	commands[pause.FullCommand()] = func(ctx context.Context, stdout io.Writer) error {
		path, err := policyPath(*pauseName, "/pause")
		if err != nil {
			return err
		}
		req, err := f.request()
		if err != nil {
			return err
		}
		var p policy.Pause
		if err := pauseClient.post(ctx, path, req, &p); err != nil {
			return err
		}
		_, err = fmt.Fprintf(stdout, "%s is paused %s\n", *pauseName, pauseText(&p))
		return err
	}

	resume := app.Command("resume", "Let a paused policy act again. The server must run with --web.enable-admin-api.")
	resumeClient := newClient(resume)
	resumeName := resume.Arg("policy", "The policy to resume.").Required().String()
	commands[resume.FullCommand()] = func(ctx context.Context, stdout io.Writer) error {
		path, err := policyPath(*resumeName, "/resume")
		if err != nil {
			return err
		}
		var answer struct {
			Resumed bool `json:"resumed"`
		}
		if err := resumeClient.post(ctx, path, nil, &answer); err != nil {
			return err
		}
		said := "is resumed"
		if !answer.Resumed {
			said = "was not paused"
		}
		_, err = fmt.Fprintf(stdout, "%s %s\n", *resumeName, said)
		return err
	}
}

// request checks what can be checked without the server's clock.
func (f *pauseFlags) request() (pauseRequest, error) {
	req := pauseRequest{By: f.author, Comment: f.comment}
	if req.By == "" {
		req.By = osUser()
	}
	switch {
	case f.lengthSet && f.untilSet:
		return req, errors.New("both --for and --until are given; give one, or neither to pause until somebody resumes")
	case f.lengthSet:
		if d, err := model.ParseDuration(f.length); err != nil || d <= 0 {
			return req, fmt.Errorf("--for=%q is not a duration longer than 0; want such as 90s, 2h or 1d12h", f.length)
		}
		req.For = &f.length
	case f.untilSet:
		if _, err := time.Parse(time.RFC3339, f.until); err != nil {
			return req, fmt.Errorf("--until=%q is not a time; want such as 2026-01-05T08:00:00Z", f.until)
		}
		req.Until = &f.until
	}
	return req, nil
}

// osUser is empty where it is not known; the server then takes who
// authenticated, or asks for a name.
func osUser() string {
	if u, err := user.Current(); err == nil && u.Username != "" {
		return u.Username
	}
	return os.Getenv("USER")
}
