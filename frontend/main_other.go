//go:build !(js && wasm)

// Command frontend is the portal's program in the browser. web/build compiles
// it to WebAssembly; anywhere else it only says so.
package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "frontend runs in a browser: `go run ./web/build` makes it")
	os.Exit(2)
}
