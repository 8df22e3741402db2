package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"

	"github.com/gatehouse-portal/gatehouse/backend/block"
	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	// rowsAtOnce is how many rows one statement inserts.
	rowsAtOnce = 128
	// batchesLogged is how many batches of sums are logged before they are added
	// to those that are stored: many batches add to the same sums.
	batchesLogged = 512
	// batchesRead is how many of them are read at once.
	batchesRead = 32
	// settledAtOnce is from how many sums of hours on no further batch is added:
	// requests wait for the transaction.
	settledAtOnce = 5000
)

// logRollups stores packed sums to be added later, and adds some if the log is
// long.
func (w *work) logRollups(sums []byte) error {
	if _, err := w.exec(`INSERT INTO rollup_log (data) VALUES (?)`, sums); err != nil {
		return err
	}
	var logged int // they are removed from the first on
	if _, err := w.row(`SELECT (SELECT max(id) FROM rollup_log) - (SELECT min(id) FROM rollup_log) + 1`, nil, &logged); err != nil || logged < batchesLogged {
		return err
	}
	_, err := w.settleSome()
	return err
}

// settle adds what is in the log to the sums that are stored, in parts between
// which others may write, unless it is called inside of a transaction.
func (s *Store) settle(ctx context.Context) error {
	for more := true; more; {
		err := s.write(ctx, func(w *work) (err error) {
			more, err = w.settleSome()
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// settleSome adds the first of what is in the log to the sums that are stored,
// and tells whether there is more.
func (w *work) settleSome() (more bool, err error) {
	var sums block.Sums
	last := int64(0)
	for more = true; more && len(sums.List()) < settledAtOnce; {
		read := 0
		err := w.rows(`SELECT id, data FROM rollup_log WHERE id > ? ORDER BY id LIMIT ?`, []any{last, batchesRead}, func(scan scanner) error {
			var data []byte
			if err := scan(&last, &data); err != nil {
				return err
			}
			read++
			return block.UnpackSums(data, sums.Add)
		})
		if err != nil {
			return false, err
		}
		more = read == batchesRead
	}
	if len(sums.List()) > 0 {
		sums.AddDays()
		if err := w.addRollups(&sums); err != nil {
			return false, err
		}
	}
	_, err = w.exec(`DELETE FROM rollup_log WHERE id <= ?`, last)
	return more, err
}

// addRollups adds sums to those that are stored. Those are read, added up and
// written back: the transaction is the only one.
func (w *work) addRollups(sums *block.Sums) error {
	return chunks(sums.List(), rowsAtOnce, func(part []portal.Rollup) error {
		args := make([]any, 0, len(part)*8)
		for i := range part {
			args = append(args, rollupKey(&part[i])...)
		}
		query := `SELECT ` + rollupColumns + ` FROM rollups WHERE (team, step, at, token, route, status) IN (VALUES ` + rowMarks(6, len(part)) + `)`
		stored, err := list(w, query, args, scanRollup)
		if err != nil {
			return err
		}
		for i := range stored {
			sums.Add(&stored[i]) // to one in part
		}
		args = args[:0]
		for i := range part {
			args = append(append(args, rollupKey(&part[i])...), part[i].Calls, packBuckets(&part[i].Bucket))
		}
		_, err = w.exec(`INSERT OR REPLACE INTO rollups (`+rollupColumns+`) VALUES `+rowMarks(8, len(part)), args...)
		return err
	})
}

// rowMarks returns the question marks of several rows, (?,?),(?,?).
func rowMarks(columns, rows int) string {
	return strings.Repeat(marks(columns)+",", rows-1) + marks(columns)
}

// rollupKey returns what makes a sum, in the order of the columns.
func rollupKey(r *portal.Rollup) []any {
	return []any{r.Team, string(r.Step), r.At.UnixMilli(), r.Token, r.Route, r.Status}
}

// packBuckets writes the counts as unsigned varints and leaves trailing zeros
// out: most calls of a sum fall into a few classes.
func packBuckets(counts *[portal.Buckets]int64) []byte {
	b, length := make([]byte, 0, portal.Buckets), 0
	for _, n := range counts {
		b = binary.AppendUvarint(b, uint64(n))
		if n != 0 {
			length = len(b)
		}
	}
	return b[:length]
}

func unpackBuckets(b []byte) (counts [portal.Buckets]int64, err error) {
	for i := 0; len(b) > 0; i++ {
		n, size := binary.Uvarint(b)
		if size <= 0 || i >= len(counts) {
			return counts, errors.New("the latency classes of a sum are damaged")
		}
		counts[i], b = int64(n), b[size:]
	}
	return counts, nil
}

const rollupColumns = `team, step, at, token, route, status, calls, buckets`

func scanRollup(scan scanner) (r portal.Rollup, err error) {
	var buckets []byte
	if err := scan(&r.Team, &r.Step, at{&r.At}, &r.Token, &r.Route, &r.Status, &r.Calls, &buckets); err != nil {
		return r, err
	}
	r.Bucket, err = unpackBuckets(buckets)
	return r, err
}

// Rollups implements portal.CallStore. It adds up what is logged first.
func (s *Store) Rollups(ctx context.Context, f portal.RollupFilter) (sums []portal.Rollup, err error) {
	if f.Tokens != nil && len(f.Tokens) == 0 {
		return nil, s.idle(ctx)
	}
	query, args := rollupsQuery(f)
	logged := false
	read := func(w *work) error {
		sums, err = list(w, query, args, scanRollup)
		return err
	}
	err = s.read(ctx, func(w *work) error {
		if logged, err = w.row(`SELECT 1 FROM rollup_log LIMIT 1`, nil, new(int)); err != nil || logged {
			return err
		}
		return read(w)
	})
	for err == nil && logged { // others may write between the parts
		err = s.write(ctx, func(w *work) error {
			if logged, err = w.settleSome(); err != nil || logged {
				return err
			}
			return read(w)
		})
	}
	return sums, err
}

func rollupsQuery(f portal.RollupFilter) (string, []any) {
	var c where
	c.and("team = ?", f.Team)
	c.and("step = ?", string(f.Step))
	c.and("at >= ?", f.From.UnixMilli())
	c.and("at < ?", f.To.UnixMilli())
	if f.Tokens != nil {
		in, arg := anyOf(f.Tokens)
		c.and("token IN "+in, arg)
	}
	return `SELECT ` + rollupColumns + ` FROM rollups` + c.text.String(), c.args
}
