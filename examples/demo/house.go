package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"time"
)

// Where the three programs of the demo listen; the configuration files say
// the same.
const (
	prometheusURL   = "http://127.0.0.1:19090"
	alertmanagerURL = "http://127.0.0.1:19093"
	alertscalerURL  = "http://127.0.0.1:19920"
)

// house is the programs the demo runs, with their data.
type house struct {
	home, data string
	programs   []*program
}

type program struct {
	name, ready string
	cmd         *exec.Cmd
	log         *os.File
	done        chan struct{} // closed once it has ended
}

// newHouse builds what is ours and prepares an empty place for data.
func newHouse(ctx context.Context, home string) (*house, error) {
	h := &house{home: home, data: filepath.Join(home, "data")}
	if err := os.RemoveAll(h.data); err != nil {
		return nil, fmt.Errorf("clear the data of the last run: %w", err)
	}
	bin := filepath.Join(h.data, "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return nil, fmt.Errorf("make a place for data: %w", err)
	}
	fmt.Println("Building alertscaler and the demo's worker …")
	build := exec.CommandContext(ctx, "go", "build", "-o", bin+string(os.PathSeparator), "./cmd/alertscaler", "./examples/demo")
	build.Stdout, build.Stderr = os.Stdout, os.Stderr
	if err := build.Run(); err != nil {
		return nil, fmt.Errorf("build: %w", err)
	}
	prometheus, err := lookup("PROMETHEUS", "prometheus")
	if err != nil {
		return nil, err
	}
	alertmanager, err := lookup("ALERTMANAGER", "alertmanager")
	if err != nil {
		return nil, err
	}
	h.add("prometheus", prometheusURL+"/-/ready", prometheus,
		"--config.file="+filepath.Join(home, "prometheus.yml"),
		"--storage.tsdb.path="+filepath.Join(h.data, "prometheus"),
		"--web.listen-address="+host(prometheusURL))
	h.add("alertmanager", alertmanagerURL+"/-/ready", alertmanager,
		"--config.file="+filepath.Join(home, "alertmanager.yml"),
		"--storage.path="+filepath.Join(h.data, "alertmanager"),
		"--web.listen-address="+host(alertmanagerURL),
		"--cluster.listen-address=")
	h.add("alertscaler", alertscalerURL+"/-/ready", filepath.Join(bin, "alertscaler"),
		"--config.file="+filepath.Join(home, "alertscaler.yml"),
		"--storage.path="+filepath.Join(h.data, "alertscaler"),
		"--web.listen-address="+host(alertscalerURL))
	// The policy starts the worker by its name.
	h.programs[2].cmd.Env = append(os.Environ(), "PATH="+bin+string(os.PathListSeparator)+os.Getenv("PATH"))
	return h, nil
}

func (h *house) add(name, ready, path string, args ...string) {
	h.programs = append(h.programs, &program{name: name, ready: ready, cmd: exec.Command(path, args...)})
}

// start starts the programs one after another and waits until each is ready.
func (h *house) start(ctx context.Context) error {
	for _, p := range h.programs {
		if err := h.startOne(ctx, p); err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
	}
	return nil
}

func (h *house) startOne(ctx context.Context, p *program) error {
	address := host(p.ready)
	if c, err := net.DialTimeout("tcp", address, time.Second); err == nil {
		c.Close()
		return fmt.Errorf("something listens on %s already", address)
	}
	var err error
	if p.log, err = os.Create(filepath.Join(h.data, p.name+".log")); err != nil {
		return err
	}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	// Ctrl-C is for the demo, which ends its programs in order.
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return err
	}
	p.done = make(chan struct{})
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	fmt.Printf("Starting %-13s %s\n", p.name, p.ready[:len(p.ready)-len("/-/ready")])
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		if getJSON(ctx, http.DefaultClient, p.ready, nil) == nil {
			return nil
		}
		select {
		case <-p.done:
			return fmt.Errorf("it ended at once; its log is %s", p.log.Name())
		case <-ctx.Done():
			return fmt.Errorf("not ready in time; its log is %s: %w", p.log.Name(), ctx.Err())
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// dead names a program that ended by itself.
func (h *house) dead() error {
	for _, p := range h.programs {
		select {
		case <-p.done:
			return fmt.Errorf("%s has ended; its log is %s", p.name, p.log.Name())
		default:
		}
	}
	return nil
}

// stop ends the programs, the last started first.
func (h *house) stop() {
	for _, p := range slices.Backward(h.programs) {
		if p.done == nil {
			continue
		}
		_ = p.cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-p.done:
		case <-time.After(20 * time.Second):
			_ = p.cmd.Process.Kill()
			<-p.done
		}
		if err := p.log.Close(); err != nil && !errors.Is(err, os.ErrClosed) {
			fmt.Fprintln(os.Stderr, "demo: close log:", err)
		}
	}
}

func host(rawURL string) string {
	u, err := url.Parse(rawURL)
	if err != nil {
		return rawURL
	}
	return u.Host
}
