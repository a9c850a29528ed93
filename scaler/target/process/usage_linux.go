package process

import (
	"os"
	"strconv"

	"github.com/prometheus/procfs"

	"github.com/alertscaler/alertscaler/scaler/program"
)

// userHZ is the unit of times in /proc/PID/stat: 100 on all of Linux.
const userHZ = 100

// readUsage fills in the usage of the samples that have a pid. A replica that
// ends meanwhile is left without.
func readUsage(samples []sample) {
	fs, err := procfs.NewFS(procfs.DefaultMountPoint)
	if err != nil {
		return
	}
	groups, err := program.Groups()
	if err != nil {
		return
	}
	for i := range samples {
		if pid := samples[i].pid; pid != 0 {
			samples[i].usage = groupUsage(fs, groups[pid])
		}
	}
	readNetwork(fs, samples)
}

// groupUsage sums up the processes of a group. Children that ended are part of
// the one that waited for them.
func groupUsage(fs procfs.FS, pids []int) usage {
	u, known := usage{"cpu": 0, "memory": 0, "disk": 0}, false
	for _, pid := range pids {
		proc, err := fs.Proc(pid)
		if err != nil {
			continue
		}
		stat, err := proc.Stat()
		if err != nil {
			continue
		}
		known = true
		u["cpu"] += (float64(stat.UTime) + float64(stat.STime) + float64(stat.CUTime) + float64(stat.CSTime)) / userHZ
		u["memory"] += float64(stat.ResidentMemory())
		// Another user's process keeps its I/O to itself; a sum without it
		// would look like less.
		io, err := proc.IO()
		if err != nil {
			delete(u, "disk")
		} else if _, ok := u["disk"]; ok {
			u["disk"] += float64(io.ReadBytes) + float64(io.WriteBytes)
		}
	}
	if !known {
		return nil
	}
	return u
}

// readNetwork counts the bytes of replicas that have a network namespace to
// themselves. In the host's, or in one shared by replicas, interfaces count
// for all processes together.
func readNetwork(fs procfs.FS, samples []sample) {
	own, err := netNamespace("self")
	if err != nil {
		return
	}
	namespaces := make([]string, len(samples)) // empty: not known
	users := map[string]int{own: 2, "": 2}
	for i, s := range samples {
		if s.usage != nil {
			namespaces[i], _ = netNamespace(strconv.Itoa(s.pid))
			users[namespaces[i]]++
		}
	}
	for i, ns := range namespaces {
		if users[ns] > 1 {
			continue
		}
		proc, err := fs.Proc(samples[i].pid)
		if err != nil {
			continue
		}
		devices, err := proc.NetDev()
		if err != nil {
			continue
		}
		sum := 0.0
		for name, d := range devices {
			if name != "lo" {
				sum += float64(d.RxBytes) + float64(d.TxBytes)
			}
		}
		samples[i].usage["network"] = sum
	}
}

// netNamespace names the network namespace of a process.
func netNamespace(pid string) (string, error) {
	return os.Readlink("/proc/" + pid + "/ns/net")
}
