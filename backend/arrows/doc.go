// Package arrows holds the test of who may import whom: arrows point inwards,
// each outside library belongs to one package, and what the browser program
// weighs is guarded. It has tests only.
package arrows
