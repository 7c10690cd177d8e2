package wire

// A manifest is a list of (row version, key). Its lines are arrays: the stamp,
// then the key's columns in key order.
//
// A stamp names one state of one row of the cloud: the row version, and for a
// row that no batch of the current epoch has touched "@" and the number of its
// epoch behind it. Stamps are compared as text; deletes are guarded by them.

// ManifestMode is what is asked of the manifest endpoint.
type ManifestMode string

// The modes. Compare sends rows of the source up and learns which of them the
// cloud lacks or holds in another version. List reads the cloud's rows in key
// order, page by page.
const (
	Compare ManifestMode = "compare"
	List    ManifestMode = "list"
)

// A ManifestHeader is the first line of a request to the manifest endpoint.
type ManifestHeader struct {
	Protocol int          `json:"v"`
	Mode     ManifestMode `json:"mode"`
	Epoch    string       `json:"epoch"`
	Schema   string       `json:"schema"`
	Rows     int          `json:"rows"`            // compare: lines that follow
	After    string       `json:"after,omitempty"` // list: Next of the page before, "" for the first
	Limit    int          `json:"limit,omitempty"` // list: rows at most, 1 to 50,000
}

// A Comparison answers mode compare. Indexes are those of the lines sent,
// ascending from 0. Lines in neither list are equal on both sides.
type Comparison struct {
	Version Version `json:"version"`
	Missing []int   `json:"missing,omitempty"`
	Stale   []int   `json:"stale,omitempty"`
}

// A ListHeader is the first line of the answer to mode list; Rows manifest
// lines follow.
type ListHeader struct {
	Version Version `json:"version"`
	Rows    int     `json:"rows"`
	Next    string  `json:"next,omitempty"` // opaque; "" after the last page
}
