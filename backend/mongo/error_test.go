package mongo

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"
)

// clearedPool stands for the error of a pool that was cleared while somebody
// waited for a connection, which the driver does not export.
type clearedPool struct{ error }

func (clearedPool) Retryable() bool { return true }

var _ driver.RetryablePoolError = clearedPool{}

func TestGone(t *testing.T) {
	for _, tt := range []struct {
		name string
		err  error
		want bool
	}{
		{"a pool that was cleared", clearedPool{io.EOF}, true},
		{"a pool that is closed", topology.ErrPoolClosed, true},
		{"a handshake that was cut", topology.ConnectionError{Wrapped: io.EOF}, true},
		{"a wait for a connection", topology.WaitQueueTimeoutError{Wrapped: context.DeadlineExceeded}, true},
		{"no server to choose", topology.ServerSelectionError{Wrapped: topology.ErrServerSelectionTimeout}, true},
		{"a primary that stepped down", mongo.CommandError{Code: 10107}, true},
		{"an answer that was cut", mongo.CommandError{Labels: []string{"NetworkError"}, Wrapped: io.EOF}, true},
		{"a rule that was broken", mongo.CommandError{Code: 121}, false},
		{"a name that is taken", mongo.CommandError{Code: 11000}, false},
		{"what nobody foresaw", errors.New("surprise"), false},
	} {
		if got := gone(fmt.Errorf("read: %w", tt.err)); got != tt.want {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
