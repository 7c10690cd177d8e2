package agent

import (
	"strings"

	"tidemark/internal/fault"
)

// byName returns the one of all whose table has the name: its dataset, or
// schema.table where that names one only. The errors are ErrNoTable and
// ErrAmbiguous.
func byName[T any](name string, all []T, site func(T) TableSite) (none T, err error) {
	var found []T
	var datasets []string
	for _, t := range all {
		s := site(t)
		if s.Dataset == name {
			return t, nil
		}
		if strings.EqualFold(s.Schema+"."+s.Name, name) {
			found, datasets = append(found, t), append(datasets, s.Dataset)
		}
	}
	switch len(found) {
	case 0:
		return none, fault.New("find table "+name, ErrNoTable, "`tidemark status` lists the tables")
	case 1:
		return found[0], nil
	}
	return none, fault.New("find table "+name, ErrAmbiguous, "one of "+strings.Join(datasets, ", "))
}
