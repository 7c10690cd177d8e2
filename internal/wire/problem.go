package wire

import "fmt"

// ProblemType is the media type of a Problem (RFC 9457).
const ProblemType = "application/problem+json"

// Code is the stable name of a problem; the type URI is "urn:tidemark:" and
// the code.
type Code string

// The codes, with the status that each is sent with.
const (
	Unauthorized   Code = "unauthorized"    // 401: no key, or a wrong one
	Forbidden      Code = "forbidden"       // 403: the key opens another customer
	NotFound       Code = "not-found"       // 404: no such table or path
	Malformed      Code = "malformed"       // 400: the body is not what the contract says
	TooLarge       Code = "too-large"       // 413: over a limit
	WrongSequence  Code = "wrong-sequence"  // 409: Version tells where to go on
	WrongEpoch     Code = "wrong-epoch"     // 409: a delta, repair, delete or manifest of another epoch
	SecondWriter   Code = "second-writer"   // 409: another agent writes this table
	SchemaChanged  Code = "schema-changed"  // 409: the batch was made for another schema; register first
	SchemaConflict Code = "schema-conflict" // 422: the columns cannot be what they were asked to become
	NoSummary      Code = "no-summary"      // 409: the table has no summary now; compare by manifests, or later
	LayoutChanged  Code = "layout-changed"  // 409: the summary has another layout by now; begin again
	Overloaded     Code = "overloaded"      // 503, with Retry-After
	Internal       Code = "internal"        // 500
)

// A Problem is an error of the API (RFC 9457) with the members hint, code,
// request_id and, for conflicts, the table's version.
type Problem struct {
	Type      string   `json:"type"`
	Title     string   `json:"title"`
	Status    int      `json:"status"`
	Detail    string   `json:"detail,omitempty"`
	Code      Code     `json:"code"`
	Hint      string   `json:"hint,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
	Version   *Version `json:"version,omitempty"`
}

// Error makes a Problem an error.
func (p *Problem) Error() string {
	if p.Detail == "" {
		return fmt.Sprintf("%s (%d)", p.Title, p.Status)
	}
	return fmt.Sprintf("%s: %s (%d)", p.Title, p.Detail, p.Status)
}

var problems = map[Code]struct {
	status int
	title  string
}{
	Unauthorized:   {401, "The key is not valid"},
	Forbidden:      {403, "The key does not open this customer"},
	NotFound:       {404, "There is no such thing here"},
	Malformed:      {400, "The request is not well-formed"},
	TooLarge:       {413, "The request is too large"},
	WrongSequence:  {409, "The batch is out of sequence"},
	WrongEpoch:     {409, "The epoch is not the table's"},
	SecondWriter:   {409, "Another agent writes this table"},
	SchemaChanged:  {409, "The batch was made for another schema"},
	SchemaConflict: {422, "The columns do not fit those that exist"},
	NoSummary:      {409, "The table has no summary now"},
	LayoutChanged:  {409, "The summary has another layout by now"},
	Overloaded:     {503, "Too much at once"},
	Internal:       {500, "Something failed here"},
}

// NewProblem returns the problem of a code with its status and title.
func NewProblem(code Code, detail, hint string) *Problem {
	p := problems[code]
	return &Problem{Type: "urn:tidemark:" + string(code), Title: p.title, Status: p.status, Detail: detail, Code: code, Hint: hint}
}
