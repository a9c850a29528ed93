package target

import "testing"

func TestJoinPath(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ dir, path, want, program string }{
		{".", "./worker", "./worker", "./worker"},
		{".", "worker", "./worker", "worker"},
		{".", "bin/worker", "bin/worker", "bin/worker"},
		{"", "./worker", "./worker", "./worker"},
		{"sub", "../worker", "./worker", "./worker"},
		{"sub", "./worker", "sub/worker", "sub/worker"},
		{"/etc/scaler", "./worker", "/etc/scaler/worker", "/etc/scaler/worker"},
		{"/etc/scaler", "worker", "/etc/scaler/worker", "worker"},
		{"/etc/scaler", "/bin/worker", "/bin/worker", "/bin/worker"},
		{"/etc/scaler", "", "", ""},
	} {
		if got := JoinPath(test.dir, test.path); got != test.want {
			t.Errorf("JoinPath(%q, %q) = %q, want %q", test.dir, test.path, got, test.want)
		}
		if got := JoinProgram(test.dir, test.path); got != test.program {
			t.Errorf("JoinProgram(%q, %q) = %q, want %q", test.dir, test.path, got, test.program)
		}
	}
	written := []string{"./worker", "./an argument"}
	if got := JoinCommand("/etc/scaler", written); got[0] != "/etc/scaler/worker" || got[1] != "./an argument" || written[0] != "./worker" {
		t.Errorf("JoinCommand = %q of %q", got, written)
	}
	if got := JoinCommand("/etc/scaler", nil); got != nil {
		t.Errorf("JoinCommand of nothing = %q", got)
	}
}
