package http

import (
	"errors"
	"net/url"
)

// URL is an address as it was written. Its password is shown nowhere.
type URL string

// MarshalYAML renders the URL with its password hidden.
func (u URL) MarshalYAML() (any, error) { return u.String(), nil }

// String renders the URL with its password hidden.
func (u URL) String() string {
	parsed, err := url.Parse(string(u))
	if err != nil {
		return "<not a URL>"
	}
	return parsed.Redacted()
}

// resolve returns ref, which may be relative to u; the empty one is u itself.
// Its errors do not repeat what was written, since a password may be in it.
func (u URL) resolve(ref URL) (*url.URL, error) {
	base, err := url.Parse(string(u))
	if err != nil {
		return nil, errors.New("is not a URL; write it as http://host/path")
	}
	if ref != "" {
		if base, err = base.Parse(string(ref)); err != nil {
			return nil, errors.New("is not a URL; write it as http://host/path, or as a path relative to url")
		}
	}
	if base.Host == "" || (base.Scheme != "http" && base.Scheme != "https") {
		return nil, errors.New("must begin with http:// or https:// and name a host")
	}
	base.Fragment = ""
	return base, nil
}

// shown is the URL as errors name it: what may be secret is left out.
func shown(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}).String()
}
