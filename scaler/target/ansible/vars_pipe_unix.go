//go:build unix

package ansible

import (
	"crypto/rand"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

// pipe is a named pipe through which a program reads, once, what was written
// to no disk. Ansible takes the path of a file and goes by where that really
// is, so that a descriptor without a name would not do. The name goes as soon as
// the program has opened it; were the server killed before that, what is left is
// a pipe with nothing in it.
type pipe struct {
	path string
	done chan struct{} // closed once the writer has ended
}

func newPipe(content []byte) (*pipe, error) {
	p := &pipe{path: filepath.Join(os.TempDir(), "alertscaler-vars-"+rand.Text()+".yml"), done: make(chan struct{})}
	if err := unix.Mkfifo(p.path, 0o600); err != nil {
		return nil, &os.PathError{Op: "mkfifo", Path: p.path, Err: err}
	}
	go p.write(content)
	return p, nil
}

// write waits for the reader.
func (p *pipe) write(content []byte) {
	defer close(p.done)
	f, err := os.OpenFile(p.path, os.O_WRONLY, 0)
	_ = os.Remove(p.path)
	if err != nil {
		return // close has ended it
	}
	defer f.Close()
	// Nobody but the reader can say that it did not read: it fails then.
	_, _ = f.Write(content)
}

// close ends what nobody has read, and leaves nothing behind. The program must
// be gone: what it left behind and still holds the pipe open is not waited for.
func (p *pipe) close() {
	for range 200 {
		// A writer that still waits for a reader finds this one, and then that it
		// is gone.
		if fd, err := unix.Open(p.path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0); err == nil {
			_ = unix.Close(fd)
		}
		select {
		case <-p.done:
			return
		case <-time.After(5 * time.Millisecond):
		}
	}
}
