package share

import (
	"maps"
	"slices"

	"github.com/prometheus/common/config"
)

// TLS names the files of a TLS configuration, which may be nil.
func TLS(c *config.TLSConfig) []string {
	if c == nil {
		return nil
	}
	return []string{c.CAFile, c.CertFile, c.KeyFile}
}

// HTTP names the files of the configuration of an HTTP client, which may be nil.
func HTTP(c *config.HTTPClientConfig) []string {
	if c == nil {
		return nil
	}
	names := append(TLS(&c.TLSConfig), c.BearerTokenFile)
	if a := c.BasicAuth; a != nil {
		names = append(names, a.UsernameFile, a.PasswordFile)
	}
	if a := c.Authorization; a != nil {
		names = append(names, a.CredentialsFile)
	}
	if o := c.OAuth2; o != nil {
		names = append(append(names, o.ClientSecretFile, o.ClientCertificateKeyFile), TLS(&o.TLSConfig)...)
	}
	if c.HTTPHeaders != nil {
		for _, name := range slices.Sorted(maps.Keys(c.HTTPHeaders.Headers)) {
			names = append(names, c.HTTPHeaders.Headers[name].Files...)
		}
	}
	return names
}
