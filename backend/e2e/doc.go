// Package e2e holds the journeys that people and integrations make, driven
// through the real binary, a real browser and real databases. It has tests
// only.
package e2e
