//go:build linux

package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

// requests are the bytes of the requests that take turns.
func (t *target) requests() [][]byte {
	list := make([][]byte, len(t.server.secrets))
	for i, secret := range t.server.secrets {
		list[i] = fmt.Appendf(nil, "%s %s HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAuthorization: Bearer %s\r\n\r\n", t.method, t.path, secret)
	}
	return list
}

// conn is one keep-alive connection with at most one request under way.
type conn struct {
	fd     int
	next   int // request
	since  time.Time
	buffer []byte
	have   int
	whole  int // length of the answer, 0: its head is not there yet
}

func (t *target) dial() (*conn, error) {
	at, err := netip.ParseAddrPort(t.server.addr)
	if err != nil {
		return nil, err
	}
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	err = errors.Join(
		syscall.Connect(fd, &syscall.SockaddrInet4{Port: int(at.Port()), Addr: at.Addr().As4()}),
		syscall.SetsockoptInt(fd, syscall.IPPROTO_TCP, syscall.TCP_NODELAY, 1),
	)
	return &conn{fd: fd, buffer: make([]byte, 64<<10)}, err
}

func (c *conn) send(requests [][]byte) error {
	c.have, c.whole = 0, 0
	_, err := syscall.Write(c.fd, requests[c.next%len(requests)]) // small: whole or not at all
	c.next++
	return err
}

// receive reads what is there, and reports whether the answer is whole. It knows
// no more of HTTP than it needs.
func (c *conn) receive(want int) (bool, error) {
	n, err := syscall.Read(c.fd, c.buffer[c.have:])
	if err != nil {
		return false, err
	}
	if n == 0 {
		return false, net.ErrClosed
	}
	c.have += n
	if c.whole == 0 {
		head := bytes.Index(c.buffer[:c.have], []byte("\r\n\r\n"))
		if head < 0 {
			return false, nil
		}
		if status, err := strconv.Atoi(string(c.buffer[9:12])); err != nil || status != want {
			return false, fmt.Errorf("got status %d (%v), want %d", status, err, want)
		}
		const field = "\r\nContent-Length: "
		at := bytes.Index(c.buffer[:head+2], []byte(field))
		if at < 0 {
			return false, errors.New("an answer without a length")
		}
		digits := c.buffer[at+len(field) : head+2]
		length, err := strconv.Atoi(string(digits[:bytes.IndexByte(digits, '\r')]))
		if err != nil {
			return false, err
		}
		c.whole = head + 4 + length
	}
	return c.have >= c.whole, nil
}

// parallel runs do on so many threads of the system, and joins what they took.
func parallel(n int, do func(i int) ([]time.Duration, error)) (load, error) {
	began := time.Now()
	took, errs := make([][]time.Duration, n), make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread() // a thread that ends takes the processes along that it started
			took[i], errs[i] = do(i)
		})
	}
	wg.Wait()
	l := load{elapsed: time.Since(began)}
	for _, part := range took {
		l.took = append(l.took, part...)
	}
	return l, errors.Join(errs...)
}

// flood sends on every connection the next request as soon as the last one was
// answered.
func (t *target) flood(end time.Time) (load, error) {
	requests := t.requests()
	threads := min(2, t.connections)
	return parallel(threads, func(thread int) ([]time.Duration, error) {
		poll, err := syscall.EpollCreate1(syscall.EPOLL_CLOEXEC)
		if err != nil {
			return nil, err
		}
		defer syscall.Close(poll)
		var conns []*conn
		for i := thread; i < t.connections; i += threads {
			c, err := t.dial()
			if err != nil {
				return nil, err
			}
			defer syscall.Close(c.fd)
			event := syscall.EpollEvent{Events: syscall.EPOLLIN, Fd: int32(len(conns))}
			if err := syscall.EpollCtl(poll, syscall.EPOLL_CTL_ADD, c.fd, &event); err != nil {
				return nil, err
			}
			c.next, c.since = i*len(requests)/t.connections, time.Now()
			if err := c.send(requests); err != nil {
				return nil, err
			}
			conns = append(conns, c)
		}
		return t.answerAll(poll, conns, requests, end)
	})
}

func (t *target) answerAll(poll int, conns []*conn, requests [][]byte, end time.Time) ([]time.Duration, error) {
	took := make([]time.Duration, 0, 1<<18)
	events := make([]syscall.EpollEvent, len(conns))
	for {
		n, err := syscall.EpollWait(poll, events, 5000)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			return nil, err
		}
		if n == 0 {
			return nil, errors.New("no answer for 5 s")
		}
		for _, event := range events[:max(n, 0)] {
			c := conns[event.Fd]
			whole, err := c.receive(t.want)
			if err != nil {
				return nil, err
			}
			if !whole {
				continue
			}
			now := time.Now()
			took = append(took, now.Sub(c.since))
			if now.After(end) {
				return took, nil
			}
			c.since = now
			if err := c.send(requests); err != nil {
				return nil, err
			}
		}
	}
}

// pace sends so many requests a second whether or not the last ones are answered,
// each connection on a thread of its own that the kernel wakes in time.
func (t *target) pace(end time.Time, rate int) (load, error) {
	requests := t.requests()
	threads := usual / 2
	// A thread that sleeps in the kernel keeps what it needs to go on.
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(threads + 2))
	gap := time.Second * time.Duration(threads) / time.Duration(rate)
	begin := time.Now().Add(10 * time.Millisecond)
	return parallel(threads, func(thread int) ([]time.Duration, error) {
		const setTimerSlack = 29
		_, _, _ = syscall.RawSyscall(syscall.SYS_PRCTL, setTimerSlack, 1, 0)
		c, err := t.dial()
		if err != nil {
			return nil, err
		}
		defer syscall.Close(c.fd)
		c.next = thread * len(requests) / threads
		var took []time.Duration
		for due := begin.Add(gap * time.Duration(thread) / time.Duration(threads)); due.Before(end); due = due.Add(gap) {
			sleepUntil(due)
			if err := c.send(requests); err != nil {
				return nil, err
			}
			for whole := false; !whole; {
				if whole, err = c.receive(t.want); err != nil {
					return nil, err
				}
			}
			took = append(took, time.Since(due))
		}
		return took, nil
	})
}

// sleepUntil sleeps in the kernel: the runtime may round a short sleep up to a
// millisecond.
func sleepUntil(due time.Time) {
	for d := time.Until(due); d > 0; d = time.Until(due) {
		spec := syscall.NsecToTimespec(int64(d))
		_, _, _ = syscall.Syscall(syscall.SYS_NANOSLEEP, uintptr(unsafe.Pointer(&spec)), 0, 0)
	}
}
