//go:build !linux

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "bench: it needs Linux, which tells what a process computes and wakes it in time")
	os.Exit(1)
}
