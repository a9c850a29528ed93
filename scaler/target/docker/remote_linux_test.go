package docker

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/config"

	"github.com/alertscaler/alertscaler/scaler/realtest"
	"github.com/alertscaler/alertscaler/scaler/target"
)

// TestRemoteEngine speaks with an Engine that listens on TCP and verifies its
// clients, as Docker's own instructions have it.
func TestRemoteEngine(t *testing.T) {
	t.Parallel()
	if !isolated(t) {
		return
	}
	ours, others := newAuthority(t), newAuthority(t)
	server := ours.issue(t, "server", time.Hour)
	port := realtest.FreePort(t)
	local := privateDockerd(t, fmt.Sprintf("--host=tcp://127.0.0.1:%d", port),
		"--tlsverify", "--tlscacert="+ours.file, "--tlscert="+server.CertFile, "--tlskey="+server.KeyFile)
	o := containerOptions(t)
	o.HostConfig.NetworkMode = "none" // there is no bridge
	name := runContainer(t, dockerd(t, local), o)
	at := func(address string, tls *config.TLSConfig) target.Target {
		return open(t, &ContainerConfig{Template: name, HostConfig: HostConfig{Host: fmt.Sprintf("tcp://%s:%d", address, port), TLSConfig: tls}})
	}
	with := func(ca *authority, client *config.TLSConfig) *config.TLSConfig {
		c := *client
		c.CAFile = ca.file
		return &c
	}
	alice := ours.issue(t, "alice", time.Hour)

	c := at("127.0.0.1", with(ours, alice))
	scale(t, c, 3)
	if got := replicasOf(t, c); len(got) != 3 {
		t.Errorf("replicas = %v, want three", got)
	}
	scale(t, c, 1)

	none := &config.TLSConfig{}
	oldest := with(ours, none)
	oldest.MaxVersion = config.TLSVersion(0x0303)
	for _, test := range []struct {
		name    string
		address string
		tls     *config.TLSConfig
		want    target.Kind
		says    string
	}{
		{"no client certificate", "127.0.0.1", with(ours, none), target.KindUnauthorized, "certificate"},
		{"no client certificate, TLS 1.2", "127.0.0.1", oldest, target.KindUnauthorized, "--tlsverify"},
		{"a client certificate of another CA", "127.0.0.1", with(ours, others.issue(t, "mallory", time.Hour)), target.KindUnauthorized, "certificate"},
		{"a client certificate that has expired", "127.0.0.1", with(ours, ours.issue(t, "bob", -time.Minute)), target.KindUnauthorized, "certificate"},
		{"another CA for the server", "127.0.0.1", with(others, alice), target.KindPermanent, "unknown authority"},
		{"another name of the server", "127.0.0.2", with(ours, alice), target.KindPermanent, "127.0.0.2"},
		{"no TLS", "127.0.0.1", nil, target.KindPermanent, "HTTPS server"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.address == "127.0.0.2" {
				forward(t, fmt.Sprintf("127.0.0.2:%d", port), fmt.Sprintf("127.0.0.1:%d", port))
			}
			// Many times: what comes first, the refusal or the end of the
			// connection, must make no difference.
			for range 20 {
				c := at(test.address, test.tls)
				_, err := c.Current(t.Context())
				for _, err := range []error{err, c.Scale(t.Context(), 2)} {
					if target.KindOf(err) != test.want || !strings.Contains(err.Error(), test.says) {
						t.Fatalf("%v (kind %q), want kind %q and %q", err, target.KindOf(err), test.want, test.says)
					}
				}
			}
		})
	}
	settle(t, c, 1)
}

// forward makes one address lead to another until the test ends.
func forward(t testing.TB, from, to string) {
	t.Helper()
	ln, err := net.Listen("tcp", from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			in, err := ln.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				_ = in.Close()
				continue
			}
			go func() { _, _ = out.(*net.TCPConn).ReadFrom(in); _ = out.Close() }()
			go func() { _, _ = in.(*net.TCPConn).ReadFrom(out); _ = in.Close() }()
		}
	}()
}

// authority is a CA, and the file of its certificate.
type authority struct {
	file string
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t testing.TB) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test CA"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	var raw []byte
	raw, a.key = sign(t, template, template, nil)
	writePEM(t, a.file, "CERTIFICATE", raw)
	var err error
	if a.cert, err = x509.ParseCertificate(raw); err != nil {
		t.Fatal(err)
	}
	return a
}

// issue makes a certificate, for server and client alike, that lasts from now.
func (a *authority) issue(t testing.TB, name string, lasts time.Duration) *config.TLSConfig {
	t.Helper()
	raw, key := sign(t, &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(lasts),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		KeyUsage:    x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, a.cert, a.key)
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	c := &config.TLSConfig{CertFile: filepath.Join(dir, "cert.pem"), KeyFile: filepath.Join(dir, "key.pem")}
	writePEM(t, c.CertFile, "CERTIFICATE", raw)
	writePEM(t, c.KeyFile, "PRIVATE KEY", pkcs8)
	return c
}

// sign makes a key and a certificate of it; one without a signer signs itself.
func sign(t testing.TB, template, parent *x509.Certificate, signer *ecdsa.PrivateKey) ([]byte, *ecdsa.PrivateKey) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if signer == nil {
		signer = key
	}
	raw, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	if err != nil {
		t.Fatal(err)
	}
	return raw, key
}

func writePEM(t testing.TB, file, kind string, raw []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: raw}), 0o600); err != nil {
		t.Fatal(err)
	}
}
