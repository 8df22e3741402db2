//go:build js && wasm

// Command frontend is the portal's program in the browser. web/build compiles
// it to WebAssembly.
package main

import (
	"github.com/gatehouse-portal/gatehouse/frontend/ui"
)

func main() {
	ui.Run()
}
