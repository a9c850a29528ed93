package ledger

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
)

// A value is stored with a seal behind it: the checksum of the names of its
// bucket and its key and of itself, and the number of the seal's kind. What
// the disk or somebody else has changed is so told from what was written, also
// where it still reads well; and a value belongs to its key.
const (
	sealKind = 1
	sealSize = crc32.Size + 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errSeal: the value is not what was written under its key.
var errSeal = errors.New("its checksum does not match")

func checksum(bucketName string, key, payload []byte) uint32 {
	sum := crc32.Update(0, castagnoli, []byte(bucketName))
	for _, part := range [][]byte{key, payload} {
		sum = crc32.Update(sum, castagnoli, []byte{0})
		sum = crc32.Update(sum, castagnoli, part)
	}
	return sum
}

// seal appends the seal to payload.
func seal(bucketName string, key, payload []byte) []byte {
	return sealFrom(payload, 0, bucketName, key)
}

// sealFrom appends the seal of what text holds from there on.
func sealFrom(text []byte, from int, bucketName string, key []byte) []byte {
	text = binary.BigEndian.AppendUint32(text, checksum(bucketName, key, text[from:]))
	return append(text, sealKind)
}

// unseal returns what was written under the key.
func unseal(bucketName string, key, value []byte) ([]byte, error) {
	n := len(value) - sealSize
	if n < 0 || value[len(value)-1] != sealKind ||
		binary.BigEndian.Uint32(value[n:]) != checksum(bucketName, key, value[:n]) {
		return nil, errSeal
	}
	return value[:n:n], nil
}

// decode reads a sealed value that is JSON.
func decode(bucketName string, key, value []byte, v any) error {
	payload, err := unseal(bucketName, key, value)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(payload, v); err != nil {
		return fmt.Errorf("it cannot be decoded: %w", err)
	}
	return nil
}
