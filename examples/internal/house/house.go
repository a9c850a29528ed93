package house

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// Options say what an example runs. The configuration files prometheus.yml,
// alertmanager.yml and alertscaler.yml are in its folder, and name the same
// addresses.
type Options struct {
	// Name of the example: its folder in examples, and its program.
	Name string
	// Prometheus, Alertmanager and Alertscaler are the URLs where they listen.
	Prometheus, Alertmanager, Alertscaler string
	// Prepare, where not nil, is called once the programs are built and before
	// the first is started. What it adds to the house starts before the three.
	Prepare func(context.Context, *House) error
	// Limit is how long the story may take altogether; 10 minutes if zero.
	Limit time.Duration
}

// House is the programs that an example runs, with their data.
type House struct {
	Options
	// Home is the example's folder, Data the place below it for what the
	// programs write. Data is empty at the start and stays after the end, for
	// its logs.
	Home, Data string

	programs []*program
	cleanups []func()

	ctx     context.Context // of what Go runs: ends with the house
	end     context.CancelFunc
	running sync.WaitGroup
}

// errMissing says that this machine lacks something the example needs.
var errMissing = errors.New("this machine lacks")

// Missing is an error that says that this machine lacks something, which the
// text begins with, and how to get it. An example that ends with it exits with
// ExitMissing.
func Missing(format string, args ...any) error {
	return fmt.Errorf("%w %s", errMissing, fmt.Sprintf(format, args...))
}

// New builds what is ours, prepares an empty place for data, and calls Prepare.
// Where it fails, what was prepared so far is undone.
func New(ctx context.Context, o Options) (*House, error) {
	home, err := filepath.Abs(filepath.Join("examples", o.Name))
	if err != nil {
		return nil, err
	}
	if _, err := os.Stat(filepath.Join(home, "alertscaler.yml")); err != nil {
		return nil, fmt.Errorf("run it from the root of the repository: %w", err)
	}
	h := &House{Options: o, Home: home, Data: filepath.Join(home, "data")}
	h.ctx, h.end = context.WithCancel(context.WithoutCancel(ctx))
	prometheus, err := h.Tool("PROMETHEUS", "prometheus")
	if err != nil {
		return nil, err
	}
	alertmanager, err := h.Tool("ALERTMANAGER", "alertmanager")
	if err != nil {
		return nil, err
	}
	if err := h.build(ctx); err != nil {
		return nil, err
	}
	if o.Prepare != nil {
		if err := o.Prepare(ctx, h); err != nil {
			h.Stop()
			return nil, err
		}
	}
	h.Add("prometheus", o.Prometheus+"/-/ready", prometheus,
		"--config.file="+filepath.Join(home, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(h.Data, "prometheus"),
		"--web.listen-address="+Host(o.Prometheus))
	h.Add("alertmanager", o.Alertmanager+"/-/ready", alertmanager,
		"--config.file="+filepath.Join(home, "alertmanager.yml"),
		"--storage.path="+filepath.Join(h.Data, "alertmanager"),
		"--web.listen-address="+Host(o.Alertmanager),
		"--cluster.listen-address=")
	h.Add("alertscaler", o.Alertscaler+"/-/ready", h.Bin("alertscaler"),
		"--config.file="+filepath.Join(home, "alertscaler.yml"),
		"--storage.path="+filepath.Join(h.Data, "alertscaler"),
		"--web.listen-address="+Host(o.Alertscaler))
	return h, nil
}

// build makes the place for data and builds Alertscaler and the example's own
// program into it. Both are static, so that they run in an image from scratch.
func (h *House) build(ctx context.Context) error {
	if err := os.RemoveAll(h.Data); err != nil {
		return fmt.Errorf("clear the data of the last run: %w", err)
	}
	if err := os.MkdirAll(h.Bin(""), 0o755); err != nil {
		return fmt.Errorf("make a place for data: %w", err)
	}
	fmt.Printf("Building alertscaler and %s …\n", h.Name)
	build := exec.CommandContext(ctx, "go", "build", "-o", h.Bin("")+string(os.PathSeparator), "./cmd/alertscaler", "./examples/"+h.Name)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return fmt.Errorf("build: %w", err)
	}
	return nil
}

// Bin is the path of a program that was built.
func (h *House) Bin(name string) string { return filepath.Join(h.Data, "bin", name) }

// Tool finds a program by the variable that make sets, or on the PATH.
func (h *House) Tool(variable, name string) (string, error) {
	if p := os.Getenv(variable); p != "" {
		return p, nil
	}
	p, err := exec.LookPath(name)
	if err != nil {
		return "", Missing("%s on its PATH; `make %s` builds it", name, h.command())
	}
	return p, nil
}

// command is the target of the Makefile that runs the example.
func (h *House) command() string {
	if h.Name == "demo" {
		return h.Name
	}
	return "example-" + h.Name
}

// Add adds a program, to be started after those that are there already. It is
// ready once a GET of ready answers 200. What was built is on its PATH.
func (h *House) Add(name, ready, path string, args ...string) {
	cmd := exec.Command(path, args...)
	cmd.Env = append(os.Environ(), "PATH="+h.Bin("")+string(os.PathListSeparator)+os.Getenv("PATH"))
	h.programs = append(h.programs, &program{name: name, ready: ready, cmd: cmd})
}

// Defer has f called once all programs have ended, the last given first.
func (h *House) Defer(f func()) { h.cleanups = append(h.cleanups, f) }

// Go runs f beside the story. It is ended before the first program is, and has
// to return once its context ends.
func (h *House) Go(f func(context.Context)) { h.running.Go(func() { f(h.ctx) }) }

// Start starts the programs one after another and waits until each is ready.
func (h *House) Start(ctx context.Context) error {
	for _, p := range h.programs {
		if err := p.start(ctx, h.Data); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

// Dead names a program that ended by itself.
func (h *House) Dead() error {
	for _, p := range h.programs {
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended; its log is %s", p.name, p.log.Name())
		default:
		}
	}
	return nil
}

// Stop ends what Go runs and the programs, the last started first, and cleans
// up behind them.
func (h *House) Stop() {
	h.end()
	h.running.Wait()
	for _, p := range slices.Backward(h.programs) {
		p.stop()
	}
	for _, f := range slices.Backward(h.cleanups) {
		f()
	}
	h.programs, h.cleanups = nil, nil
}

// Host is the host and port of a URL.
func Host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return u.Host
}
