// Command worker is the replica that target tests scale: a small HTTP server
// that can be told to misbehave.
//
//	GET  /healthz      200 "ok", or 503 before --start-delay has passed or
//	                   after a POST to /unhealthy (POST /healthy undoes it)
//	GET  /?ms=20       burns 20 ms of CPU, then answers 200
//	GET  /write?bytes= writes and syncs that many bytes to a temporary file
//	POST /crash        exits with status 3
//
// On SIGTERM it stops listening, finishes what it serves and exits 0. Flags
// can be given in the environment as well, in capitals: START_DELAY=2s.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"time"
)

func main() { os.Exit(run()) }

func run() int {
	var (
		addr          = flag.String("addr", "127.0.0.1:0", "Address to listen on; empty: do not listen.")
		startDelay    = flag.Duration("start-delay", 0, "Unhealthy for this long after the start.")
		stopDelay     = flag.Duration("stop-delay", 0, "Take this long to stop after SIGTERM.")
		ignoreSIGTERM = flag.Bool("ignore-sigterm", false, "Only SIGKILL ends the worker.")
		crashAfter    = flag.Duration("crash-after", -1, "Exit with status 3 after this long; negative: never.")
		child         = flag.Bool("child", false, "Start a child process that ignores SIGTERM and burns CPU; log its pid.")
		burn          = flag.Bool("burn", false, "Burn one CPU.")
		check         = flag.String("check", "", "GET this URL instead and exit with status 0 if it answers 200, for health checks.")
	)
	flag.VisitAll(func(f *flag.Flag) {
		if v, ok := os.LookupEnv(strings.ToUpper(strings.ReplaceAll(f.Name, "-", "_"))); ok {
			_ = f.Value.Set(v)
		}
	})
	flag.Parse()
	if *check != "" {
		return get(*check)
	}

	sigterm := make(chan os.Signal, 1)
	if *ignoreSIGTERM {
		signal.Ignore(syscall.SIGTERM)
	} else {
		signal.Notify(sigterm, syscall.SIGTERM)
	}
	if *child {
		c := exec.Command(os.Args[0], "--addr=", "--ignore-sigterm", "--burn")
		if err := c.Start(); err != nil {
			fmt.Fprintln(os.Stderr, "start child:", err)
			return 1
		}
		fmt.Printf("child pid=%d\n", c.Process.Pid)
		go func() { _ = c.Wait() }()
	}
	if *crashAfter >= 0 {
		time.AfterFunc(*crashAfter, func() { os.Exit(3) })
	}
	if *burn {
		go func() {
			for {
				burnFor(time.Second)
			}
		}()
	}

	srv := &http.Server{Addr: *addr, Handler: handler(time.Now().Add(*startDelay)), ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	if *addr != "" {
		go func() { failed <- srv.ListenAndServe() }()
	}
	fmt.Printf("worker pid=%d addr=%s\n", os.Getpid(), *addr)
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, "listen:", err)
		return 1
	case <-sigterm:
	}
	time.Sleep(*stopDelay)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := srv.Shutdown(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "shutdown:", err)
		return 1
	}
	return 0
}

func handler(healthyFrom time.Time) http.Handler {
	var unhealthy atomic.Bool
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if unhealthy.Load() || time.Now().Before(healthyFrom) {
			http.Error(w, "unhealthy", http.StatusServiceUnavailable)
			return
		}
		_, _ = io.WriteString(w, "ok\n")
	})
	mux.HandleFunc("POST /unhealthy", func(http.ResponseWriter, *http.Request) { unhealthy.Store(true) })
	mux.HandleFunc("POST /healthy", func(http.ResponseWriter, *http.Request) { unhealthy.Store(false) })
	mux.HandleFunc("POST /crash", func(http.ResponseWriter, *http.Request) { os.Exit(3) })
	mux.HandleFunc("GET /write", func(w http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.FormValue("bytes"), 10, 64)
		if err := write(n); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		ms, _ := strconv.Atoi(r.FormValue("ms"))
		burnFor(time.Duration(ms) * time.Millisecond)
		_, _ = io.WriteString(w, "done\n")
	})
	return mux
}

// get asks another worker, in an image that has no other program.
func get(url string) int {
	resp, err := (&http.Client{Timeout: 2 * time.Second}).Get(url)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	_ = resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 1
	}
	return 0
}

// burnFor keeps one CPU busy for d of wall time.
func burnFor(d time.Duration) {
	for end := time.Now().Add(d); time.Now().Before(end); {
		for i := range 1000 {
			_ = i * i
		}
	}
}

// write puts n bytes on the disk and takes them away again.
func write(n int64) (err error) {
	f, err := os.CreateTemp("", "worker-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := io.CopyN(f, zeros{}, n); err != nil {
		return err
	}
	return f.Sync()
}

// zeros is an endless stream of zero bytes.
type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
