package plant

// boot is a number of replicas that become ready together.
type boot struct {
	step     int
	replicas int
}

// fleet is the replicas there are. Those that start become ready in the order
// in which they were requested; those that go are taken from the youngest,
// which leaves at once.
type fleet struct {
	ready, requested int
	booting          []boot // oldest first, from head on
	head             int
}

// never is a step after every run's last.
const never = int(^uint(0) >> 1)

// due is the step at which the next replicas become ready.
func (f *fleet) due() int {
	if f.head == len(f.booting) {
		return never
	}
	return f.booting[f.head].step
}

// advance makes ready what is due.
func (f *fleet) advance(step int) {
	for f.head < len(f.booting) && f.booting[f.head].step <= step {
		f.ready += f.booting[f.head].replicas
		f.head++
	}
	if f.head == len(f.booting) {
		f.booting, f.head = f.booting[:0], 0
	}
}

// request sets how many replicas there should be; those that are new are ready
// at the given step.
func (f *fleet) request(replicas, readyAt int) {
	if more := replicas - f.requested; more > 0 {
		f.booting = append(f.booting, boot{step: readyAt, replicas: more})
	}
	for less := f.requested - replicas; less > 0; {
		last := len(f.booting) - 1
		if last < f.head {
			f.ready -= less
			break
		}
		taken := min(less, f.booting[last].replicas)
		f.booting[last].replicas -= taken
		less -= taken
		if f.booting[last].replicas == 0 {
			f.booting = f.booting[:last]
		}
	}
	f.requested = replicas
}
