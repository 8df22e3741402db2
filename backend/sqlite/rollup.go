package sqlite

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

const (
	// rowsAtOnce is how many rows one statement inserts.
	rowsAtOnce = 128
	// batchesLogged is how many batches of sums are logged before they are added
	// to those that are stored.
	batchesLogged = 64
)

type rollupKey struct {
	team, token, route string
	step               portal.Step
	at                 int64
	status             int
}

func keyOf(r *portal.Rollup) rollupKey {
	return rollupKey{r.Team, r.Token, r.Route, r.Step, r.At.UnixMilli(), r.Status}
}

// packRollups writes sums for the log.
func packRollups(rollups []portal.Rollup) []byte {
	p := newPacker(len(rollups) * 32)
	for i := range rollups {
		r := &rollups[i]
		p.text(r.Team)
		p.text(string(r.Step))
		p.int(r.At.UnixMilli())
		p.text(r.Token)
		p.text(r.Route)
		p.int(int64(r.Status))
		p.int(r.Calls)
		used := 0
		for _, n := range r.Bucket {
			if n != 0 {
				used++
			}
		}
		p.uint(uint64(used))
		for i, n := range r.Bucket {
			if n != 0 {
				p.uint(uint64(i))
				p.int(n)
			}
		}
	}
	return p.b
}

// addPacked adds logged sums to sums.
func addPacked(data []byte, sums map[rollupKey]*portal.Rollup) error {
	u := unpacker{b: data}
	for u.more() {
		r := portal.Rollup{Team: u.text(), Step: portal.Step(u.text()), At: time.UnixMilli(u.int()).UTC()}
		r.Token, r.Route, r.Status, r.Calls = u.text(), u.text(), int(u.int()), u.int()
		for range u.uint() {
			i, n := u.uint(), u.int()
			if i >= portal.Buckets || u.err != nil {
				return errPacked
			}
			r.Bucket[i] = n
		}
		if u.err != nil {
			break
		}
		if k := keyOf(&r); sums[k] == nil {
			sums[k] = &r
		} else {
			addRollup(sums[k], &r)
		}
	}
	return u.err
}

// logRollups stores packed sums to be added later, or at once if the log is
// long.
func (w *work) logRollups(sums []byte) error {
	if _, err := w.exec(`INSERT INTO rollup_log (data) VALUES (?)`, sums); err != nil {
		return err
	}
	var logged int
	if _, err := w.row(`SELECT count(*) FROM rollup_log`, nil, &logged); err != nil || logged < batchesLogged {
		return err
	}
	return w.settleRollups()
}

// settleRollups adds what is in the log to the sums that are stored. Those are
// read, added up and written back: the transaction is the only one.
func (w *work) settleRollups() error {
	sums := map[rollupKey]*portal.Rollup{}
	err := w.rows(`SELECT data FROM rollup_log`, nil, func(scan scanner) error {
		var data []byte
		if err := scan(&data); err != nil {
			return err
		}
		return addPacked(data, sums)
	})
	if err != nil || len(sums) == 0 {
		return err
	}
	keys := make([]rollupKey, 0, len(sums))
	for k := range sums {
		keys = append(keys, k)
	}
	err = chunks(keys, rowsAtOnce, func(part []rollupKey) error {
		args := make([]any, 0, len(part)*8)
		for _, k := range part {
			args = append(args, k.team, string(k.step), k.at, k.token, k.route, k.status)
		}
		query := `SELECT ` + rollupColumns + ` FROM rollups WHERE (team, step, at, token, route, status) IN (VALUES ` + rowMarks(6, len(part)) + `)`
		stored, err := list(w, query, args, scanRollup)
		if err != nil {
			return err
		}
		for i := range stored {
			addRollup(sums[keyOf(&stored[i])], &stored[i])
		}
		args = args[:0]
		for _, k := range part {
			sum := sums[k]
			args = append(args, k.team, string(k.step), k.at, k.token, k.route, k.status, sum.Calls, packBuckets(&sum.Bucket))
		}
		_, err = w.exec(`INSERT OR REPLACE INTO rollups (`+rollupColumns+`) VALUES `+rowMarks(8, len(part)), args...)
		return err
	})
	if err != nil {
		return err
	}
	_, err = w.exec(`DELETE FROM rollup_log`)
	return err
}

// rowMarks returns the question marks of several rows, (?,?),(?,?).
func rowMarks(columns, rows int) string {
	return strings.Repeat(marks(columns)+",", rows-1) + marks(columns)
}

func addRollup(sum, r *portal.Rollup) {
	sum.Calls += r.Calls
	for i, n := range r.Bucket {
		sum.Bucket[i] += n
	}
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
	if err == nil && logged {
		err = s.write(ctx, func(w *work) error {
			if err := w.settleRollups(); err != nil {
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
		in, args := anyOf(f.Tokens)
		c.and("token IN "+in, args...)
	}
	return `SELECT ` + rollupColumns + ` FROM rollups` + c.text.String(), c.args
}
