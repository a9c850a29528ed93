package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"time"
)

const discoveryAddress = "127.0.0.1:19104"

// discover serves the service's containers to Prometheus by HTTP service
// discovery. A Prometheus as it is released asks the swarm itself; the one that
// this repository builds is smaller.
func (s *swarmService) discover() (stop func(), err error) {
	listener, err := net.Listen("tcp", discoveryAddress)
	if err != nil {
		return nil, fmt.Errorf("serve discovery: %w", err)
	}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /containers", func(w http.ResponseWriter, r *http.Request) {
		found, err := s.addresses(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode([]map[string][]string{{"targets": found}})
	})
	server := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	go func() { _ = server.Serve(listener) }()
	return func() { _ = server.Shutdown(context.Background()) }, nil
}
