// Package httpapi is the HTTP of Gatehouse: it decodes requests into the types
// of shared/api, calls the rules in backend/portal, and writes their answers and
// refusals. It alone imports Fiber.
//
// routes.go is the one table of routes, each with the rule of who may call it;
// testdata/routes.golden shows it. Two doors never mix: portal routes take the
// session cookie and ignore Authorization, API routes take a bearer token and
// ignore cookies (auth.go, bearer.go).
//
// A handler decodes, calls, answers. It decides nothing and writes no error:
// what it returns is written by problem.go, a [portal.Error] as the problem it
// is, everything else as a bare 500 with one line in the log.
//
// Fiber runs with Immutable, so that strings taken from a request may outlive
// it. Paths are strict and case-sensitive, and an access rule is bound to its
// route, never to a comparison of paths.
package httpapi
