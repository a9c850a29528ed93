package main

import (
	"context"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"text/tabwriter"
	"time"

	"github.com/alecthomas/kingpin/v2"

	"github.com/alertscaler/alertscaler/scaler/ledger"
)

// registerLedger adds what is done to a ledger while no server has it open.
func registerLedger(app *kingpin.Application, commands map[string]command) {
	group := app.Command("ledger", "Work on the ledger of a server that does not run.")
	repair := group.Command("repair", "Take damaged records out of a ledger and, where the file cannot be used, move it aside and make a new one of what can be read.")
	path := repair.Flag("storage.path", "Directory of the ledger, as the server has it.").Default("data/").String()
	output := outputFlag(repair)
	commands[repair.FullCommand()] = func(_ context.Context, stdout io.Writer) error {
		r, err := ledger.Repair(ledger.Options{Path: *path, LockTimeout: time.Second})
		if err != nil {
			return err
		}
		if *output == "json" {
			return printJSON(stdout, r)
		}
		return printRepair(stdout, &r)
	}
}

func printRepair(w io.Writer, r *ledger.Report) error {
	if len(r.Problems) == 0 && len(r.SetAside) == 0 {
		_, err := fmt.Fprintf(w, "%s is whole\n", r.File)
		return err
	}
	fmt.Fprintf(w, "%s is repaired\n", r.File)
	if r.Damaged != "" {
		fmt.Fprintf(w, "the damaged file is kept as %s\n", r.Damaged)
	}
	for _, p := range r.Problems {
		fmt.Fprintf(w, "  %s\n", oneLine(p))
	}
	if r.SideFile != "" {
		fmt.Fprintf(w, "damaged records are kept in %s\n", r.SideFile)
	}
	names := slices.Sorted(maps.Keys(r.Salvaged))
	for name := range r.SetAside {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(t, "RECORDS\tSALVAGED\tSET ASIDE")
	for _, name := range names {
		salvaged := "-" // They are where they were.
		if r.Damaged != "" {
			salvaged = strconv.Itoa(r.Salvaged[name])
		}
		fmt.Fprintf(t, "%s\t%s\t%d\n", name, salvaged, r.SetAside[name])
	}
	if err := t.Flush(); err != nil {
		return err
	}
	if r.Careful {
		_, err := fmt.Fprintln(w, "something was lost that policies remembered: after the next start none scales down before a full stabilization window and a cooldown have passed")
		return err
	}
	return nil
}
