package wire

import (
	"errors"
	"fmt"
	"time"
)

// A Report is how a site stands, for the operator of the cloud. It holds no
// values of rows, no keys of rows and no secrets. Times are by the site's
// clock, which may be wrong: hold them against Time.
type Report struct {
	Time     time.Time      `json:"time"`              // when the report was made
	Version  string         `json:"version,omitempty"` // of the agent
	OS       string         `json:"os,omitempty"`      // and architecture: "windows/amd64"
	Host     string         `json:"host,omitempty"`
	Instance string         `json:"instance,omitempty"` // the ID that the agent writes as
	Started  time.Time      `json:"started,omitzero"`
	Paused   string         `json:"paused,omitempty"` // why nothing moves
	Problem  *Trouble       `json:"problem,omitempty"`
	Sources  []SourceReport `json:"sources,omitempty"`
	Tables   []TableReport  `json:"tables,omitempty"`
	// Omitted counts healthy tables that are not among Tables, because the
	// report would be larger than MaxReport.
	Omitted int `json:"omitted,omitempty"`
}

// A SourceReport is how one database of a site stands.
type SourceReport struct {
	Name         string    `json:"name"`
	Server       string    `json:"server,omitempty"`       // product and version
	Probed       time.Time `json:"probed,omitzero"`        // it last answered
	CeilingSince time.Time `json:"ceiling_since,omitzero"` // an open transaction holds changes back since
	Problem      *Trouble  `json:"problem,omitempty"`      // such as an old ceiling
}

// A TableReport is how one table stands.
type TableReport struct {
	Name       string    `json:"name"` // in the cloud
	Source     string    `json:"source,omitempty"`
	State      string    `json:"state"`              // one word: ok, new, loading, behind, disabled, paused, waiting, gone, problem
	Decision   string    `json:"decision,omitempty"` // the last one: skip, nothing, upload, diff
	Rule       int       `json:"rule,omitempty"`     // of the decision, 1 to 11
	Reason     string    `json:"reason,omitempty"`
	Decided    time.Time `json:"decided,omitzero"`
	LagRows    uint64    `json:"lag_versions,string,omitempty"` // row versions between the highest here and the cloud's watermark
	Lag        int64     `json:"lag_seconds,omitempty"`         // since the first change that is known and not in the cloud was seen
	Synced     time.Time `json:"synced,omitzero"`               // both sides were last known equal
	Rows       *int64    `json:"rows,omitempty"`                // here; nil: unknown
	Quarantine int       `json:"quarantine,omitempty"`          // rows that could not be sent
	Problem    *Trouble  `json:"problem,omitempty"`
	Paused     bool      `json:"paused,omitempty"` // by a person, or by the policy
}

// A Trouble is one thing that is wrong.
type Trouble struct {
	Kind  string    `json:"kind"` // a stable name, such as "login" or "quarantine"
	Text  string    `json:"text,omitempty"`
	Since time.Time `json:"since,omitzero"`
}

// Reported answers a report.
type Reported struct {
	// Tag is the ETag of the versions as they are now.
	Tag string `json:"versions_tag"`
	// Tables are the versions, when the request's Tidemark-Versions was
	// another tag, or none.
	Tables map[string]Version `json:"tables,omitempty"`
}

// Bounds of a report.
const (
	MaxReport     = 256 << 10 // bytes of its JSON
	MaxReportText = 1024      // bytes of one text in it
)

// Check tells whether a report is one. Its size is for the reader to bound.
func (r Report) Check() error {
	if r.Time.IsZero() {
		return errors.New("a report has a time")
	}
	texts := []string{r.Version, r.OS, r.Host, r.Instance, r.Paused, r.Problem.text()}
	for _, s := range r.Sources {
		if s.Name == "" {
			return errors.New("a source has a name")
		}
		texts = append(texts, s.Name, s.Server, s.Problem.text())
	}
	names := make(map[string]bool, len(r.Tables))
	for _, t := range r.Tables {
		switch {
		case t.Name == "" || t.State == "":
			return errors.New("a table has a name and a state")
		case names[t.Name]:
			return fmt.Errorf("table %q is there twice", t.Name)
		case t.Lag < 0 || t.Quarantine < 0 || t.Rows != nil && *t.Rows < 0:
			return fmt.Errorf("table %q: a number is negative", t.Name)
		}
		names[t.Name] = true
		texts = append(texts, t.Name, t.Source, t.State, t.Decision, t.Reason, t.Problem.text())
	}
	for _, text := range texts {
		if len(text) > MaxReportText {
			return fmt.Errorf("a text of %d bytes, the most is %d", len(text), MaxReportText)
		}
	}
	if r.Omitted < 0 {
		return errors.New("omitted is negative")
	}
	return nil
}

func (t *Trouble) text() string {
	if t == nil {
		return ""
	}
	return t.Kind + t.Text
}
