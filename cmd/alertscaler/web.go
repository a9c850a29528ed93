package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/go-kit/log"
	"github.com/go-kit/log/level"
	"github.com/oklog/run"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/exporter-toolkit/web"
	slogkit "github.com/tjhop/slog-gokit"

	"github.com/alertscaler/alertscaler/scaler/sparselog"
	"github.com/alertscaler/alertscaler/webhook"
)

const (
	// requestTimeout bounds the header of a request, and all of it where
	// nobody reads its body.
	requestTimeout = 10 * time.Second
	// minConnections is the least that --web.max-connections may be.
	minConnections = 16
)

// checkWeb returns what is wrong with the flags of the web server.
func checkWeb(o options) error {
	if o.web.WebSystemdSocket == nil || !*o.web.WebSystemdSocket {
		for _, a := range *o.web.WebListenAddresses {
			if err := checkAddress(a); err != nil {
				return err
			}
		}
	}
	for _, u := range o.externalURLs {
		if parsed, err := url.Parse(u); err != nil || parsed.Hostname() == "" || (parsed.Scheme != "http" && parsed.Scheme != "https") {
			return fmt.Errorf("--web.external-url=%q is not a URL, want such as https://alertscaler.example.com/", u)
		}
	}
	if o.maxConnections < minConnections {
		return fmt.Errorf("--web.max-connections=%d is too few, want at least %d", o.maxConnections, minConnections)
	}
	if err := web.Validate(*o.web.WebConfigFile); err != nil {
		return fmt.Errorf("--web.config.file=%s: %w", *o.web.WebConfigFile, err)
	}
	return nil
}

// checkAddress refuses what net.Listen takes for any port: an unset variable
// would have the server listen where nobody looks for it, and for everybody.
func checkAddress(address string) error {
	const want = "want host:port such as 127.0.0.1:9920, or :9920 for all addresses of this machine"
	if rest, ok := strings.CutPrefix(address, "vsock://"); ok {
		address = rest
	}
	_, port, err := net.SplitHostPort(address)
	switch {
	case address == "":
		return errors.New("--web.listen-address is empty; " + want)
	case err != nil:
		return fmt.Errorf("--web.listen-address=%q: %w; %s", address, err, want)
	case port == "":
		return fmt.Errorf("--web.listen-address=%q has no port; %s", address, want)
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return fmt.Errorf("--web.listen-address=%q: %q is not a port; %s", address, port, want)
	}
	return nil
}

// hosts are the names by which the server may be asked.
func hosts(o options) *webhook.Hosts {
	names := slices.Clone(*o.web.WebListenAddresses)
	for _, u := range o.externalURLs {
		if parsed, err := url.Parse(u); err == nil {
			names = append(names, parsed.Host)
		}
	}
	if name, err := os.Hostname(); err == nil {
		names = append(names, name)
	}
	return webhook.NewHosts(names...)
}

// connectionLimit is --web.max-connections, or half of the files that the
// process may have open where that is less.
func connectionLimit(o options, logger log.Logger) int {
	var files syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &files); err != nil || files.Cur/2 >= uint64(o.maxConnections) {
		return o.maxConnections
	}
	limit := max(int(files.Cur/2), minConnections)
	level.Warn(logger).Log("msg", "fewer connections than --web.max-connections, because the process may not open more files",
		"connections", limit, "max_connections", o.maxConnections, "files", files.Cur)
	return limit
}

// webServers are the HTTP servers, one an address: the toolkit gives each a
// handler of its own that asks for credentials.
type webServers struct {
	flags   []*web.FlagConfig
	servers []*http.Server
	logger  log.Logger
	// listening is closed once all of them listen.
	listening chan struct{}
}

func newWebServers(o options, handler http.Handler, limit int, reg prometheus.Registerer, logger log.Logger) *webServers {
	s := &webServers{logger: log.With(logger, "component", "web"), listening: make(chan struct{})}
	if o.web.WebSystemdSocket != nil && *o.web.WebSystemdSocket {
		s.flags = append(s.flags, o.web)
	} else {
		for _, a := range *o.web.WebListenAddresses {
			one := *o.web
			one.WebListenAddresses = &[]string{a}
			s.flags = append(s.flags, &one)
		}
	}
	connections := webhook.NewConnections(limit, reg)
	errorLog := slog.NewLogLogger(slogkit.NewGoKitHandler(sparse{sparselog.New(), level.Debug(s.logger)}, nil), slog.LevelInfo)
	var waits sync.WaitGroup
	for range s.flags {
		waits.Add(1)
		var once sync.Once
		server := &http.Server{
			Handler:           handler,
			ReadHeaderTimeout: requestTimeout,
			ReadTimeout:       requestTimeout,
			WriteTimeout:      webhook.DefaultWriteTimeout,
			IdleTimeout:       2 * time.Minute,
			MaxHeaderBytes:    64 << 10,
			ConnState:         connections.Track,
			ConnContext:       connections.Context,
			ErrorLog:          errorLog,
		}
		server.BaseContext = func(net.Listener) context.Context {
			once.Do(func() {
				// By now the toolkit has put its own handler around ours.
				server.Handler = webhook.CloseUnread(server.Handler)
				waits.Done()
			})
			return context.Background()
		}
		s.servers = append(s.servers, server)
	}
	go func() { waits.Wait(); close(s.listening) }()
	return s
}

// add serves HTTP until the group ends.
func (s *webServers) add(g *run.Group) {
	for i, server := range s.servers {
		flags := s.flags[i]
		g.Add(func() error {
			err := web.ListenAndServe(server, flags, slog.New(slogkit.NewGoKitHandler(s.logger, nil)))
			if !errors.Is(err, http.ErrServerClosed) {
				return fmt.Errorf("serve HTTP at --web.listen-address=%s: %w", strings.Join(*flags.WebListenAddresses, ","), err)
			}
			return nil
		}, func(error) {
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			defer cancel()
			if err := server.Shutdown(ctx); err != nil {
				level.Warn(s.logger).Log("msg", "requests cut off at shutdown", "err", err)
			}
		})
	}
}

// sparse is a logger of what clients can cause, such as handshakes that fail.
type sparse struct {
	lines *sparselog.Logger
	to    log.Logger
}

func (s sparse) Log(keyvals ...any) error {
	s.lines.Log(s.to, keyvals...)
	return nil
}
