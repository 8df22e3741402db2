package api

// Call is the record of one request to the public API.
type Call struct {
	At         Time    `json:"at"`
	Token      string  `json:"token"`
	Generation int     `json:"generation"`
	Method     string  `json:"method"`
	Route      string  `json:"route"` // the template: /api/v1/orders/:id
	Status     int     `json:"status"`
	Code       string  `json:"code"` // of the decision: ok, insufficient-ability, expired …
	DurationMS float64 `json:"duration_ms"`
	Bytes      int64   `json:"bytes"` // of the answer's body
	Address    string  `json:"address"`
	UserAgent  string  `json:"user_agent"`
	RequestID  string  `json:"request_id"`
	DecisionID string  `json:"decision_id"`
}

// Usage answers GET …/usage.
type Usage struct {
	From   Time     `json:"from"`
	To     Time     `json:"to"`
	Step   string   `json:"step"` // hour, day
	By     string   `json:"by"`   // "", token, route, status
	Series []Series `json:"series"`
}

// Series is the usage of one key ("" for all together), one point a step, with
// no step left out.
type Series struct {
	Key    string  `json:"key"`
	Points []Point `json:"points"`
}

// Point is the usage of one step. Refused are answers 401, 403 and 429, errors
// answers of 500 and more; the percentiles are null without calls.
type Point struct {
	At      Time     `json:"at"`
	Calls   int64    `json:"calls"`
	Refused int64    `json:"refused"`
	Errors  int64    `json:"errors"`
	P50MS   *float64 `json:"p50_ms"`
	P95MS   *float64 `json:"p95_ms"`
}
