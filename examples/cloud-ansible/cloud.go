package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// provider is a cloud on this host: its machines are processes, which take a
// while to boot, and cannot outlive it.
type provider struct {
	boot time.Duration

	mu       sync.Mutex // guards machines
	machines map[string]*instance
}

// summary is a machine as the API shows it.
type summary struct {
	Name    string `json:"name"`
	Group   string `json:"group"`
	Address string `json:"address"`
	State   string `json:"state"` // pending, then running
}

// cloud serves the API that scale.yml speaks to: GET /machines?group=, and PUT
// and DELETE /machines/{name}.
func cloud(args []string) error {
	flags := flag.NewFlagSet("cloud", flag.ContinueOnError)
	listen := flags.String("listen", cloudAddress, "address to serve on")
	boot := flags.Duration("boot", 4*time.Second, "how long a machine takes to boot")
	if err := flags.Parse(args); err != nil {
		return err
	}
	p := &provider{boot: *boot, machines: make(map[string]*instance)}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: *listen, Handler: p.handler(), ReadHeaderTimeout: 5 * time.Second}
	go func() {
		<-ctx.Done()
		drain, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		defer cancel()
		_ = server.Shutdown(drain)
	}()
	err := server.ListenAndServe()
	p.deleteAll()
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

func (p *provider) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /machines", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(p.list(r.FormValue("group")))
	})
	mux.HandleFunc("PUT /machines/{name}", func(w http.ResponseWriter, r *http.Request) {
		made, err := p.create(r.PathValue("name"), r.FormValue("group"))
		switch {
		case err != nil:
			http.Error(w, err.Error(), http.StatusInternalServerError)
		case made:
			w.WriteHeader(http.StatusCreated)
		}
	})
	mux.HandleFunc("DELETE /machines/{name}", func(w http.ResponseWriter, r *http.Request) {
		if !p.delete(r.PathValue("name")) {
			http.Error(w, "no such machine", http.StatusNotFound)
			return
		}
	})
	return mux
}

// list lists the machines of a group, or all where it is empty, by name.
func (p *provider) list(group string) []summary {
	p.mu.Lock()
	defer p.mu.Unlock()
	all := []summary{}
	for name, m := range p.machines {
		if group == "" || m.group == group {
			all = append(all, summary{Name: name, Group: m.group, Address: m.address, State: m.state()})
		}
	}
	slices.SortFunc(all, func(a, b summary) int { return strings.Compare(a.Name, b.Name) })
	return all
}

// create makes a machine unless it is there, and reports whether it did.
func (p *provider) create(name, group string) (bool, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, ok := p.machines[name]; ok {
		return false, nil
	}
	taken := make(map[string]bool)
	for _, m := range p.machines {
		taken[m.address] = true
	}
	m, err := startInstance(group, p.boot, taken)
	if err != nil {
		return false, fmt.Errorf("make machine %s: %w", name, err)
	}
	p.machines[name] = m
	return true, nil
}

// delete ends a machine, and reports whether it was there.
func (p *provider) delete(name string) bool {
	p.mu.Lock()
	m, ok := p.machines[name]
	delete(p.machines, name)
	p.mu.Unlock()
	if ok {
		m.stop()
	}
	return ok
}

func (p *provider) deleteAll() {
	for _, m := range p.list("") {
		p.delete(m.Name)
	}
}
