//go:build !linux

package process

// usage is what one replica's process group uses: nothing is known of it here.
type usage struct {
	cpu, memory, disk, network float64
	ok, diskOK, networkOK      bool
}

func readUsage([]sample) {}
