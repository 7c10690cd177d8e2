package agent

import "time"

// StatusVersion is the version of the Status document. Fields are added
// without a new number; a number changes when a field goes or changes meaning.
const StatusVersion = 1

// Status is what there is to know about a site right now, for
// "tidemark status" and for programs that read its JSON.
type Status struct {
	SchemaVersion int            `json:"schema_version"`
	Time          time.Time      `json:"time"`              // when the status was taken
	Live          bool           `json:"live"`              // told by the running service, not read from its state file
	Started       *time.Time     `json:"started,omitempty"` // of the running service
	Customer      string         `json:"customer"`
	Instance      string         `json:"instance"` // this installation, as the cloud knows its writer
	Healthy       bool           `json:"healthy"`  // live, no problem, nothing paused
	Paused        *Pause         `json:"paused,omitempty"`
	State         *Problem       `json:"state_problem,omitempty"`  // of the state file
	Config        *Problem       `json:"config_problem,omitempty"` // the file was changed and cannot be used; the one before is in force
	Unprotected   []Unprotected  `json:"unprotected,omitempty"`    // connections on which protection is turned off
	Notes         []string       `json:"notes,omitempty"`          // worth knowing, and no problem: a damaged state file that was set aside
	Cloud         CloudStatus    `json:"cloud"`
	Sources       []SourceStatus `json:"sources"`
	Tables        []TableStatus  `json:"tables"` // by source, then name
}

// Problems lists all that is wrong, worst first by kind, and among one kind: of
// the configuration, of the state file, of the cloud, of sources, of tables.
func (s Status) Problems() []Problem {
	var all []Problem
	if s.Config != nil {
		all = append(all, *s.Config)
	}
	if s.State != nil {
		all = append(all, *s.State)
	}
	if s.Cloud.Problem != nil {
		all = append(all, *s.Cloud.Problem)
	}
	for _, src := range s.Sources {
		if src.Problem != nil {
			all = append(all, *src.Problem)
		}
	}
	for _, t := range s.Tables {
		if t.Problem != nil {
			all = append(all, *t.Problem)
		}
	}
	worstFirst(all)
	return all
}

// CloudStatus is how the site stands with the cloud API.
type CloudStatus struct {
	Problem  *Problem   `json:"problem,omitempty"`
	Answered *time.Time `json:"answered,omitempty"` // the last good answer
	Requests int64      `json:"requests"`           // since the start
	Bytes    int64      `json:"bytes"`              // of bodies sent, compressed, since the start
	CheckIn  *time.Time `json:"check_in,omitempty"` // the next, unless there is something to send before
}

// SourceStatus is how one source stands.
type SourceStatus struct {
	Name         string     `json:"name"`
	Problem      *Problem   `json:"problem,omitempty"`
	Server       string     `json:"server,omitempty"` // product and version, once known
	Database     string     `json:"database,omitempty"`
	Probed       *time.Time `json:"probed,omitempty"` // the last answer to the cycle's statement
	DBTS         uint64     `json:"dbts,string,omitempty"`
	Ceiling      uint64     `json:"ceiling,string,omitempty"`
	CeilingSince *time.Time `json:"ceiling_since,omitempty"` // it stands still behind DBTS since
	Holder       string     `json:"holder,omitempty"`        // the session with the oldest open transaction, where rights allow
	Epoch        string     `json:"epoch,omitempty"`
	EpochSince   *time.Time `json:"epoch_since,omitempty"`
	Notes        []string   `json:"notes,omitempty"` // what the server lacks or forbids, for doctor
}

// State is a table's state in one word.
type State string

// The states, worst last.
const (
	StateOK       State = "ok"       // equal at the last look, or skipped by its caps
	StateNew      State = "new"      // no cycle has run yet
	StateLoading  State = "loading"  // its first load, or that of a new epoch, is not complete
	StateBehind   State = "behind"   // changes are known that the cloud does not have
	StateDisabled State = "disabled" // off, here or by the operator's policy
	StatePaused   State = "paused"   // by a person, or by the policy
	StateWaiting  State = "waiting"  // for an approval
	StateGone     State = "gone"     // dropped, renamed or hidden at the source; the cloud's rows are kept
	StateProblem  State = "problem"  // see Problem
)

// TableStatus is how one table stands.
type TableStatus struct {
	Name        string          `json:"name"`   // the dataset
	Source      string          `json:"source"` // its source's name
	Table       string          `json:"table"`  // schema.table at the source
	State       State           `json:"state"`
	Problem     *Problem        `json:"problem,omitempty"`
	Running     string          `json:"running,omitempty"` // what is being done now: "delta", "first load", "diff", ...
	Progress    *Progress       `json:"progress,omitempty"`
	Decision    *Decided        `json:"decision,omitempty"` // the last one
	LocalRows   *int64          `json:"local_rows,omitempty"`
	CloudRows   *int64          `json:"cloud_rows,omitempty"`
	High        uint64          `json:"high,string,omitempty"`         // highest local row version seen
	Watermark   uint64          `json:"watermark,string,omitempty"`    // of the cloud
	Synced      *time.Time      `json:"synced,omitempty"`              // both sides were last known equal
	Lag         float64         `json:"lag_seconds"`                   // since the first change that is known and not in the cloud was seen; 0 when there is none
	LagVersions uint64          `json:"lag_versions,string,omitempty"` // row versions from Watermark to High while there is a lag: at least so many, counted over the whole database
	Verified    *time.Time      `json:"verified,omitempty"`            // the last diff that went through
	Next        *time.Time      `json:"next,omitempty"`                // due
	Approval    *Approval       `json:"approval,omitempty"`
	Quarantine  *QuarantineSize `json:"quarantine,omitempty"`
	Paused      *Pause          `json:"paused,omitempty"`
	Notes       []string        `json:"notes,omitempty"` // columns left out, an index worth adding
}

// Progress of what is running.
type Progress struct {
	Since time.Time `json:"since"`
	Rows  int64     `json:"rows"`         // read so far
	Of    int64     `json:"of,omitempty"` // expected, where known
	Sent  int64     `json:"sent"`         // rows the cloud has answered for
}

// Decided is a decision and its time.
type Decided struct {
	Time   time.Time `json:"time"`
	Action string    `json:"action"` // skip, nothing, upload, diff
	Rule   int       `json:"rule"`   // 1 to 11, the row of the decision's table
	Reason string    `json:"reason"`
}

// ProblemKind is the stable name of what is wrong.
type ProblemKind string

// The kinds of problems.
const (
	ProblemLogin        ProblemKind = "login"         // the source refuses user or password
	ProblemPermission   ProblemKind = "permission"    // a right is missing at the source
	ProblemUnreachable  ProblemKind = "unreachable"   // the source does not answer, or its database is not open
	ProblemTLS          ProblemKind = "tls"           // encryption or a certificate
	ProblemServer       ProblemKind = "server"        // the source lacks what cannot be done without
	ProblemBusy         ProblemKind = "busy"          // lock time-outs, deadlocks, slow statements
	ProblemSchema       ProblemKind = "schema"        // columns conflict with the cloud's, or no key
	ProblemGone         ProblemKind = "gone"          // the table is not there, or not visible
	ProblemQuarantine   ProblemKind = "quarantine"    // rows could not be sent
	ProblemApproval     ProblemKind = "approval"      // deletes wait for a person
	ProblemSecondWriter ProblemKind = "second-writer" // another agent writes this table
	ProblemTwins        ProblemKind = "one-identity"  // another agent runs with this one's identity
	ProblemCloudAway    ProblemKind = "cloud-away"    // the cloud does not answer
	ProblemKeyRefused   ProblemKind = "key-refused"   // the cloud refuses the key
	ProblemCloudRefused ProblemKind = "cloud-refused" // the cloud refuses this table's requests
	ProblemClock        ProblemKind = "clock"         // this machine's clock is not the cloud's
	ProblemCeiling      ProblemKind = "ceiling"       // an old open transaction holds changes back
	ProblemState        ProblemKind = "state"         // the state file cannot be written
	ProblemConfig       ProblemKind = "config"        // the configuration was changed and cannot be used
	ProblemInternal     ProblemKind = "internal"      // none of these
)

// A Problem is one thing that is wrong, for a person.
type Problem struct {
	Kind    ProblemKind `json:"kind"`
	Scope   string      `json:"scope"`          // "configuration", "state", "cloud", "source" or "table"
	Name    string      `json:"name,omitempty"` // the source's or the table's
	Message string      `json:"message"`
	Hint    string      `json:"hint,omitempty"`
	Since   time.Time   `json:"since"`
	Next    *time.Time  `json:"next,omitempty"` // the next try; none when a person has to act first
	Times   int         `json:"times"`          // in a row
}

// A Pause was asked for by a person, or by the operator's policy.
type Pause struct {
	Since  time.Time `json:"since"`
	By     string    `json:"by"` // "command" or "policy"
	Reason string    `json:"reason,omitempty"`
}

// An Approval is a number of deletes that waits for a person.
type Approval struct {
	Deletes int64     `json:"deletes"`
	Limit   int64     `json:"limit"` // up to which none is asked for
	Since   time.Time `json:"since"`
	Sample  []string  `json:"sample"`            // a few of the keys, as JSON arrays
	Granted bool      `json:"granted,omitempty"` // given, not yet used
}

// QuarantineSize is how much of a table is in quarantine.
type QuarantineSize struct {
	Rows    int   `json:"rows"`
	Bytes   int64 `json:"bytes"`             // size of these rows on the wire
	Dropped int64 `json:"dropped,omitempty"` // entries lost to the quarantine's bound
}
