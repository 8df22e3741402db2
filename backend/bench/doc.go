// Command bench measures whole requests: a bare Fiber server and Gatehouse on
// each store, each in a process of its own, loaded in turns by the same generator
// in the same run. What it prints are ratios, because figures of different minutes
// or machines cannot be compared. The rounds are many and short rather than few
// and long: what is compared should have had the same machine.
//
// The bare server has a route for each of ours, which encodes the very same
// answer with Fiber's own c.JSON, and does nothing else. The tokens that the
// requests take turns with are 1,000 among 100,000.
//
// The generator is two threads with epoll: what it computes for a request, which
// is printed, is nearly all the kernel's work of sending and receiving. It shares
// the cores with the servers, so a ratio of requests a second flatters the slower
// of two; the ratio of what the servers compute does not, and stands beside it.
//
// The steady load is open: a request is due whether or not the last one was
// answered, and latency counts from when it was due.
//
//	go run ./backend/bench [-rounds 15] [-length 1s] [-connections 1,64,256] [-rate 5000] [-only TEXT] [-profile DIR]
package main
