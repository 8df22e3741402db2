package httpapi

import (
	"bytes"
	"encoding/binary"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

// What stands before a body decides where the request ends, so a proxy in front
// and this server have to read it alike; where they would not, the rest of one
// request is the beginning of another one's. fasthttp takes much that is not
// HTTP, in its own reading. It is refused here, and the connection closed, as
// RFC 9112 (2.2, 3.2, 5.1, 5.2, 6.1, 6.3) and RFC 9110 (5.1, 5.5) say.

// The faults of a head. Each ends the connection, because what follows on it may
// not begin where it seems to.
var (
	faultLine     = unframed("The request line is not \"method target HTTP/1.1\".")
	faultName     = unframed("A header line does not begin with a name and a colon.")
	faultValue    = unframed("A header field holds a control character.")
	faultLength   = unframed("The request says in two ways how long it is.")
	faultCoding   = unframed("Transfer-Encoding can only be \"chunked\".")
	faultHost     = unframed("The request does not name its host in exactly one Host field.")
	faultTrailers = unframed("Fields behind the body are not read. Send them before it.")
	faultVersion  = &refusal{kind: kindVersion, detail: "The request is neither HTTP/1.1 nor HTTP/1.0.", close: true}
	faultUnknown  = &refusal{kind: kindCoding, detail: "The body is encoded in a way that the server does not know.", close: true}
)

func unframed(detail string) *refusal {
	return &refusal{kind: kindBadRequest, detail: detail, close: true}
}

const chunkedLength = -1 // the length of a body of unknown length, as fasthttp writes it

// headReceived looks at the head of a request before its body is read. Of a
// faulty one no body is read: nobody knows where it ends. [Server.enter] then
// refuses the request; the mark that leads it to look again is that the
// connection is to be closed.
func headReceived(h *fasthttp.RequestHeader) (same fasthttp.RequestConfig) {
	head, fault := judgeHead(h)
	if fault != nil {
		h.Del(fiber.HeaderExpect)
		h.SetContentLength(0)
	}
	if h.ContentLength() > maxBodyBytes { // it is refused at once, and not asked for first
		h.Del(fiber.HeaderExpect)
	}
	if host := h.Host(); len(host) > 0 && (host[0] == '\t' || host[len(host)-1] == '\t') {
		h.SetHostBytes(trimOWS(host)) // fasthttp takes only spaces away, and finds no path then
	}
	// fasthttp skips what it does not know in a chunked body, line ends too, and
	// takes a request line without a version for HTTP/1.0. So nothing that comes
	// behind either is believed.
	if fault != nil || head.closes || head.chunked || !h.IsHTTP11() {
		h.SetConnectionClose()
	}
	return same
}

// faultOf returns what is wrong with a request that was read, nil if nothing is.
func faultOf(h *fasthttp.RequestHeader) *refusal {
	if !h.ConnectionClose() { // headReceived found nothing
		return nil
	}
	head, fault := judgeHead(h)
	if fault == nil && head.chunked && hasTrailers(h) {
		return faultTrailers
	}
	return fault
}

// head is what the head of a request says about the connection.
type head struct {
	closes  bool // fasthttp knows "close" only alone and in lower case
	chunked bool
}

// judgeHead looks once at every byte of a head, and allocates nothing.
func judgeHead(h *fasthttp.RequestHeader) (is head, fault *refusal) {
	if fault = judgeLine(h); fault != nil {
		return is, fault
	}
	var hosts, lengths, codings int
	var coding []byte
	for rest := h.RawHeaders(); len(rest) > 0; {
		var line []byte
		if line, rest = cutLine(rest); len(line) == 0 {
			break
		}
		n := tokenLength(line)
		if n == 0 || n == len(line) || line[n] != ':' { // also a line that goes on the one before
			return is, faultName
		}
		name, value := line[:n], line[n+1:]
		if !isFieldText(value) {
			return is, faultValue
		}
		switch {
		case n == len(fiber.HeaderHost) && equalFold(name, fiber.HeaderHost):
			if hosts++; !isHost(trimOWS(value)) {
				return is, faultHost
			}
		case n == len(fiber.HeaderContentLength) && equalFold(name, fiber.HeaderContentLength):
			lengths++
		case n == len(fiber.HeaderTransferEncoding) && equalFold(name, fiber.HeaderTransferEncoding):
			codings++
			coding = trimOWS(value)
		case n == len(fiber.HeaderConnection) && equalFold(name, fiber.HeaderConnection):
			is.closes = is.closes || listHas(value, "close")
		}
	}
	switch {
	case hosts > 1, hosts == 0 && h.IsHTTP11():
		return is, faultHost
	case lengths > 1, codings > 1, lengths+codings > 1:
		return is, faultLength
	case codings == 0:
		return is, nil
	case !h.IsHTTP11(): // HTTP/1.0 has no codings: whoever sent this repeats what another one wrote
		return is, faultCoding
	}
	is.chunked = true
	return is, judgeCoding(coding)
}

// judgeCoding refuses every transfer coding but chunked. One that ends in
// chunked is framed well, and only unknown; of others the end is not known.
func judgeCoding(coding []byte) *refusal {
	if equalFold(coding, "chunked") {
		return nil
	}
	i := bytes.LastIndexByte(coding, ',')
	if i <= 0 || !equalFold(trimOWS(coding[i+1:]), "chunked") {
		return faultCoding
	}
	for one := range bytes.SplitSeq(coding[:i], []byte(",")) {
		if one = trimOWS(one); tokenLength(one) != len(one) || equalFold(one, "chunked") {
			return faultCoding
		}
	}
	return faultUnknown
}

// judgeLine looks at the request line, which fasthttp cuts at its first and its
// last space.
func judgeLine(h *fasthttp.RequestHeader) *refusal {
	if method := h.Method(); tokenLength(method) != len(method) {
		return faultLine
	}
	for _, ch := range h.RequestURI() {
		if ch <= ' ' || ch == 0x7f {
			return faultLine
		}
	}
	if h.IsHTTP11() {
		return nil
	}
	switch v := h.Protocol(); {
	case string(v) == "HTTP/1.0":
		return nil
	case len(v) == len("HTTP/1.0") && string(v[:5]) == "HTTP/" && isDigit(v[5]) && v[6] == '.' && isDigit(v[7]):
		return faultVersion
	}
	return faultLine
}

// hasTrailers reports whether fields of a trailer section stand among those of
// the head, where fasthttp puts them: an X-Forwarded-For there would come after
// the one of a trusted proxy.
func hasTrailers(h *fasthttp.RequestHeader) bool {
	found := false
	h.VisitAll(func(name, _ []byte) {
		if string(name) == fiber.HeaderConnection { // headReceived set it
			return
		}
		inHead := 0
		for rest := h.RawHeaders(); len(rest) > 0; {
			var line []byte
			line, rest = cutLine(rest)
			if n := tokenLength(line); n == len(name) && bytes.EqualFold(line[:n], name) {
				inHead++
			}
		}
		found = found || inHead == 0 || len(h.PeekAll(string(name))) > inHead
	})
	return found
}

// cutLine cuts the first line off, without its CR LF or LF.
func cutLine(b []byte) (line, rest []byte) {
	line = b
	if i := bytes.IndexByte(b, '\n'); i >= 0 {
		line, rest = b[:i], b[i+1:]
	}
	if n := len(line); n > 0 && line[n-1] == '\r' {
		line = line[:n-1]
	}
	return line, rest
}

// tchar are the characters of a token (RFC 9110, 5.6.2), hostChar those of a
// host with its port (RFC 3986, 3.2.2).
var (
	tchar    = charSet("!#$%&'*+-.^_`|~")
	hostChar = charSet("-._~%!$&'()*+,;=:[]")
)

// charSet holds the letters, the digits and some more.
func charSet(more string) (set [256]bool) {
	for ch := range set {
		c := byte(ch)
		set[ch] = isDigit(c) || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || bytes.IndexByte([]byte(more), c) >= 0
	}
	return set
}

func isDigit(ch byte) bool { return ch >= '0' && ch <= '9' }

// tokenLength returns how many characters of a token b begins with.
func tokenLength(b []byte) int {
	for i, ch := range b {
		if !tchar[ch] {
			return i
		}
	}
	return len(b)
}

const (
	ones  = 0x0101010101010101
	highs = 0x8080808080808080
)

// isFieldText reports whether b has no control character but tabs. It looks at
// eight bytes at a time; what seems one in that way is looked at again.
func isFieldText(b []byte) bool {
	for ; len(b) >= 8; b = b[8:] {
		w := binary.LittleEndian.Uint64(b)
		below := (w - ones*' ') &^ w // bytes below a space
		del := w ^ ones*0x7f
		if (below|(del-ones)&^del)&highs != 0 && hasControl(b[:8]) {
			return false
		}
	}
	return !hasControl(b)
}

func hasControl(b []byte) bool {
	for _, ch := range b {
		if ch < ' ' && ch != '\t' || ch == 0x7f {
			return true
		}
	}
	return false
}

// isHost reports whether b can be a host with or without a port. An empty one
// names nobody (RFC 9110, 4.2.1).
func isHost(b []byte) bool {
	for _, ch := range b {
		if !hostChar[ch] {
			return false
		}
	}
	name, port := b, []byte(nil)
	if i := bytes.LastIndexByte(b, ':'); i > bytes.LastIndexByte(b, ']') {
		name, port = b[:i], b[i+1:]
	}
	for _, ch := range port {
		if !isDigit(ch) {
			return false
		}
	}
	if n := len(name); n > 2 && name[0] == '[' && name[n-1] == ']' {
		return !bytes.ContainsAny(name[1:n-1], "[]")
	}
	return len(name) > 0 && !bytes.ContainsAny(name, "[]:")
}

// trimOWS takes the optional white space around a value away.
func trimOWS(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// listHas reports whether a list separated by commas has a word.
func listHas(list []byte, word string) bool {
	for len(list) > 0 {
		one := list
		if i := bytes.IndexByte(list, ','); i >= 0 {
			one, list = list[:i], list[i+1:]
		} else {
			list = nil
		}
		if equalFold(trimOWS(one), word) {
			return true
		}
	}
	return false
}

// equalFold compares without regard to the case of ASCII letters; word has no
// other bytes.
func equalFold(b []byte, word string) bool {
	if len(b) != len(word) {
		return false
	}
	for i := range b {
		x, y := b[i], word[i]
		if x != y && (x^y != 0x20 || x|0x20 < 'a' || x|0x20 > 'z') {
			return false
		}
	}
	return true
}
