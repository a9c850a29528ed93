// Alertscaler turns Prometheus alerts into capacity: Alertmanager delivers
// firing scale-up and scale-down alerts to it, and it decides, from
// reservations, bounds and cooldowns, how many replicas each target should
// have.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // images from scratch have no time zones of their own

	"github.com/alecthomas/kingpin/v2"
	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	versioncollector "github.com/prometheus/client_golang/prometheus/collectors/version"
	"github.com/prometheus/common/model"
	"github.com/prometheus/common/version"
	"github.com/prometheus/exporter-toolkit/web"
	"github.com/prometheus/exporter-toolkit/web/kingpinflag"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/clock"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/discovery"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/target/install"
	"github.com/alertscaler/alertscaler/webhook"
)

const (
	// shutdownTimeout bounds how long evaluations in flight and draining
	// replicas are waited for.
	shutdownTimeout = 45 * time.Second
	// brokenTimeout is the same where the ledger can no longer be used: what
	// comes of them cannot be remembered anyway.
	brokenTimeout = 2 * time.Second
)

// minBody is the least that --web.max-body-bytes may be. What is refused for
// its size is lost to the policies until the group shrinks.
const minBody = 4 << 20

// minAlertsBytes is the least that --alerts.max-bytes may be: some 1,000
// alerts.
const minAlertsBytes = 1 << 20

func main() {
	os.Exit(runMain(os.Args[1:], os.Stderr))
}

// options are the flags.
type options struct {
	configFile      string
	storagePath     string
	repair          bool
	retention       model.Duration
	maxBody         int64
	maxConnections  int
	maxAlertsBytes  int
	externalURLs    []string
	enableLifecycle bool
	enableAdminAPI  bool
	logFormat       string
	logLevel        string
	web             *web.FlagConfig
}

// newApp returns the command line, which is parsed into o.
func newApp(o *options) *kingpin.Application {
	app := kingpin.New("alertscaler", "Turns Prometheus alerts into capacity.")
	app.Version(version.Print("alertscaler"))
	app.HelpFlag.Short('h')
	app.Flag("config.file", "Configuration file.").Default("alertscaler.yml").StringVar(&o.configFile)
	app.Flag("storage.path", "Directory of the ledger.").Default("data/").StringVar(&o.storagePath)
	app.Flag("storage.repair", "Where the ledger is damaged, move it aside and go on with what can be read of it.").BoolVar(&o.repair)
	app.Flag("storage.retention", "How long decisions and actions are kept.").Default("15d").SetValue(&o.retention)
	app.Flag("alerts.max-bytes", "The most memory that active alerts may take together, in bytes; more are refused.").Default(strconv.Itoa(alerts.DefaultMaxBytes)).IntVar(&o.maxAlertsBytes)
	app.Flag("web.external-url", "The URL under which browsers reach the server where that has a name of its own, such as that of a proxy. Repeatable.").StringsVar(&o.externalURLs)
	app.Flag("web.max-connections", "The most connections at once.").Default(strconv.Itoa(webhook.DefaultMaxConnections)).IntVar(&o.maxConnections)
	app.Flag("web.max-body-bytes", "The largest webhook body that is taken in.").Default("8388608").Int64Var(&o.maxBody)
	app.Flag("web.enable-lifecycle", "Enable reloading by HTTP request.").BoolVar(&o.enableLifecycle)
	app.Flag("web.enable-admin-api", "Enable pausing and resuming policies by HTTP request.").BoolVar(&o.enableAdminAPI)
	app.Flag("log.format", "Output format of log messages.").Default("logfmt").EnumVar(&o.logFormat, logFormats...)
	app.Flag("log.level", "Only log messages of this level and above.").Default("info").EnumVar(&o.logLevel, logLevels...)
	o.web = kingpinflag.AddFlags(app, "127.0.0.1:9920")
	return app
}

func parse(args []string) (options, error) {
	var o options
	if _, err := newApp(&o).Parse(args); err != nil {
		if arg := blame(args); arg != "" {
			return o, fmt.Errorf("%s: %w", arg, err)
		}
		return o, err
	}
	if err := checkWeb(o); err != nil {
		return o, err
	}
	switch {
	case o.retention <= 0:
		return o, fmt.Errorf("--storage.retention=%s must be longer than 0s, such as 15d", o.retention)
	case o.maxAlertsBytes < minAlertsBytes:
		return o, fmt.Errorf("--alerts.max-bytes=%d is too few, want at least %d", o.maxAlertsBytes, minAlertsBytes)
	case o.maxBody < minBody:
		return o, fmt.Errorf("--web.max-body-bytes must be at least %d: a notification of 2,000 alerts is about 1.4 MB", minBody)
	}
	return o, nil
}

// blame returns the argument because of which the command line cannot be
// parsed: kingpin does not always name it.
func blame(args []string) string {
	for i, arg := range slices.Backward(args) {
		var o options
		app := newApp(&o).Terminate(nil)
		app.UsageWriter(io.Discard).ErrorWriter(io.Discard)
		if _, err := app.Parse(args[:i]); err != nil {
			continue
		}
		if i+1 < len(args) && strings.HasPrefix(arg, "--") && !strings.Contains(arg, "=") {
			return arg + " " + args[i+1]
		}
		return arg
	}
	return ""
}

func runMain(args []string, stderr io.Writer) int {
	o, err := parse(args)
	if err != nil {
		fmt.Fprintf(stderr, "alertscaler: %s, try --help\n", err)
		return 2
	}
	logger, err := newLogger(stderr, o.logFormat, o.logLevel)
	if err != nil {
		fmt.Fprintf(stderr, "alertscaler: %s\n", err)
		return 2
	}
	platforms := install.Registry()
	load := func() (*config.Config, error) { return config.LoadFile(o.configFile, platforms) }
	// Nothing is touched, the ledger included, for a configuration that does
	// not load. Its errors are for people, one a line.
	c, err := load()
	if err == nil {
		err = c.CheckStart()
	}
	if err != nil {
		fmt.Fprintln(stderr, err)
		return 1
	}
	if err := serve(o, load, logger); err != nil {
		level.Error(logger).Log("msg", "ended", "err", err)
		return 1
	}
	return 0
}

// serve builds the parts, joins them and runs them until a signal comes or one
// of them ends.
func serve(o options, load func() (*config.Config, error), logger log.Logger) (err error) {
	level.Info(logger).Log("msg", "starting alertscaler", "version", version.Info(), "build_context", version.BuildContext())
	reg := prometheus.NewRegistry()
	reg.MustRegister(
		versioncollector.NewCollector("alertscaler"),
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)

	clk := clock.New(clock.Options{Logger: log.With(logger, "component", "clock")})
	l, err := ledger.Open(ledger.Options{
		Path: o.storagePath, Retention: time.Duration(o.retention), Repair: o.repair, Now: clk.Now,
		Registerer: reg, Logger: log.With(logger, "component", "ledger"),
	})
	if err != nil {
		return err
	}
	defer func() {
		if closeErr := l.Close(); closeErr != nil && err == nil {
			err = fmt.Errorf("close the ledger: %w", closeErr)
		}
	}()
	// The book wakes the engine, which reads the book.
	var engine *scaler.Engine
	book, err := alerts.New(alerts.Options{
		Store: l, WriteInterval: alerts.DiskWriteInterval, MaxBytes: o.maxAlertsBytes,
		OnChange: func(policies []string) { engine.Wake(policies) },
		Logger:   log.With(logger, "component", "alerts"), Registerer: reg,
	})
	if err != nil {
		return err
	}
	readers := newUsages(reg, clk.Now, logger)
	defer readers.close()
	engine, err = scaler.New(scaler.Options{
		Alerts: book, Ledger: l, NewUsage: readers.build, Distrust: l.Cautious(),
		Now: clk.Now, Corrected: clk.Corrected,
		Logger: log.With(logger, "component", "engine"), Registerer: reg,
	})
	if err != nil {
		return err
	}
	reconciler := &reconciliation{book: book, logger: logger}
	defer reconciler.close()
	coordinator := config.NewCoordinator(load, log.With(logger, "component", "config"), reg,
		bookSubscriber(book), engine, readers, reconciler)
	discoveries := discovery.New(discovery.Options{
		Refresh: coordinator.Refresh,
		Logger:  log.With(logger, "component", "discovery"), Registerer: reg,
	})
	defer discoveries.Close()
	coordinator.ExtendBy(discoveries)
	if err := coordinator.Reload(context.Background()); err != nil {
		return err
	}
	connections := connectionLimit(o, logger)
	handler, err := newHandler(o, connections, parts{
		book: book, engine: engine, ledger: l, coordinator: coordinator, discoveries: discoveries,
		registry: reg, now: clk.Now, logger: log.With(logger, "component", "web"),
	})
	if err != nil {
		return err
	}

	servers := newWebServers(o, handler, connections, reg, logger)

	var g run.Group
	addSignals(&g, coordinator, logger)
	servers.add(&g)
	addLoop(&g, l.Watch)
	addLoop(&g, book.Run)
	addLoop(&g, discoveries.Run)
	// The engine waits for the listeners: a server that cannot be reached must
	// not start replicas.
	addEngine(&g, engine, servers.listening)
	return g.Run()
}

// addLoop runs a loop that ends with its context.
func addLoop(g *run.Group, loop func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	g.Add(func() error { return loop(ctx) }, func(error) { cancel() })
}

// addEngine starts the engine once the server listens, and stops it with the
// group: what is in flight ends, then the targets are closed.
func addEngine(g *run.Group, engine *scaler.Engine, listening <-chan struct{}) {
	done := make(chan struct{})
	timeout := shutdownTimeout
	g.Add(func() error {
		select {
		case <-listening:
			engine.Start()
			<-done
		case <-done:
		}
		ctx, cancel := context.WithTimeout(context.Background(), timeout)
		defer cancel()
		return engine.Stop(ctx)
	}, func(err error) {
		if errors.Is(err, ledger.ErrBroken) {
			timeout = brokenTimeout
		}
		close(done)
	})
}
