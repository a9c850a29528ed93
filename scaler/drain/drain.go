// Package drain asks whoever runs on a replica to finish before it is taken
// away: a game to end, a job to be done. The hook is an HTTP request or a
// command; it is told which replica is meant and says when that may go.
package drain

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	commoncfg "github.com/prometheus/common/config"
	"github.com/prometheus/common/model"

	"github.com/alertscaler/alertscaler/scaler/outgoing"
	"github.com/alertscaler/alertscaler/scaler/program"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// Config says how a replica is drained. Exactly one of HTTP and Command is
// set.
type Config struct {
	HTTP *HTTPConfig `yaml:"http,omitempty"`
	// Command is a program and its arguments.
	Command []string `yaml:"command,omitempty"`
	// PassEnv names variables of the server's own environment that Command is
	// given beside the usual ones, see program.Environ.
	PassEnv []string `yaml:"pass_env,omitempty"`
	// Timeout is how long a replica may take; then it goes as it is.
	Timeout model.Duration `yaml:"timeout"`
	// Interval is how soon a hook that has not succeeded is called again.
	Interval model.Duration `yaml:"interval"`
}

// HTTPConfig is a hook that is an HTTP request.
type HTTPConfig struct {
	// URL may hold the placeholders of a command.
	URL string `yaml:"url"`
	// HTTPClientConfig is that of the whole Prometheus family.
	HTTPClientConfig commoncfg.HTTPClientConfig `yaml:",inline"`
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *Config) UnmarshalYAML(unmarshal func(any) error) error {
	*c = Config{Timeout: model.Duration(5 * time.Minute), Interval: model.Duration(5 * time.Second)}
	type plain Config
	return unmarshal((*plain)(c))
}

// UnmarshalYAML sets the defaults and decodes over them.
func (c *HTTPConfig) UnmarshalYAML(unmarshal func(any) error) error {
	*c = HTTPConfig{HTTPClientConfig: commoncfg.DefaultHTTPClientConfig}
	type plain HTTPConfig
	return unmarshal((*plain)(c))
}

// SetDirectory makes relative file names, and a program given with a slash,
// relative to dir, the directory of the configuration file.
func (c *Config) SetDirectory(dir string) {
	c.Command = target.JoinCommand(dir, c.Command)
	if c.HTTP != nil {
		c.HTTP.HTTPClientConfig.SetDirectory(dir)
	}
}

// Validate reports what is wrong, as a *target.FieldError where one key is to
// blame. It calls nothing.
func (c *Config) Validate() error {
	switch {
	case c.HTTP == nil && len(c.Command) == 0:
		return errors.New("needs http or command: what is called before a replica goes")
	case c.HTTP != nil && len(c.Command) > 0:
		return errors.New("takes http or command, not both")
	case c.Timeout <= 0:
		return &target.FieldError{Field: "timeout", Msg: "must be longer than 0s"}
	case c.Interval <= 0:
		return &target.FieldError{Field: "interval", Msg: "must be longer than 0s"}
	case len(c.Command) == 0 && len(c.PassEnv) > 0:
		return &target.FieldError{Field: "pass_env", Msg: "is for command; a request is given no environment"}
	case len(c.Command) > 0:
		if err := program.ValidateEnviron(c.PassEnv, nil); err != nil {
			return err
		}
		if c.Command[0] == "" {
			return &target.FieldError{Field: "command", Msg: "must begin with a program"}
		}
		for _, arg := range c.Command {
			if err := checkPlaceholders(arg); err != nil {
				return &target.FieldError{Field: "command", Msg: err.Error()}
			}
		}
		return lookUp(c.Command[0])
	}
	if err := checkPlaceholders(c.HTTP.URL); err != nil {
		return &target.FieldError{Field: "http.url", Msg: err.Error()}
	}
	// An address may be a host or a host and a port; whichever the platform
	// knows, the rest must make a URL of it.
	example := Request{Replica: target.Replica{ID: "1", Name: "web-1", Address: "10.0.0.1"}, Action: Drain}
	u, err := url.Parse(example.expand(c.HTTP.URL, url.PathEscape))
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return &target.FieldError{Field: "http.url", Msg: "must be a URL such as http://drainer/replicas/{name} or http://{address}:8080/drain"}
	}
	if u.User != nil {
		return &target.FieldError{Field: "http.url", Msg: "must not name a user; that is what basic_auth is for"}
	}
	if err := c.HTTP.HTTPClientConfig.Validate(); err != nil {
		return &target.FieldError{Field: "http", Msg: err.Error()}
	}
	return nil
}

// lookUp checks that a program written with a slash is there to be run. What
// PATH has may come later, and a name that depends on the replica is known only
// when there is one.
func lookUp(program string) error {
	if !strings.ContainsRune(program, filepath.Separator) || strings.Contains(program, "{") {
		return nil
	}
	if _, err := exec.LookPath(program); err != nil {
		if e, ok := errors.AsType[*exec.Error](err); ok {
			err = e.Err // without the name, which is said here
		}
		return &target.FieldError{Field: "command", Msg: fmt.Sprintf("program %q cannot be run: %v", program, err)}
	}
	return nil
}

// Action is what is asked of a hook.
type Action string

// The actions.
const (
	// Drain: take no more work, finish what there is.
	Drain Action = "drain"
	// Cancel: the replica stays after all and may take work again.
	Cancel Action = "cancel"
)

// Request is one call of a hook.
type Request struct {
	Action      Action
	Policy      string
	Target      string
	ScaleTarget string
	Replica     target.Replica
	// Deadline is when the replica goes, drained or not.
	Deadline time.Time
}

// placeholders are what stands for a part of a request in URLs and arguments.
var placeholders = map[string]func(*Request) string{
	"action":  func(r *Request) string { return string(r.Action) },
	"policy":  func(r *Request) string { return r.Policy },
	"target":  func(r *Request) string { return r.Target },
	"replica": func(r *Request) string { return r.Replica.ID },
	"name":    func(r *Request) string { return r.Replica.Name },
	"address": func(r *Request) string { return r.Replica.Address },
}

// known lists the placeholders in the order of the documentation.
const known = "{action}, {policy}, {target}, {replica}, {name}, {address}"

func checkPlaceholders(s string) error {
	for rest := s; ; {
		_, after, ok := strings.Cut(rest, "{")
		if !ok {
			return nil
		}
		name, tail, ok := strings.Cut(after, "}")
		if !ok {
			return nil
		}
		if _, ok := placeholders[name]; !ok {
			return fmt.Errorf("{%s} is not a placeholder; they are %s", name, known)
		}
		rest = tail
	}
}

// expand puts the request's parts in place of the placeholders.
func (r *Request) expand(s string, escape func(string) string) string {
	var pairs []string
	for name, of := range placeholders {
		value := of(r)
		if name != "address" {
			value = escape(value) // an address is a host, or host:port, as it stands
		}
		pairs = append(pairs, "{"+name+"}", value)
	}
	return strings.NewReplacer(pairs...).Replace(s)
}

// needsAddress reports whether s cannot do without the replica's address.
func needsAddress(s string) bool { return strings.Contains(s, "{address}") }

// Hook calls what is configured. It is safe for concurrent use.
type Hook struct {
	cfg Config
	// call calls the hook once. Again is how soon the hook wants to be called
	// again where it has failed or the replica is still at work; 0: it does
	// not say.
	call func(ctx context.Context, r Request) (again time.Duration, err error)
}

// New builds a hook. It calls nothing.
func New(cfg Config) (*Hook, error) {
	if cfg.HTTP == nil {
		return &Hook{cfg: cfg, call: command{cfg.Command, cfg.PassEnv}.call}, nil
	}
	c, err := outgoing.NewClient(cfg.HTTP.HTTPClientConfig, "drain")
	if err != nil {
		return nil, fmt.Errorf("build the HTTP client: %w", err)
	}
	// The page that a POST is redirected to, such as that for a login, would be
	// taken for the hook's word that the replica is done.
	c.CheckRedirect = outgoing.Stay
	return &Hook{cfg: cfg, call: (&httpHook{url: cfg.HTTP.URL, client: c}).call}, nil
}

// Timeout is how long one replica may take.
func (h *Hook) Timeout() time.Duration { return time.Duration(h.cfg.Timeout) }

// errNotYet is a hook's word that the replica is still at work.
var errNotYet = errors.New("the replica is still at work")

// Tell calls the hook once, whatever it answers: how it is told of a Cancel.
func (h *Hook) Tell(ctx context.Context, r Request) error {
	_, err := h.call(ctx, r)
	return err
}

// Wait calls the hook until it has succeeded, and returns nil then. It returns
// the error of ctx where that ends first. failed is told every error but that
// the replica is still at work.
func (h *Hook) Wait(ctx context.Context, r Request, failed func(error)) error {
	for {
		again, err := h.call(ctx, r)
		switch {
		case err == nil:
			return nil
		case ctx.Err() != nil:
			return ctx.Err()
		case !errors.Is(err, errNotYet):
			failed(err)
		}
		if again <= 0 {
			again = time.Duration(h.cfg.Interval)
		}
		select {
		case <-time.After(again):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
