package docker

import (
	"cmp"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/docker/go-connections/sockets"
	"github.com/moby/moby/client"
	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/target"
	"github.com/alertscaler/alertscaler/scaler/target/share"
)

// HostConfig says which Engine is meant, and is part of both platforms'
// configuration.
type HostConfig struct {
	// Host is the Engine's address, as in DOCKER_HOST: unix:///path or
	// tcp://host:port. Empty: DOCKER_HOST, else the socket of this machine.
	Host string `yaml:"host,omitempty"`
	// TLSConfig is for tcp hosts. Where host and it are absent, DOCKER_CERT_PATH
	// and DOCKER_TLS_VERIFY say the same.
	TLSConfig *config.TLSConfig `yaml:"tls_config,omitempty"`
}

// SetDirectory makes relative file names relative to dir.
func (c *HostConfig) SetDirectory(dir string) { c.TLSConfig.SetDirectory(dir) }

// host is the Engine's address after the defaults.
func (c *HostConfig) host() string {
	return cmp.Or(c.Host, os.Getenv(client.EnvOverrideHost), client.DefaultDockerHost)
}

// tls is the configuration after the defaults; nil: no TLS.
func (c *HostConfig) tls() *config.TLSConfig {
	certs := os.Getenv(client.EnvOverrideCertPath)
	if c.TLSConfig != nil || c.Host != "" || certs == "" || !strings.HasPrefix(c.host(), "tcp://") {
		return c.TLSConfig
	}
	return &config.TLSConfig{
		CAFile:             filepath.Join(certs, "ca.pem"),
		CertFile:           filepath.Join(certs, "cert.pem"),
		KeyFile:            filepath.Join(certs, "key.pem"),
		InsecureSkipVerify: os.Getenv(client.EnvTLSVerify) == "",
	}
}

// FilesSum implements target.Files.
func (c *HostConfig) FilesSum() string { return clientKey{tls: share.Value(c.tls())}.FilesSum() }

// Validate implements target.DiscoveryConfig. It does not ask the Engine.
func (c *HostConfig) Validate() error {
	u, err := client.ParseHostURL(c.host())
	if err != nil {
		return target.Check(false, "host", "%q is not an address such as unix:///var/run/docker.sock or tcp://docker:2376", c.host())
	}
	var tlsErr error
	if c.TLSConfig != nil {
		tlsErr = c.TLSConfig.Validate()
	}
	local := u.Scheme == "unix" || u.Scheme == "npipe"
	return cmp.Or(
		target.Check(local || slices.Contains([]string{"tcp", "http", "https"}, u.Scheme), "host", "%q must begin with unix:// or tcp://", c.host()),
		target.Check(!local || c.TLSConfig == nil, "tls_config", "is for tcp:// hosts, and the host is %s", c.host()),
		target.CheckError("tls_config", tlsErr),
	)
}

// transport returns how the Engine is dialed.
func (c *HostConfig) transport() (*http.Transport, error) {
	u, err := client.ParseHostURL(c.host())
	if err != nil {
		return nil, err
	}
	t := &http.Transport{}
	if cfg := c.tls(); cfg != nil {
		if t.TLSClientConfig, err = config.NewTLSConfig(cfg); err != nil {
			return nil, fmt.Errorf("tls_config: %w", err)
		}
	}
	if err := sockets.ConfigureTransport(t, u.Scheme, u.Host); err != nil {
		return nil, err
	}
	return t, nil
}
