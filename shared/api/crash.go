package api

// CrashReport is the body of POST /portal/v1/crash-reports: what the browser
// program said as it stopped. Whoever reads it is to treat it as made by anybody.
type CrashReport struct {
	Version string `json:"version" validate:"max=100"` // of the browser program
	Path    string `json:"path" validate:"max=300"`    // of the page, without its query
	Detail  string `json:"detail" validate:"max=2000"`
}
