// Command gatehouse is the portal: it serves, and does what an operator needs
// beside it. `gatehouse help` lists the commands and the settings.
package main

import (
	"os"

	"github.com/gatehouse-portal/gatehouse/backend/cmd"
)

func main() { os.Exit(cmd.Main(os.Args[1:])) }
