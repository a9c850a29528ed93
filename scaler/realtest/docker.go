package realtest

import (
	"archive/tar"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const defaultDockerHost = "unix:///var/run/docker.sock"

// Docker returns the host of a Docker Engine that answers, in the form of
// DOCKER_HOST: the one that variable names, or the socket of this machine. The
// test skips or fails if none does.
func Docker(t testing.TB) string {
	t.Helper()
	host := os.Getenv("DOCKER_HOST")
	if host == "" {
		host = defaultDockerHost
	}
	engine, err := newEngine(host)
	if err == nil {
		err = engine.call(http.MethodGet, "/_ping", nil, nil)
	}
	if err != nil {
		SkipOrFail(t, "needs a Docker Engine: start dockerd or set DOCKER_HOST (%v)", err)
	}
	return host
}

// Swarm is Docker for an Engine that is the manager of a swarm. One that is in
// no swarm becomes the manager of its own, which it stays after the test.
func Swarm(t testing.TB) string {
	t.Helper()
	host := Docker(t)
	engine, err := newEngine(host)
	if err != nil {
		t.Fatal(err)
	}
	var info struct {
		Swarm struct {
			LocalNodeState   string
			ControlAvailable bool
		}
	}
	// Several test binaries may find no swarm and make one at the same moment.
	Eventually(t, 30*time.Second, 200*time.Millisecond, "a swarm manager", func() error {
		if err := engine.call(http.MethodGet, "/info", nil, &info); err != nil {
			return err
		}
		if info.Swarm.LocalNodeState == "active" {
			return nil
		}
		return engine.call(http.MethodPost, "/swarm/init", map[string]string{
			"ListenAddr":    "127.0.0.1:2377",
			"AdvertiseAddr": "127.0.0.1",
		}, nil)
	})
	if err := engine.call(http.MethodGet, "/info", nil, &info); err != nil {
		t.Fatal(err)
	}
	if !info.Swarm.ControlAvailable {
		SkipOrFail(t, "needs a swarm manager: the Engine at %s is a worker", host)
	}
	return host
}

// StaticImage makes a Docker image that has nothing but the Go program pkg (as
// in GoBuild) as its entry point /NAME, and returns its reference NAME:HASH.
// The hash is the program's, so an image is built once and kept after the test.
func StaticImage(t testing.TB, name, pkg string) string {
	t.Helper()
	engine, err := newEngine(Docker(t))
	if err != nil {
		t.Fatal(err)
	}
	program, err := os.ReadFile(GoBuild(t, pkg))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(program)
	ref := name + ":" + hex.EncodeToString(sum[:6])

	err = engine.call(http.MethodGet, "/images/"+ref+"/json", nil, nil)
	if err == nil {
		return ref
	}
	if status := (*statusError)(nil); !errors.As(err, &status) || status.code != http.StatusNotFound {
		t.Fatal(err)
	}
	if err := engine.build(ref, map[string][]byte{
		"Dockerfile": fmt.Appendf(nil, "FROM scratch\nCOPY %[1]s /%[1]s\nENTRYPOINT [\"/%[1]s\"]\n", name),
		name:         program,
	}); err != nil {
		t.Fatalf("build image %s: %v", ref, err)
	}
	return ref
}

// StartCadvisor runs a cAdvisor for the Docker Engine until the test ends and
// returns the URL of its /metrics. It reads every container once a second.
func StartCadvisor(t testing.TB) string {
	t.Helper()
	host := Docker(t)
	address := fmt.Sprintf("127.0.0.1:%d", FreePort(t))
	p := Start(t, Tool(t, "cadvisor"), "--listen="+address, "--docker="+host, "--docker_only")
	metrics := "http://" + address + "/metrics"
	p.WaitHTTP(t, metrics)
	return metrics
}

// engine speaks the Docker Engine API, of which tests need too little for a
// client library.
type engine struct {
	http http.Client
	base string
}

func newEngine(host string) (*engine, error) {
	u, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("docker host: %w", err)
	}
	e := &engine{http: http.Client{Timeout: 2 * time.Minute}}
	switch u.Scheme {
	case "unix":
		e.base = "http://docker"
		e.http.Transport = &http.Transport{
			DisableKeepAlives: true,
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", u.Path)
			},
		}
	case "tcp", "http":
		e.base = "http://" + u.Host
	default:
		return nil, fmt.Errorf("docker host %s: neither unix:// nor tcp://", host)
	}
	return e, nil
}

func (e *engine) call(method, path string, in, out any) error {
	return call(&e.http, method, e.base+path, in, out)
}

// build builds an image from files, which are all executable.
func (e *engine) build(ref string, files map[string][]byte) error {
	var buildContext bytes.Buffer
	archive := tar.NewWriter(&buildContext)
	for name, content := range files {
		header := &tar.Header{Name: filepath.ToSlash(name), Mode: 0o755, Size: int64(len(content))}
		if err := archive.WriteHeader(header); err != nil {
			return err
		}
		if _, err := archive.Write(content); err != nil {
			return err
		}
	}
	if err := archive.Close(); err != nil {
		return err
	}
	req, err := http.NewRequest(http.MethodPost, e.base+"/build?q=1&rm=1&t="+url.QueryEscape(ref), &buildContext)
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/x-tar")
	resp, err := e.http.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()

	// The status is 200 before anything is built; an error is a line of the answer.
	for lines := json.NewDecoder(resp.Body); ; {
		var line struct{ Error, Message string }
		if err := lines.Decode(&line); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if failure := strings.TrimSpace(line.Error + line.Message); failure != "" {
			return errors.New(failure)
		}
	}
}
