//go:build linux

package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ready is what a server process says once it listens.
type ready struct {
	Addr    string
	Secrets []string // of tokens that may read orders
}

// server is a process that is measured.
type server struct {
	name    string
	addr    string
	pid     int
	behind  int // the process of its database, 0 if it has none of its own
	secrets []string

	cmd *exec.Cmd
	ask io.Writer
	say *bufio.Reader
}

// mallocs asks how often the server has allocated so far.
func (s *server) mallocs() (uint64, error) {
	if _, err := io.WriteString(s.ask, "\n"); err != nil {
		return 0, err
	}
	line, err := s.say.ReadString('\n')
	if err != nil {
		return 0, err
	}
	return strconv.ParseUint(strings.TrimSpace(line), 10, 64)
}

// tellMallocs is the other side of that, until in ends.
func tellMallocs(in io.Reader, out io.Writer) {
	for lines := bufio.NewScanner(in); lines.Scan(); {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		fmt.Fprintln(out, m.Mallocs)
	}
}

// servers are the processes that are measured.
type servers struct {
	profile string
	running []*server
}

// start runs this program again as a server, which ends with ctx.
func (s *servers) start(ctx context.Context, name, from string) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, "-serve", strings.ToLower(name), "-from", from, "-profile", s.profile)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	started := &server{name: name, pid: cmd.Process.Pid, cmd: cmd, ask: in, say: bufio.NewReader(out)}
	s.running = append(s.running, started)
	line, err := started.say.ReadBytes('\n')
	if err != nil {
		return nil, errors.Join(fmt.Errorf("the %s server did not start", name), err)
	}
	var r ready
	if err := json.Unmarshal(line, &r); err != nil {
		return nil, err
	}
	started.addr, started.secrets = r.Addr, r.Secrets
	return started, nil
}

// stop ends the servers and waits until each has stored what it must.
func (s *servers) stop() {
	for _, r := range s.running {
		_ = r.cmd.Process.Signal(syscall.SIGTERM)
		_ = r.cmd.Wait()
	}
}

// tick is the unit of the times in /proc: USER_HZ, which is 100 on every
// architecture that Go knows.
const tick = 10 * time.Millisecond

// cpuOf returns the time that a process has computed so far.
func cpuOf(pid int) time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	var sum time.Duration
	for _, i := range []int{11, 12} { // utime and stime, counted after the name
		if len(fields) > i {
			n, _ := strconv.Atoi(string(fields[i]))
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

// profile begins a CPU profile of this process, and returns what ends it. It is
// written to dir/kind.cpu, the allocations until then to dir/kind.allocs.
func profile(dir, kind string) (end func() error, err error) {
	if dir == "" {
		return func() error { return nil }, nil
	}
	cpu, err := os.Create(filepath.Join(dir, kind+".cpu"))
	if err != nil {
		return nil, err
	}
	allocs, err := os.Create(filepath.Join(dir, kind+".allocs"))
	if err != nil {
		return nil, err
	}
	return func() error {
		pprof.StopCPUProfile()
		return errors.Join(cpu.Close(), pprof.Lookup("allocs").WriteTo(allocs, 0), allocs.Close())
	}, pprof.StartCPUProfile(cpu)
}
