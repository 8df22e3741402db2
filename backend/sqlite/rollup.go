package sqlite

import (
	"context"
	"encoding/binary"
	"errors"

	"github.com/gatehouse-portal/gatehouse/backend/portal"
)

type rollupKey struct {
	team   string
	step   portal.Step
	at     int64
	token  string
	route  string
	status int
}

// addRollups adds sums to what is stored. They are read, added up and written
// back: the transaction is the only one.
func (w *work) addRollups(rollups []portal.Rollup) error {
	sums := make(map[rollupKey]*portal.Rollup, len(rollups))
	var keys []rollupKey
	for _, r := range rollups {
		k := rollupKey{r.Team, r.Step, r.At.UnixMilli(), r.Token, r.Route, r.Status}
		if sum, ok := sums[k]; ok {
			addRollup(sum, r)
			continue
		}
		sums[k] = &r
		keys = append(keys, k)
	}
	return chunks(keys, rowsAtOnce, func(part []rollupKey) error {
		args := make([]any, 0, len(part)*8)
		for _, k := range part {
			args = append(args, k.team, string(k.step), k.at, k.token, k.route, k.status)
		}
		query := `SELECT ` + rollupColumns + ` FROM rollups WHERE (team, step, at, token, route, status) IN (VALUES ` + rowMarks(6, len(part)) + `)`
		stored, err := list(w, query, args, scanRollup)
		if err != nil {
			return err
		}
		for _, r := range stored {
			addRollup(sums[rollupKey{r.Team, r.Step, r.At.UnixMilli(), r.Token, r.Route, r.Status}], r)
		}
		args = args[:0]
		for _, k := range part {
			sum := sums[k]
			args = append(args, k.team, string(k.step), k.at, k.token, k.route, k.status, sum.Calls, packBuckets(&sum.Bucket))
		}
		_, err = w.exec(`INSERT OR REPLACE INTO rollups (`+rollupColumns+`) VALUES `+rowMarks(8, len(part)), args...)
		return err
	})
}

func addRollup(sum *portal.Rollup, r portal.Rollup) {
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

// Rollups implements portal.CallStore.
func (s *Store) Rollups(ctx context.Context, f portal.RollupFilter) ([]portal.Rollup, error) {
	if f.Tokens != nil && len(f.Tokens) == 0 {
		return nil, s.idle(ctx)
	}
	query, args := rollupsQuery(f)
	return readList(ctx, s, query, args, scanRollup)
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
