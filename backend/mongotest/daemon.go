package mongotest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/bson"
	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/mongo/options"
)

// startTimeout bounds how long a mongod may take to answer.
const startTimeout = time.Minute

// daemon is one mongod that this process started.
type daemon struct {
	program string
	dir     string // its data and its log
	addr    string // host:port, on loopback
	set     string // name of its replica set, or "" for a stand-alone

	mu     sync.Mutex
	cmd    *exec.Cmd
	exited chan struct{} // closed when the process has ended
}

// start runs the mongod and waits until it answers. A daemon that has no
// address yet gets a free port; one that had stays at it.
func (d *daemon) start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	for try := 1; ; try++ {
		addr := d.addr
		if addr == "" {
			var err error
			if addr, err = freeAddress(); err != nil {
				return err
			}
		}
		err := d.run(ctx, addr)
		if err == nil {
			d.addr = addr
			return nil
		}
		// The port was free a moment ago; another process may have been faster.
		if d.addr != "" || try == 5 || ctx.Err() != nil || !strings.Contains(err.Error(), "in use") {
			return err
		}
	}
}

func (d *daemon) run(ctx context.Context, addr string) error {
	if err := os.MkdirAll(d.dir, 0o700); err != nil {
		return fmt.Errorf("make the data directory: %w", err)
	}
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	log := filepath.Join(d.dir, "mongod.log")
	args := []string{
		"--dbpath", d.dir, "--port", port, "--bind_ip", "127.0.0.1", "--nounixsocket",
		"--logpath", log, "--wiredTigerCacheSizeGB", "0.25",
		"--setParameter", "diagnosticDataCollectionEnabled=false",
		// Gives tests the fail points of the server (configureFailPoint).
		"--setParameter", "enableTestCommands=1",
	}
	if d.set != "" {
		args = append(args, "--replSet", d.set, "--oplogSize", "64")
	}
	var output bytes.Buffer
	cmd := exec.Command(d.program, args...)
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.SysProcAttr = dieWithParent()

	started, exited := make(chan error), make(chan struct{})
	go func() {
		// PR_SET_PDEATHSIG means the death of this very thread, so it is kept
		// for as long as the child lives.
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		err := cmd.Start()
		started <- err
		if err == nil {
			_ = cmd.Wait()
			close(exited)
		}
	}()
	if err := <-started; err != nil {
		return fmt.Errorf("start mongod: %w", err)
	}
	d.mu.Lock()
	d.cmd, d.exited = cmd, exited
	d.mu.Unlock()

	for {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-exited:
			return fmt.Errorf("mongod ended at its start: %s", reason(output.Bytes(), log))
		case <-ctx.Done():
			d.kill()
			return fmt.Errorf("mongod did not answer within %v: %s", startTimeout, reason(output.Bytes(), log))
		case <-time.After(5 * time.Millisecond):
		}
	}
}

// kill ends the mongod without a chance to tidy up, as a power cut would, and
// waits until it is gone.
func (d *daemon) kill() {
	d.mu.Lock()
	cmd, exited := d.cmd, d.exited
	d.mu.Unlock()
	if cmd == nil {
		return
	}
	_ = cmd.Process.Kill() // fails only if it has ended already
	<-exited
}

// pid returns the id of the running process, or 0.
func (d *daemon) pid() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		return 0
	}
	return d.cmd.Process.Pid
}

// admin runs a command on the admin database of this very mongod.
func (d *daemon) admin(ctx context.Context, command bson.D, result any) error {
	opts := options.Client().ApplyURI("mongodb://" + d.addr + "/?directConnection=true").SetServerSelectionTimeout(10 * time.Second)
	client, err := mongo.Connect(ctx, opts)
	if err != nil {
		return err
	}
	defer func() { _ = client.Disconnect(context.WithoutCancel(ctx)) }()
	return client.Database("admin").RunCommand(ctx, command).Decode(result)
}

// freeAddress returns a loopback address with a port that nobody listens on.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", fmt.Errorf("find a free port: %w", err)
	}
	addr := l.Addr().String()
	return addr, l.Close()
}

// reason finds what a mongod had to say about its end: what it printed, or the
// last lines of its log.
func reason(printed []byte, log string) string {
	if text := strings.TrimSpace(string(printed)); text != "" {
		return text
	}
	text, err := os.ReadFile(log)
	if err != nil {
		return "it left no log"
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	var told []string
	for _, line := range lines {
		if strings.Contains(line, `"s":"E"`) || strings.Contains(line, `"s":"F"`) {
			told = append(told, line)
		}
	}
	if len(told) == 0 {
		told = lines[max(0, len(lines)-3):]
	}
	return strings.Join(told, "; ")
}

// janitor is a small process that waits for this one to end, in whatever way,
// and then ends the given processes and removes dir. Its stdin is a pipe that
// only this process holds open.
func janitor(dir string, pids []int) (dismiss func(), err error) {
	if runtime.GOOS == "windows" {
		return func() {}, nil
	}
	sh, err := exec.LookPath("sh")
	if err != nil {
		return nil, errors.New("no sh is on PATH to tidy up after the tests")
	}
	const script = `cat >/dev/null; dir=$1; shift; kill -9 "$@" 2>/dev/null; rm -rf "$dir" 2>/dev/null || { sleep 1; rm -rf "$dir"; }`
	args := []string{"-c", script, "janitor", dir}
	for _, pid := range pids {
		args = append(args, strconv.Itoa(pid))
	}
	cmd := exec.Command(sh, args...)
	cmd.SysProcAttr = ownGroup()
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("start the janitor: %w", err)
	}
	return func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = stdin.(io.Closer).Close()
	}, nil
}

// stopped reports whether the process has ended.
func (d *daemon) stopped() bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.cmd == nil {
		return true
	}
	select {
	case <-d.exited:
		return true
	default:
		return false
	}
}
