package postgres

import (
	"context"
	"slices"

	"tidemark/cloud"
	"tidemark/internal/wire"
)

// Compare implements cloud.Manifests.
func (s *Store) Compare(ctx context.Context, m cloud.Manifest) (wire.Comparison, error) {
	var answer wire.Comparison
	way := staged
	err := s.read(ctx, m, true, func(r reading) error {
		if err := m.Rows.Rewind(); err != nil {
			return err
		}
		a := &application{c: r.c, p: r.p, way: way}
		f := &feed{rows: m.Rows, columns: r.p.key, layout: intoKeys, current: r.st.EpochNumber}
		bad := map[int]string{}
		err := a.fillStage(ctx, f, list(r.p.key, "%", ", "), bad)
		way = a.way
		if err != nil {
			return err
		}
		answer = wire.Comparison{Version: r.st.Version}
		for line := range bad {
			answer.Missing = append(answer.Missing, line)
		}
		for _, refused := range f.refused {
			answer.Missing = append(answer.Missing, refused.Row)
		}
		if err := r.differences(ctx, m.Customer, &answer); err != nil {
			return err
		}
		slices.Sort(answer.Missing)
		return nil
	})
	return answer, err
}

// differences looks every staged line up by the primary key.
func (r reading) differences(ctx context.Context, customer string, into *wire.Comparison) error {
	rows, err := r.c.Query(ctx, `SELECT s._tm_line, o._tm_rv IS NULL
		FROM `+r.p.staging()+` s LEFT JOIN LATERAL (
			SELECT t._tm_rv, t._tm_epoch FROM `+r.p.target()+` t
			WHERE t.customer_id = $1 AND `+list(r.p.key, "t.% = s.%", " AND ")+` LIMIT 1) o ON true
		WHERE o._tm_rv IS NULL OR o._tm_rv <> s._tm_rv OR o._tm_epoch <> s._tm_epoch
		ORDER BY s._tm_line`, customer)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var line int
		var missing bool
		if err := rows.Scan(&line, &missing); err != nil {
			return err
		}
		if missing {
			into.Missing = append(into.Missing, line)
		} else {
			into.Stale = append(into.Stale, line)
		}
	}
	return rows.Err()
}
