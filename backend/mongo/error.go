package mongo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"go.mongodb.org/mongo-driver/mongo"
	"go.mongodb.org/mongo-driver/x/mongo/driver"
	"go.mongodb.org/mongo-driver/x/mongo/driver/topology"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

var (
	// errClosed counts as unavailable: while a process ends, its last requests
	// are told to come back, to another one.
	errClosed = fmt.Errorf("%w (the store is closed)", portal.ErrUnavailable)
	// errAgain says that a transaction lost a race and has to run again.
	errAgain = errors.New("another transaction won")
	// errUnknown is what the client reads, in place of ErrUnavailable, when the
	// database fell silent during the commit.
	errUnknown = &portal.Error{
		Kind: portal.Busy, Code: portal.ErrUnavailable.Code, RetryAfter: portal.ErrUnavailable.RetryAfter,
		Detail: "The database did not answer in time. Whether the change was made is not known.",
		Fix:    "Look at what is there before you try again.",
	}
	errEnded = errors.New("the transaction of this context has ended")
)

// The labels that the server and the driver put on errors, named by the
// MongoDB specifications of transactions and retryable writes.
const (
	labelTransient = "TransientTransactionError"
	labelUnknown   = "UnknownTransactionCommitResult"
	labelRetryable = "RetryableWriteError"
)

// goneCodes are the server's errors that say nothing about the request: the
// member is stepping down, shutting down, out of reach, out of time or out of
// space.
var goneCodes = []int{
	6, 7, 89, 91, 189, 9001, 10107, 11600, 11602, 13435, 13436, // the retryable ones of the specification
	24,  // LockTimeout
	50,  // MaxTimeMSExpired
	64,  // WriteConcernFailed
	100, // UnsatisfiableWriteConcern
	112, // WriteConflict
	134, // ReadConcernMajorityNotAvailableYet
	246, // SnapshotUnavailable
	262, // ExceededTimeLimit
	outOfDiskSpace,
}

const outOfDiskSpace = 14031

func hasLabel(err error, label string) bool {
	var labeled interface{ HasErrorLabel(string) bool }
	return errors.As(err, &labeled) && labeled.HasErrorLabel(label)
}

// gone reports that the database could not be reached, or could not serve at
// the moment: another try may succeed.
func gone(err error) bool {
	if mongo.IsNetworkError(err) || mongo.IsTimeout(err) || hasLabel(err, labelTransient) ||
		hasLabel(err, labelUnknown) || hasLabel(err, labelRetryable) {
		return true
	}
	// What fails before a command is sent has no label: no server to choose, no
	// connection to be had, or one that ended with its pool.
	var selection topology.ServerSelectionError
	var pool topology.PoolError
	var connection topology.ConnectionError
	var retryable driver.RetryablePoolError
	if errors.As(err, &selection) || errors.As(err, &pool) || errors.As(err, &connection) || errors.As(err, &retryable) ||
		errors.Is(err, mongo.ErrClientDisconnected) ||
		errors.Is(err, driver.ErrDeadlineWouldBeExceeded) || errors.Is(err, topology.ErrServerClosed) {
		return true
	}
	var server mongo.ServerError
	return errors.As(err, &server) && slices.ContainsFunc(goneCodes, server.HasErrorCode)
}

// fail names the step that failed, and turns what says that the database is out
// of reach into [portal.ErrUnavailable]. In a transaction it notes whether to
// run again. Errors that are the portal's own pass as they are.
func (s *Store) fail(ctx context.Context, step string, err error) error {
	if err == nil || portal.KindOf(err) != "" {
		return err
	}
	again := errors.Is(err, errAgain) || gone(err)
	if t := transactionOf(ctx); t != nil && again && t.again == nil {
		t.again = err
	}
	switch {
	case s.closed.Load():
		return errClosed
	case errors.Is(ctx.Err(), context.Canceled):
		return fmt.Errorf("%s: %w", step, ctx.Err()) // whoever asked has gone
	case again:
		return unavailable(step, err)
	default:
		return fmt.Errorf("%s: %w", step, err)
	}
}

func unavailable(step string, err error) error {
	if server, ok := errors.AsType[mongo.ServerError](err); ok && server.HasErrorCode(outOfDiskSpace) {
		return fmt.Errorf("%s: %w: %w", step, portal.ErrStorageFailing, err)
	}
	return fmt.Errorf("%s: %w: %w", step, portal.ErrUnavailable, brief(err))
}

// mayNot explains that the user of the URI lacks rights in the database.
func mayNot(database string, err error) error {
	const unauthorized = 13
	if server, ok := errors.AsType[mongo.ServerError](err); ok && server.HasErrorCode(unauthorized) {
		return fmt.Errorf("MongoDB does not let the user of the URI work in the database %s: give it the roles readWrite and dbAdmin there, or name the database that it has them in", database)
	}
	return err
}

// briefError is a failed choice of a server, without the kilobyte that the driver
// tells of the whole set, for each call of an outage.
type briefError struct {
	error
	selection topology.ServerSelectionError
}

func (e *briefError) Unwrap() error { return e.error }

func (e *briefError) Error() string {
	why := "no server of the set fits"
	if e.selection.Wrapped != nil {
		why = e.selection.Wrapped.Error()
	}
	for _, s := range e.selection.Desc.Servers {
		why += fmt.Sprintf("; %s is %s", s.Addr, s.Kind)
		if s.LastError != nil {
			why += " (" + s.LastError.Error() + ")"
		}
	}
	return why
}

// brief shortens what an operator reads of an error, and keeps the error.
func brief(err error) error {
	if selection, ok := errors.AsType[topology.ServerSelectionError](err); ok {
		return &briefError{err, selection}
	}
	return err
}
