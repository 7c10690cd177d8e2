package sqlserver

import (
	"context"
	"fmt"
	"slices"
	"strings"
)

// collationUse says how a key parameter becomes text in the code page of a
// collation.
type collationUse int

const (
	collateByName  collationUse = iota // COLLATE before CONVERT, which chooses the code page
	collateNothing                     // the name is not known, but any code page holds all text
	collateUnknown                     // the name is not known
)

// checkCollations finds out once for every collation of a column in a code
// page whether the server knows it in an expression: compatible servers list
// names that they then refuse.
func (s *Source) checkCollations(ctx context.Context, tables []*rawTable) error {
	var names []string
	for _, t := range tables {
		for i := range t.columns {
			c := &t.columns[i]
			if (c.typ.name == "char" || c.typ.name == "varchar") && isCollation(c.collation) && !slices.Contains(names, c.collation) {
				if _, checked := s.collations.Load(c.collation); !checked {
					names = append(names, c.collation)
				}
			}
		}
	}
	known, err := s.knowsCollations(ctx, names)
	if err != nil {
		return err
	}
	for _, name := range names {
		use := collateByName
		if !known {
			ok, err := s.knowsCollations(ctx, []string{name})
			if err != nil {
				return err
			}
			if !ok {
				if use, err = s.withoutCollation(ctx); err != nil {
					return err
				}
			}
		}
		s.collations.Store(name, use)
	}
	for _, t := range tables {
		for i := range t.columns {
			if use, checked := s.collations.Load(t.columns[i].collation); checked {
				t.columns[i].collating = use.(collationUse)
			}
		}
	}
	return nil
}

func (s *Source) knowsCollations(ctx context.Context, names []string) (bool, error) {
	if len(names) == 0 {
		return true, nil
	}
	items := make([]string, len(names))
	for i, name := range names {
		items[i] = fmt.Sprintf("CONVERT(varchar(1), N'a' COLLATE %s) AS c%d", name, i)
	}
	err := s.run(ctx, s.plain("SELECT "+strings.Join(items, ", ")+";\n"), drain)
	if lacking(err) {
		return false, nil
	}
	return err == nil, err
}

// withoutCollation tells whether text that no single code page holds comes
// through a varchar unchanged, as it does where that is UTF-8.
func (s *Source) withoutCollation(ctx context.Context) (collationUse, error) {
	const mixed = "é€日Ωж"
	whole := false
	err := s.run(ctx, s.plain("SELECT CONVERT(nvarchar(20), CONVERT(varchar(40), N'"+mixed+"')) AS mixed;\n"), func(r *rows) error {
		more, err := r.next()
		whole = more && textOf(r.values[0]) == mixed
		return err
	})
	if err != nil && !lacking(err) {
		return collateUnknown, err
	}
	if whole {
		return collateNothing, nil
	}
	return collateUnknown, nil
}

// isCollation tells whether name can stand in a statement as it is.
func isCollation(name string) bool { return name != "" && strings.Trim(name, collationLetters) == "" }

const collationLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
