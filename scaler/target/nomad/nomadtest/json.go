package nomadtest

import "time"

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
