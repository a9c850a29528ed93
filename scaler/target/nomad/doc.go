// Package nomad scales a task group of a Nomad job, through Nomad's own API
// client.
package nomad
