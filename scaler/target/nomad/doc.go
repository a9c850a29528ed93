// Package nomad scales a task group of a Nomad job, through Nomad's API client.
package nomad
