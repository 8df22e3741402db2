package api

// CreateOrder is the body of POST /api/v1/orders.
type CreateOrder struct {
	Reference   string      `json:"reference" validate:"required,plain,no_secret,max=100"`
	Currency    string      `json:"currency" validate:"required,currency"`
	AmountMinor *int64      `json:"amount_minor" validate:"required,min=0,max=9007199254740991"` // 0 is an amount too
	Lines       []OrderLine `json:"lines" validate:"max=200,dive"`
}

// OrderLine is one line of an order. Amounts are in the currency's minor unit.
type OrderLine struct {
	SKU         string `json:"sku" validate:"required,plain,no_secret,max=100"`
	Description string `json:"description" validate:"multiline,no_secret,max=500"`
	Quantity    int64  `json:"quantity" validate:"min=1,max=1000000"`
	AmountMinor int64  `json:"amount_minor" validate:"min=0,max=9007199254740991"`
}

// UpdateOrder is the merge patch of PATCH /api/v1/orders/{id}, with If-Match.
type UpdateOrder struct {
	Reference   Optional[string]      `json:"reference,omitzero" patch:"keep"`
	Currency    Optional[string]      `json:"currency,omitzero" patch:"keep"`
	AmountMinor Optional[int64]       `json:"amount_minor,omitzero" patch:"keep"`
	Lines       Optional[[]OrderLine] `json:"lines,omitzero" patch:"keep"` // none: an empty list
}

// Order is the reference resource: real, stored, per team and environment.
type Order struct {
	ID          string      `json:"id"`
	Reference   string      `json:"reference"`
	Currency    string      `json:"currency"`
	AmountMinor int64       `json:"amount_minor"`
	Lines       []OrderLine `json:"lines"`
	Status      string      `json:"status"` // open, cancelled
	CreatedAt   Time        `json:"created_at"`
	UpdatedAt   Time        `json:"updated_at"`
}
