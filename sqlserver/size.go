package sqlserver

import (
	"context"
	"database/sql/driver"
	"fmt"
	"strings"
)

// pageBytes is the size of a page (Microsoft Learn, "Pages and extents").
const pageBytes = 8192

// Sizes returns how many bytes the rows of tables occupy at the server, large
// values among them and other indexes not, by object id. A table whose size
// the server does not tell is not in it. For people: nothing depends on it.
func (s *Source) Sizes(ctx context.Context, tables []*Table) (map[int32]int64, error) {
	sizes := make(map[int32]int64, len(tables))
	if len(tables) == 0 {
		return sizes, nil
	}
	err := s.run(ctx, s.plain(sizesSQL(tables)), func(r *rows) error {
		return r.eachRow(func(v []driver.Value) error {
			if n := intOf(v[1]); n > 0 {
				sizes[int32(intOf(v[0]))] = n * pageBytes
			}
			return nil
		})
	})
	if lacking(err) {
		return map[int32]int64{}, nil
	}
	return sizes, named("ask for the sizes of tables", err)
}

// A partition's id is the container of all of its allocation units
// (Microsoft Learn, "sys.allocation_units"; hobt_id is always the same number).
func sizesSQL(tables []*Table) string {
	ids := make([]string, len(tables))
	for i, t := range tables {
		ids[i] = fmt.Sprint(t.ObjectID)
	}
	return "SELECT p.object_id, CONVERT(bigint, SUM(a.used_pages)) AS pages\n" +
		"FROM sys.partitions AS p JOIN sys.allocation_units AS a ON a.container_id = p.partition_id\n" +
		"WHERE p.index_id IN (0, 1) AND p.object_id IN (" + strings.Join(ids, ",") + ") GROUP BY p.object_id;\n"
}
