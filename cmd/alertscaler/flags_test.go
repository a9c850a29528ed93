package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestFlagsAreNamed by what is wrong with them.
func TestFlagsAreNamed(t *testing.T) {
	for arg, want := range map[string]string{
		"--web.listen-address=":               "--web.listen-address is empty; want host:port",
		"--web.listen-address=:":              `--web.listen-address=":" has no port`,
		"--web.listen-address=localhost:":     `--web.listen-address="localhost:" has no port`,
		"--web.listen-address=localhost":      `--web.listen-address="localhost": address localhost: missing port`,
		"--web.listen-address=localhost:nine": `"nine" is not a port`,
		"--web.config.file=/nowhere.yml":      "--web.config.file=/nowhere.yml: open /nowhere.yml: no such file",
		"--web.external-url=alertscaler":      `--web.external-url="alertscaler" is not a URL`,
		"--web.max-connections=1":             "--web.max-connections=1 is too few, want at least 16",
		"--web.max-connections=many":          "--web.max-connections=many: ",
		"--web.max-body-bytes=8MB":            "--web.max-body-bytes=8MB: ",
		"--alerts.max-bytes=1":                "--alerts.max-bytes=1 is too few, want at least 1048576",
		"--storage.retention=300y":            "--storage.retention=300y: duration out of range",
		"--storage.retention=0s":              "--storage.retention=0s must be longer than 0s, such as 15d",
		"--log.level=loud":                    "--log.level=loud: ",
	} {
		for _, args := range [][]string{{arg}, {"--web.listen-address=127.0.0.1:0", arg}, {arg, "--log.format=json"}} {
			var printed bytes.Buffer
			status := runMain(append(args, "--config.file=/nowhere/alertscaler.yml"), &printed)
			if status != 2 || !strings.Contains(printed.String(), want) {
				t.Errorf("%v: status %d, printed %q, want status 2 and %q", args, status, &printed, want)
			}
		}
	}
}
