// Package deploy holds what a deployment starts from: the example catalogue,
// which is also the one that is used when none is named, the container image
// and how it is composed.
package deploy

import _ "embed"

//go:embed catalogue.example.yaml
var catalogue string

// Catalogue returns the text of the example catalogue, YAML.
func Catalogue() string { return catalogue }
