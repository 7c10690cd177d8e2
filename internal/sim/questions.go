package sim

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"

	"tidemark/internal/mssqltest"
)

// questions are what is known of the agent's looking up of rows by their keys,
// which comes before every delete.
type questions struct {
	came    map[stamp]time.Time // since when the source has a key; no version
	gone    map[stamp]bool      // a lookup found the key absent since the cloud wrote its row; no version
	forgets []func()            // end the watching
}

func newQuestions() questions {
	return questions{came: map[stamp]time.Time{}, gone: map[stamp]bool{}}
}

// settled is how long a row must have been there for a lookup to see it: the
// lookup's transaction has begun a little before.
const settled = time.Millisecond

// watch has every lookup of a table noted.
func (s *source) watch() {
	for _, name := range s.w.plan.Setup.Tables {
		lookup := regexp.MustCompile(`(?s)FROM \(VALUES \(0, @k0_0.*JOIN \[dbo\]\.\[` + name + `\] AS t`)
		s.forgets = append(s.forgets, s.server.Inject(mssqltest.Fault{Match: lookup, Hook: func() { s.askedFor(name) }}))
	}
}

func (s *source) unwatch() {
	for _, forget := range s.forgets {
		forget()
	}
	s.forgets = nil
}

// askedFor notes which of the cloud's rows a lookup may have found absent.
func (s *source) askedFor(name string) {
	for key := range s.w.cloud.tables[name].rows {
		at := stamp{table: name, key: key}
		if _, there := s.tables[name][key]; !there || time.Since(s.came[at]) < settled {
			s.gone[at] = true
		}
	}
}

// written notes that the cloud has written a row: what was asked before is of
// the one that it had.
func (s *source) written(name, key string) { delete(s.gone, stamp{table: name, key: key}) }

// meddle brings back, while a comparison is under way, what the cloud has and
// the source lacks: the comparison finds rows surplus that are there again
// when they are looked up.
func (s *source) meddle() {
	if len(s.meddling) == 0 {
		return
	}
	if s.meddling[0].N > 0 {
		s.meddling[0].N--
		return
	}
	s.meddling = s.meddling[1:]
	s.w.fault("rows come back in the middle of a comparison")
	for _, name := range s.w.plan.Setup.Tables {
		s.bringBack(name)
	}
}

// bringBack inserts what the cloud has of a table and the source lacks.
func (s *source) bringBack(name string) {
	k := kindOf(name)
	for _, key := range slices.Sorted(maps.Keys(s.w.cloud.tables[name].rows)) {
		if _, there := s.tables[name][key]; there || s.tables[name] == nil {
			continue
		}
		_ = s.do(fmt.Sprintf("INSERT INTO dbo.%s (%s, v, n) VALUES (%s, N'back', 1)", name, strings.Join(k.key, ", "), quoted(k, key)))
	}
}
