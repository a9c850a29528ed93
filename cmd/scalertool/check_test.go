package main

import (
	"path/filepath"
	"strings"
	"testing"
)

// TestCheckReadsTheFilesThatTheServerNeeds: a file that is named and not there
// keeps the server from starting, and check config from passing.
func TestCheckReadsTheFilesThatTheServerNeeds(t *testing.T) {
	const policy = "policies: [{ name: web, max: 9, targets: [{ name: local, process: { command: [sh] }%s }] }]\n"
	dir := t.TempDir()
	write(t, dir, "no.pem", "this is no certificate")
	for _, test := range []struct{ name, section, target, want string }{
		{"ca_file", `prometheus: { url: "https://x", tls_config: { ca_file: none.pem } }`, "", ":1: prometheus.tls_config.ca_file: " + dir + "/none.pem cannot be read: no such file or directory"},
		{"no certificate", `prometheus: { url: "https://x", tls_config: { ca_file: no.pem } }`, "", ":1: prometheus: unable to use specified CA cert"},
		{"key_file", `alertmanager: { url: "https://x", tls_config: { cert_file: no.pem, key_file: none.pem } }`, "", ":1: alertmanager.tls_config.key_file: " + dir + "/none.pem cannot be read"},
		{"password_file", `prometheus: { url: "http://x", basic_auth: { username: a, password_file: none } }`, "", ":1: prometheus.basic_auth.password_file: " + dir + "/none cannot be read"},
		{"credentials_file", `prometheus: { url: "http://x", authorization: { credentials_file: none } }`, "", ":1: prometheus.authorization.credentials_file: " + dir + "/none cannot be read"},
		{"bearer_token_file", `alertmanager: { url: "http://x", bearer_token_file: none }`, "", ":1: alertmanager.authorization.credentials_file: " + dir + "/none cannot be read"},
		{"client_secret_file", `prometheus: { url: "http://x", oauth2: { client_id: a, token_url: "http://y", client_secret_file: none } }`, "", ":1: prometheus.oauth2.client_secret_file: " + dir + "/none cannot be read"},
		{"headers", `prometheus: { url: "http://x", http_headers: { A: { files: [none] } } }`, "", ":1: prometheus.http_headers.A.files[0]: " + dir + "/none cannot be read"},
		{"a directory", `prometheus: { url: "http://x", basic_auth: { username: a, password_file: . } }`, "", "is a directory, and a file is needed"},
		{"of a hook", "", `, drain: { http: { url: "http://x", basic_auth: { username: a, password_file: none } } }`, ":2: policies[0].targets[0].drain.http.basic_auth.password_file: " + dir + "/none cannot be read"},
		{"of a target", "", ` }, { name: api, http: { url: "http://x", tls_config: { ca_file: none } }`, ":2: policies[0].targets[1].http.tls_config.ca_file: " + dir + "/none cannot be read"},
		{"kubeconfig", "", ` }, { name: api, kubernetes: { namespace: shop, name: web, kubeconfig: none }`, ":2: policies[0].targets[1].kubernetes.kubeconfig: " + dir + "/none cannot be read"},
		{"token_file", "", ` }, { name: api, nomad: { job: a, group: b, token_file: none }`, ":2: policies[0].targets[1].nomad.token_file: " + dir + "/none cannot be read"},
		{"of a discovery", `discovery: [{ name: d, docker_services: { host: "tcp://x:1", tls_config: { ca_file: none } } }]`, "", ":1: discovery[0].docker_services.tls_config.ca_file: " + dir + "/none cannot be read"},
	} {
		t.Run(test.name, func(t *testing.T) {
			file := write(t, dir, strings.ReplaceAll(test.name, " ", "_")+".yml", test.section+"\n"+strings.Replace(policy, "%s", test.target, 1))
			code, stdout, stderr := tool("check", "config", file)
			if code != exitFailed || !strings.Contains(stderr, test.want) {
				t.Errorf("exit %d, want %d with %q\n%s%s", code, exitFailed, test.want, stdout, stderr)
			}
			if code, _, stderr := tool("check", "config", "--syntax-only", file); code != exitOK {
				t.Errorf("its syntax alone: exit %d\n%s", code, stderr)
			}
		})
	}
}

// TestFlagsSayWhichIsWrong: and what would be right.
func TestFlagsSayWhichIsWrong(t *testing.T) {
	for _, test := range []struct {
		args []string
		want string
	}{
		{[]string{"status", "--timeout=300y"}, `--timeout: "300y" is too long; it is at most 1y`},
		{[]string{"status", "--timeout=soon"}, `--timeout: "soon" is not a duration; write it as 30s, 5m or 1h30m`},
		{[]string{"rules", "generate", "--scale-up.for=300y"}, `--scale-up.for: "300y" is too long; it is at most 1y`},
		{[]string{"simulate", "--policy=web", "--max-gap=5"}, `--max-gap: "5" is not a duration; write it as 30s, 5m or 1h30m`},
		{[]string{"simulate", "--policy=web", "--input=x", "--provisioning=300y"}, `--provisioning: "300y" is too long; it is at most 1y`},
		{[]string{"simulate", "--policy=web", "--mean-replicas=many"}, `--mean-replicas: "many" is not a number, as 2.5 is`},
		{[]string{"test", "--run=((", "x"}, `--run: the regular expression "((" is not valid: missing closing )`},
	} {
		if code, _, stderr := tool(test.args...); code != exitCannot || !strings.Contains(stderr, test.want) {
			t.Errorf("%q: exit %d, want %q\n%s", test.args, code, test.want, stderr)
		}
	}
}

// TestFilesOfTests: what is no YAML is said of them as of a configuration.
func TestFilesOfTests(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{
		"config_file: x.yml\ntests:\n\t- name: a\n":        ":3: the line is indented by a tab; indent by spaces",
		"config_fil: x.yml\n":                              `:1: unknown key "config_fil"; known here are config_file, tests; did you mean config_file?`,
		"config_file: !!python/none x\n":                   ":1: the tag !!python/none means nothing here; leave it out",
		"config_file: x.yml\ntests: web\n":                 `:2: "web" is not a list; begin the line of each entry with "- ", or write [one, two]`,
		"config_file: x.yml\ntests: [{ name: a, nam: b }]": `:2: unknown key "nam"; known here are `,
	} {
		file := write(t, dir, "policies.test.yml", text)
		if code, stdout, stderr := tool("test", file); code != exitFailed || !strings.Contains(stdout+stderr, filepath.Base(file)+want) {
			t.Errorf("%q: exit %d, want %q\n%s%s", text, code, want, stdout, stderr)
		}
	}
}
