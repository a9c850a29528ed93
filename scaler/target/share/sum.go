package share

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"io"
	"os"

	"github.com/prometheus/common/config"
)

// Sum stands for the content of files, at the moment that it was taken.
type Sum [sha256.Size]byte

// String is the sum in hexadecimal digits. It tells nothing of the content.
func (s Sum) String() string { return hex.EncodeToString(s[:]) }

// Files sums up the content of the named files, in this order. An empty name is
// no file. One that cannot be read has a sum as well, which is another once it
// can be: to complain is for whoever needs what is in it. What is no regular
// file, such as a pipe, is not read, since then nobody else could.
func Files(names ...string) Sum {
	h := sha256.New()
	for _, name := range names {
		if name != "" {
			one := file(name)
			h.Write(one[:])
		}
	}
	return Sum(h.Sum(nil))
}

// Add returns a sum of s and of b, for what is not in a file of its own.
func (s Sum) Add(b ...[]byte) Sum {
	h := sha256.New()
	h.Write(s[:])
	for _, one := range b {
		h.Write(binary.BigEndian.AppendUint64(nil, uint64(len(one))))
		h.Write(one)
	}
	return Sum(h.Sum(nil))
}

func file(name string) Sum {
	h := sha256.New()
	io.WriteString(h, name+"\x00")
	info, err := os.Stat(name)
	switch {
	case err != nil:
		io.WriteString(h, "cannot be read")
	case !info.Mode().IsRegular():
		io.WriteString(h, "is no regular file")
	default:
		f, err := os.Open(name)
		if err != nil {
			io.WriteString(h, "cannot be read")
			break
		}
		defer f.Close()
		if _, err := io.Copy(h, f); err != nil {
			io.WriteString(h, "cannot be read")
		}
	}
	return Sum(h.Sum(nil))
}

// TLS names the files of a TLS configuration, which may be nil.
func TLS(c *config.TLSConfig) []string {
	if c == nil {
		return nil
	}
	return []string{c.CAFile, c.CertFile, c.KeyFile}
}
