package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/pprof"
	"syscall"
)

// ready is what a server process says once it listens.
type ready struct {
	Addr    string
	Secrets []string // of tokens that may read orders
	PID     int      `json:"-"`
}

// servers are the processes that are measured.
type servers struct {
	profile string
	running []*exec.Cmd
}

// start runs this program again as a server, which ends with ctx.
func (s *servers) start(ctx context.Context, kind, database string) (ready, error) {
	self, err := os.Executable()
	if err != nil {
		return ready{}, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", kind, "-database", database, "-profile", s.profile)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = endWithParent()
	pipe, err := cmd.StdoutPipe()
	if err != nil {
		return ready{}, err
	}
	if err := cmd.Start(); err != nil {
		return ready{}, err
	}
	s.running = append(s.running, cmd)
	line, err := bufio.NewReader(pipe).ReadBytes('\n')
	if err != nil {
		return ready{}, errors.Join(fmt.Errorf("the %s server did not start", kind), err)
	}
	r := ready{PID: cmd.Process.Pid}
	return r, json.Unmarshal(line, &r)
}

// stop ends the servers and waits until each has stored what it must.
func (s *servers) stop() {
	for _, cmd := range s.running {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	}
}

// profiled runs a server, and writes a CPU profile of it to dir/kind.pprof
// unless dir is "".
func profiled(dir, kind string, serve func() error) error {
	if dir == "" {
		return serve()
	}
	f, err := os.Create(filepath.Join(dir, kind+".pprof"))
	if err != nil {
		return err
	}
	if err := pprof.StartCPUProfile(f); err != nil {
		return errors.Join(err, f.Close())
	}
	err = serve()
	pprof.StopCPUProfile()
	return errors.Join(err, f.Close())
}
