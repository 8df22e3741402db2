package httpapi

import (
	"net"
	"net/netip"
	"strings"

	"github.com/gofiber/fiber/v2"
)

// clientAddress returns the address of the client: that of the socket, or, when
// the socket belongs to a trusted proxy, the first address from the right of
// X-Forwarded-For that does not. A list whose next entry cannot be read ends
// there: what stands left of it was written by nobody we trust.
func clientAddress(c *fiber.Ctx, trusted []netip.Prefix) netip.Addr {
	peer := peerAddress(c)
	if len(trusted) == 0 || !isTrusted(peer, trusted) {
		return peer
	}
	headers := c.Context().Request.Header.PeekAll(fiber.HeaderXForwardedFor)
	nearest := peer
	for i := len(headers) - 1; i >= 0; i-- {
		entries := strings.Split(string(headers[i]), ",")
		for j := len(entries) - 1; j >= 0; j-- {
			a, ok := parseForwarded(entries[j])
			if !ok {
				return nearest
			}
			nearest = a
			if !isTrusted(a, trusted) {
				return a
			}
		}
	}
	return nearest
}

// peerAddress returns the address at the other end of the socket.
func peerAddress(c *fiber.Ctx) netip.Addr {
	if a, ok := c.Context().RemoteAddr().(*net.TCPAddr); ok {
		return a.AddrPort().Addr().Unmap().WithZone("")
	}
	return netip.IPv4Unspecified() // no TCP: a test without a socket
}

func isTrusted(a netip.Addr, trusted []netip.Prefix) bool {
	for _, p := range trusted {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseForwarded reads one entry of X-Forwarded-For: an address, with or
// without a port, IPv6 with or without brackets.
func parseForwarded(entry string) (netip.Addr, bool) {
	entry = strings.TrimSpace(entry)
	a, err := netip.ParseAddr(strings.Trim(entry, "[]"))
	if err != nil {
		ap, err := netip.ParseAddrPort(entry)
		if err != nil {
			return netip.Addr{}, false
		}
		a = ap.Addr()
	}
	return a.Unmap().WithZone(""), true
}
