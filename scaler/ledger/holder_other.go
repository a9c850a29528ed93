//go:build !linux

package ledger

func holder(string) string { return "" }
