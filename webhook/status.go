package webhook

import (
	"math"
	"net/http"
	"os"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/prometheus/common/version"
)

func (a *api) statusConfig(w http.ResponseWriter, _ *http.Request) {
	a.respond(w, struct {
		YAML string `json:"yaml"`
	}{a.config.YAML()})
}

func (a *api) statusDiscovery(w http.ResponseWriter, _ *http.Request) {
	var all []DiscoveryStatus
	if a.discovery != nil {
		all = a.discovery.Discoveries()
	}
	a.respond(w, list(all))
}

// buildInfo has the fields of Prometheus' answer.
type buildInfo struct {
	Version   string `json:"version"`
	Revision  string `json:"revision"`
	Branch    string `json:"branch"`
	BuildUser string `json:"buildUser"`
	BuildDate string `json:"buildDate"`
	GoVersion string `json:"goVersion"`
}

func (a *api) statusBuildinfo(w http.ResponseWriter, _ *http.Request) {
	a.respond(w, buildInfo{
		Version:   version.Version,
		Revision:  version.GetRevision(),
		Branch:    version.Branch,
		BuildUser: version.BuildUser,
		BuildDate: version.BuildDate,
		GoVersion: version.GoVersion,
	})
}

// runtimeInfo has those fields of Prometheus' answer that have a meaning
// here.
type runtimeInfo struct {
	StartTime           time.Time `json:"startTime"`
	CWD                 string    `json:"CWD"`
	Hostname            string    `json:"hostname"`
	ServerTime          time.Time `json:"serverTime"`
	ReloadConfigSuccess bool      `json:"reloadConfigSuccess"`
	// ReloadConfigError is why the configuration in force is not the newest.
	ReloadConfigError string    `json:"reloadConfigError,omitempty"`
	LastConfigTime    time.Time `json:"lastConfigTime"`
	GoroutineCount    int       `json:"goroutineCount"`
	GOMAXPROCS        int       `json:"GOMAXPROCS"`
	// GOMEMLIMIT in bytes; 0 is none.
	GOMEMLIMIT int64  `json:"GOMEMLIMIT"`
	GOGC       string `json:"GOGC"`
	GODEBUG    string `json:"GODEBUG"`
}

func (a *api) statusRuntimeinfo(w http.ResponseWriter, _ *http.Request) {
	loaded, failed := a.config.LastReload()
	info := runtimeInfo{
		StartTime:           a.started,
		ServerTime:          a.now(),
		ReloadConfigSuccess: failed == nil,
		LastConfigTime:      loaded,
		GoroutineCount:      runtime.NumGoroutine(),
		GOMAXPROCS:          runtime.GOMAXPROCS(0),
		GOMEMLIMIT:          debug.SetMemoryLimit(-1), // negative only reads
		GOGC:                os.Getenv("GOGC"),
		GODEBUG:             os.Getenv("GODEBUG"),
	}
	if failed != nil {
		info.ReloadConfigError = failed.Error()
	}
	if info.GOMEMLIMIT == math.MaxInt64 {
		info.GOMEMLIMIT = 0
	}
	// A name that cannot be had is left empty: it only helps to tell servers
	// apart.
	info.CWD, _ = os.Getwd()
	info.Hostname, _ = os.Hostname()
	a.respond(w, info)
}
