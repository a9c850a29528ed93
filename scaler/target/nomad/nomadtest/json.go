package nomadtest

import (
	"fmt"
	"time"
)

// status is the body of GET /v1/job/:id/scale. What it calls JobModifyIndex is
// the job's ModifyIndex, as it is in Nomad.
func (j *job) status() map[string]any {
	group := map[string]any{"Desired": j.Count, "Placed": 0, "Running": 0, "Healthy": 0, "Unhealthy": 0, "Events": nil}
	placed, running, healthy := 0, 0, 0
	for _, at := range j.started {
		age := time.Since(at)
		if j.Stopped {
			break
		}
		placed++
		if age >= j.StartDelay {
			running++
		}
		if age >= 2*j.StartDelay && j.Type == "service" && j.HealthCheck != "manual" {
			healthy++
		}
	}
	group["Placed"], group["Running"], group["Healthy"] = placed, running, healthy
	// A job's status is part of it, and Nomad writes it with the allocations.
	return map[string]any{
		"JobID": j.ID, "Namespace": j.Namespace, "JobStopped": j.Stopped,
		"JobCreateIndex": j.created, "JobModifyIndex": j.modified + uint64(running),
		"TaskGroups": map[string]any{j.Group: group},
	}
}

// describe is the body of GET /v1/job/:id, as far as scaling goes.
func (j *job) describe() map[string]any {
	group := map[string]any{"Name": j.Group, "Count": j.Count, "Scaling": nil, "Update": nil}
	if j.Scaling != nil {
		group["Scaling"] = map[string]any{"Min": j.Scaling.Min, "Max": j.Scaling.Max, "Enabled": true, "Type": "horizontal"}
	}
	if j.Deployments || j.HealthCheck != "" {
		check := j.HealthCheck
		if check == "" {
			check = "checks"
		}
		group["Update"] = map[string]any{"MaxParallel": 1, "HealthCheck": check}
	}
	status := "running"
	if j.Stopped {
		status = "dead"
	}
	return map[string]any{
		"ID": j.ID, "Name": j.ID, "Namespace": j.Namespace, "Type": j.Type, "Stop": j.Stopped, "Status": status,
		"TaskGroups": []any{group}, "SubmitTime": j.submitted.UnixNano(),
		"CreateIndex": j.created, "ModifyIndex": j.modified, "JobModifyIndex": j.jobModified,
	}
}

// evaluate has the job evaluated after a change, with s.mu held. What finds no
// node waits in a second evaluation, which is cancelled by the next change.
func (s *Server) evaluate(j *job) {
	for _, e := range j.evaluations {
		if e["Status"] == "blocked" {
			e["Status"], e["StatusDescription"] = "canceled", "evaluation superseded by a newer one"
		}
	}
	s.index++
	id := fmt.Sprintf("00000000-0000-0000-0000-%012d", s.index)
	done := map[string]any{
		"ID": id, "Type": j.Type, "TriggeredBy": "job-scaling", "JobID": j.ID, "Namespace": j.Namespace, "Status": "complete",
		"JobModifyIndex": j.jobModified, "CreateIndex": s.index, "ModifyIndex": s.index, "FailedTGAllocs": nil,
		"QueuedAllocations": map[string]any{j.Group: j.Count - len(j.started)},
	}
	j.evaluations = append(j.evaluations, done)
	if len(j.started) == j.Count {
		return
	}
	s.index++
	blocked := fmt.Sprintf("00000000-0000-0000-0000-%012d", s.index)
	done["BlockedEval"] = blocked
	done["FailedTGAllocs"] = map[string]any{j.Group: map[string]any{
		"NodesEvaluated": 3, "NodesFiltered": 1, "NodesExhausted": 2, "CoalescedFailures": j.Count - len(j.started) - 1,
		"ConstraintFiltered": map[string]any{"${attr.kernel.name} = linux": 1}, "DimensionExhausted": map[string]any{"memory": 2},
	}}
	j.evaluations = append(j.evaluations, map[string]any{
		"ID": blocked, "Type": j.Type, "TriggeredBy": "queued-allocs", "JobID": j.ID, "Namespace": j.Namespace, "Status": "blocked",
		"StatusDescription": "created to place remaining allocations", "PreviousEval": id,
		"JobModifyIndex": j.jobModified, "CreateIndex": s.index, "ModifyIndex": s.index, "FailedTGAllocs": nil,
	})
}
