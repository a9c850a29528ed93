package main

import (
	"context"
	"net/http"
	"time"

	"github.com/go-kit/log"
	"github.com/prometheus/client_golang/prometheus"

	"github.com/alertscaler/alertscaler/scaler"
	"github.com/alertscaler/alertscaler/scaler/alerts"
	"github.com/alertscaler/alertscaler/scaler/config"
	"github.com/alertscaler/alertscaler/scaler/discovery"
	"github.com/alertscaler/alertscaler/scaler/ledger"
	"github.com/alertscaler/alertscaler/scaler/policy"
	"github.com/alertscaler/alertscaler/webhook"
)

// parts are what the HTTP face shows and feeds.
type parts struct {
	book        *alerts.Book
	engine      *scaler.Engine
	ledger      *ledger.Ledger
	coordinator *config.Coordinator
	discoveries *discovery.Manager
	registry    *prometheus.Registry
	now         func() time.Time
	logger      log.Logger
}

func newHandler(o options, connections int, p parts) (http.Handler, error) {
	wo := webhook.Options{
		Receiver:   receiver{p.book},
		Policies:   p.engine,
		Decisions:  decisions{p.ledger},
		Alerts:     p.book,
		Config:     p.coordinator,
		Discovery:  discoveries{p.discoveries},
		Endpoints:  endpoints{p.engine},
		Ready:      p.engine,
		Gatherer:   p.registry,
		Registerer: p.registry,
		Logger:     p.logger,
		Now:        p.now,
		MaxBody:    o.maxBody,

		MaxConnections: connections,
		Hosts:          hosts(o),
	}
	if o.enableLifecycle {
		wo.Reloader = p.coordinator
	}
	if o.enableAdminAPI {
		wo.Pauses = p.engine
		wo.Retries = p.engine
	}
	return webhook.New(wo)
}

// The types below join what webhook asks for with what the scaler gives.

type receiver struct{ book *alerts.Book }

func (r receiver) Receive(ctx context.Context, n alerts.Notification) error {
	_, err := r.book.Apply(ctx, n)
	return err
}

type decisions struct{ ledger *ledger.Ledger }

func (d decisions) Decisions(q webhook.Query) ([]policy.Decision, error) {
	return d.ledger.Decisions(ledger.Query{Policy: q.Policy, Since: q.Since, Limit: q.Limit})
}

type endpoints struct{ engine *scaler.Engine }

func (e endpoints) Endpoints() []webhook.TargetGroup {
	var out []webhook.TargetGroup
	for _, g := range e.engine.Endpoints() {
		out = append(out, webhook.TargetGroup{Policy: g.Policy, ScaleTarget: g.ScaleTarget, Target: g.Target, Addresses: g.Addresses})
	}
	return out
}

type discoveries struct{ manager *discovery.Manager }

func (d discoveries) Discoveries() []webhook.DiscoveryStatus {
	var out []webhook.DiscoveryStatus
	for _, s := range d.manager.Statuses() {
		status := webhook.DiscoveryStatus{
			Name: s.Name, Platform: s.Platform, LastSuccess: s.LastSuccess, Things: make([]webhook.Discovered, len(s.Things)),
		}
		if s.LastError != nil {
			status.LastError = s.LastError.Error()
		}
		for i, t := range s.Things {
			status.Things[i] = webhook.Discovered{What: t.What, Policy: t.Policy, Disabled: t.Disabled}
			for _, p := range t.Problems {
				status.Things[i].Problems = append(status.Things[i].Problems, webhook.DiscoveryProblem(p))
			}
		}
		out = append(out, status)
	}
	return out
}
