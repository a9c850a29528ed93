package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"time"

	"github.com/alertscaler/alertscaler/examples/internal/house"
)

// count prints how many machines of a group the provider has, and how many of
// them serve, as Alertscaler wants to read it.
func count(args []string) error {
	if len(args) != 1 {
		return errors.New("count takes the name of a group")
	}
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	var machines []summary
	if err := house.GetJSON(ctx, "http://"+cloudAddress+"/machines?group="+args[0], &machines); err != nil {
		return err
	}
	var n struct {
		Requested int `json:"requested"`
		Ready     int `json:"ready"`
	}
	for _, m := range machines {
		n.Requested++
		if m.State == "running" {
			n.Ready++
		}
	}
	return json.NewEncoder(os.Stdout).Encode(n)
}
