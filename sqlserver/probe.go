package sqlserver

import (
	"context"
	"database/sql/driver"
	"encoding/binary"
	"errors"
	"strings"

	"tidemark/internal/fault"
	"tidemark/internal/wire"
)

// A Probe is what one round trip tells of a source.
type Probe struct {
	DBTS    uint64 // the last row version that the database used
	Ceiling uint64 // no transaction that is still open can commit a row version at or below it
	// InFlight: a transaction that has used row versions is open, so that
	// Ceiling is below DBTS.
	InFlight bool
	// Rows is the number of rows of each table asked for, by object id; -1
	// where it is not known. Figures of open transactions are in it.
	Rows  map[int32]int64
	Marks Marks

	Snapshot              bool // the database allows SNAPSHOT isolation
	ReadCommittedSnapshot bool // READ COMMITTED reads versions, not locked rows
}

// Marks tell one incarnation of a database from another. What is not visible
// is "".
//
// Fork and DatabaseGUID change with a restore. Server and Created also change
// when an availability group fails over to a healthy replica, and alone mean
// nothing but that the rows remembered should be looked at again.
type Marks struct {
	Fork         string `json:"fork,omitempty"`          // recovery_fork_guid
	DatabaseGUID string `json:"database_guid,omitempty"` // database_guid
	Server       string `json:"server,omitempty"`        // SERVERPROPERTY('ServerName')
	Database     string `json:"database,omitempty"`      // DB_NAME()
	Created      string `json:"created,omitempty"`       // create_date, without zone
}

var created = wire.Type{Kind: wire.DateTime}

// Probe learns in one round trip what moved. It reads no table: only the
// database's counters and the catalog's figures.
func (s *Source) Probe(ctx context.Context, tables []*Table) (Probe, error) {
	const op = "look for changes"
	p, err := s.probe(ctx, tables)
	if lacking(err) && !errors.Is(err, ErrNoCeiling) && s.facts.Swap(nil) != nil {
		// A right or view that was there is gone: find out again what there is.
		p, err = s.probe(ctx, tables)
	}
	if errors.Is(err, ErrNoCeiling) {
		return Probe{}, fault.New(op, err, "Tidemark needs MIN_ACTIVE_ROWVERSION(), which SQL Server 2012 or later and Azure SQL have")
	}
	if err != nil {
		return Probe{}, named(op, err)
	}
	return p, nil
}

func (s *Source) probe(ctx context.Context, tables []*Table) (Probe, error) {
	f, err := s.know(ctx)
	if err != nil {
		return Probe{}, err
	}
	p := Probe{Rows: make(map[int32]int64, len(tables))}
	ids := make([]int32, 0, len(tables))
	for _, t := range tables {
		p.Rows[t.ObjectID] = -1
		ids = append(ids, t.ObjectID)
	}
	parts := make(map[string]*probePart, len(f.parts))
	var text strings.Builder
	for _, part := range f.parts {
		sql := part.sql
		if part == rowsPart {
			if len(ids) == 0 {
				continue
			}
			sql = rowsSQL(ids)
		}
		parts[part.first] = part
		text.WriteString(sql)
	}
	answered := false
	err = s.run(ctx, s.plain(text.String()), func(r *rows) error {
		for {
			var part *probePart
			if columns := r.Columns(); len(columns) > 0 {
				part = parts[columns[0]]
			}
			if part == nil {
				return errors.New("the answer has a part that was not asked for")
			}
			err := r.eachRow(func(v []driver.Value) error {
				answered = answered || part == ceilingPart
				part.read(&p, v)
				return nil
			})
			if err != nil {
				return err
			}
			if more, err := r.nextSet(); err != nil || !more {
				return err
			}
		}
	})
	if err == nil && !answered {
		err = errShort
	}
	if err != nil {
		return Probe{}, err
	}
	p.InFlight = p.Ceiling < p.DBTS
	p.Snapshot = p.Snapshot && !f.dialect.committed
	s.setIsolation(p.Snapshot)
	return p, nil
}

// rvOf reads a row version; 0 for anything else.
func rvOf(v driver.Value) uint64 {
	if b, ok := v.([]byte); ok && len(b) == 8 {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// guidOf reads a uniqueidentifier as text; "" for anything else.
func guidOf(v driver.Value) string {
	b, ok := v.([]byte)
	if !ok || len(b) != 16 {
		return ""
	}
	text := appendGUID(nil, b)
	return string(text[1 : len(text)-1])
}
