// Package target is the contract between the engine and whatever holds
// replicas. A platform implements Target and writes only its own calls: the
// loop, retries, backoff and metrics live once, in the engine.
package target

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"
)

// State is a target as its platform reports it.
type State struct {
	// Requested is the count the platform was last asked for, by anyone.
	Requested int
	// Ready is how many replicas serve; it may exceed Requested while
	// surplus replicas drain.
	Ready int
	// Min and Max are the platform's own bounds; Max 0 means it has none.
	Min, Max int
	// LastChange is when Requested last changed; zero where the platform
	// cannot tell.
	LastChange time.Time
	// Failed is why the platform gave up on the last request that it had
	// accepted from this target, with its kind; nil where it did not, and once
	// there is another request. Platforms that answer only when they are done
	// have no need of it.
	Failed error
}

// Target is one thing that can be scaled.
//
// All methods are safe for concurrent use, honour ctx and return errors of
// this package's kinds (see KindOf). None of them retries: the engine does.
type Target interface {
	// Current reads the target. It never changes anything and never invents
	// a number: what cannot be read is an error.
	Current(ctx context.Context) (State, error)
	// Scale asks for exactly desired replicas, desired ≥ 0. It is absolute
	// and idempotent: asking twice is asking once. It returns when the
	// platform accepted the request, not when replicas are ready, and returns
	// an error of KindNoOp where the platform already has that count.
	Scale(ctx context.Context, desired int) error
}

// Closer is a Target that holds something that outlives its calls. Close is
// called once, after the last call to the target returned.
type Closer interface {
	Close() error
}

// Restorer is a Target that loses its replicas with the server, as processes
// do. Restore is called once, before any other call, with the number last
// requested of it according to the ledger; known is false where the ledger
// has none.
type Restorer interface {
	Restore(ctx context.Context, requested int, known bool) error
}

// Endpoints is a Target that knows the addresses of its replicas, for
// Prometheus' HTTP service discovery.
type Endpoints interface {
	// Endpoints returns host:port addresses of the replicas that run, sorted.
	Endpoints() []string
}

// Options is what the server lends to every target. The zero value of each
// field is a safe default.
type Options struct {
	// Policy and Name identify the target, ScaleTarget is the value of the
	// scale_target label its series carry; all are set by the engine.
	Policy, Name, ScaleTarget string
	// Logger is never nil when New is called by the engine.
	Logger log.Logger
	// Registerer for the target's own metrics, already labelled with nothing:
	// a target adds policy and target labels itself. Nil: no metrics.
	Registerer prometheus.Registerer
	// HTTPClient overrides the transport in tests.
	HTTPClient *http.Client
}

// Log is Logger, or one that drops all.
func (o Options) Log() log.Logger {
	if o.Logger == nil {
		return log.NewNopLogger()
	}
	return o.Logger
}

// Config is one platform's configuration, valid once decoded and validated.
type Config interface {
	// Platform is the key in the configuration: docker_service, process, ...
	Platform() string
	// Validate reports what is wrong with the values, as a *FieldError where
	// one key is to blame.
	Validate() error
	// Identity names the thing that is scaled, so that two policies that own
	// the same one can be refused: "docker_service unix:///... shop_web".
	// Empty: the target is a thing of its own, and never another's.
	Identity() string
	// New builds the target. It may dial lazily and must not change anything.
	New(Options) (Target, error)
}

// Files is a Config, or a DiscoveryConfig, that names files which say how the
// platform is reached: certificates, tokens, credentials. A reload builds its
// target anew where their content has changed, as it does for a configuration
// that has.
type Files interface {
	// FilesSum stands for the content of these files at this moment; it tells
	// nothing of it. Files that cannot be read have a sum as well.
	FilesSum() string
}

// FilesSum is that of a configuration; empty for one that names no files.
func FilesSum(config any) string {
	if f, ok := config.(Files); ok {
		return f.FilesSum()
	}
	return ""
}

// FieldError says which key of a configuration is wrong and what would be
// right.
type FieldError struct {
	// Field is the key, dotted for nested ones: "ready.http_path".
	Field string
	Msg   string
}

// Error renders "field: message".
func (e *FieldError) Error() string { return e.Field + ": " + e.Msg }

// Check is nil where ok, and else a *FieldError of this field. cmp.Or returns
// the first of several.
func Check(ok bool, field, format string, args ...any) error {
	if ok {
		return nil
	}
	return &FieldError{Field: field, Msg: fmt.Sprintf(format, args...)}
}

// CheckList is nil where each of several values is ok and none is there twice, and
// else a *FieldError of this field about the first that is wrong. format says with
// the value that it is not ok; same is nil for values that are compared as they
// are.
func CheckList(field string, values []string, ok func(string) bool, format string, same func(a, b string) bool) error {
	for i, v := range values {
		twice := slices.ContainsFunc(values[:i], func(other string) bool { return v == other || same != nil && same(v, other) })
		if err := cmp.Or(Check(ok(v), field, format, v), Check(!twice, field, "%q is there twice", v)); err != nil {
			return err
		}
	}
	return nil
}

// CheckError is nil for a nil err, and else a *FieldError of this field that says
// the same.
func CheckError(field string, err error) error {
	return Check(err == nil, field, "%v", err)
}
