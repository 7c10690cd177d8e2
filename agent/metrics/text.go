package metrics

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"tidemark/agent"
)

// A text is being written in the format of Prometheus.
type text struct{ bytes.Buffer }

// family begins a family: its samples follow.
func (t *text) family(name, kind, help string) func(value float64, labels ...string) {
	begun := false
	return func(value float64, labels ...string) {
		if !begun {
			begun = true
			t.WriteString("# HELP " + name + " " + help + "\n# TYPE " + name + " " + kind + "\n")
		}
		t.WriteString(name)
		for i := 0; i < len(labels); i += 2 {
			sep := ","
			if i == 0 {
				sep = "{"
			}
			t.WriteString(sep + labels[i] + `="` + escape.Replace(labels[i+1]) + `"`)
		}
		if len(labels) > 0 {
			t.WriteByte('}')
		}
		t.WriteString(" " + strconv.FormatFloat(value, 'g', -1, 64) + "\n")
	}
}

var escape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

func unix(t *time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// Text is the whole exposition.
func Text(s agent.Status, r *Recorder, version string, p Process) []byte {
	var t text
	t.site(s, version)
	t.sources(s)
	t.tables(s)
	t.sums(s, r)
	t.process(p)
	return t.Bytes()
}

func (t *text) site(s agent.Status, version string) {
	t.family("tidemark_build_info", "gauge", "Always 1, with the version.")(1, "version", version)
	t.family("tidemark_healthy", "gauge", "1 when there is no problem and nothing is paused.")(bit(s.Healthy))
	t.family("tidemark_paused", "gauge", "1 when everything is paused.")(bit(s.Paused != nil))
	problems := s.Problems()
	t.family("tidemark_problems", "gauge", "Problems that there are now.")(float64(len(problems)))
	add := t.family("tidemark_problem_begun_timestamp_seconds", "gauge", "For each problem that there is now, the Unix time of its beginning.")
	for _, p := range problems {
		add(unix(&p.Since), "scope", p.Scope, "name", p.Name, "kind", string(p.Kind))
	}
	t.family("tidemark_cloud_requests_total", "counter", "Requests sent to the cloud, repetitions included.")(float64(s.Cloud.Requests))
	t.family("tidemark_cloud_sent_bytes_total", "counter", "Bytes of bodies sent to the cloud, compressed.")(float64(s.Cloud.Bytes))
	away := s.Cloud.Problem != nil && s.Cloud.Problem.Kind == agent.ProblemCloudAway
	t.family("tidemark_cloud_away", "gauge", "1 while the cloud does not answer.")(bit(away))
	if s.Cloud.Answered != nil {
		t.family("tidemark_cloud_answered_timestamp_seconds", "gauge", "Unix time of the cloud's last answer.")(unix(s.Cloud.Answered))
	}
}

func (t *text) sources(s agent.Status) {
	age := t.family("tidemark_source_ceiling_age_seconds", "gauge", "For how long an open transaction has held changes back, 0 when none does.")
	for _, src := range s.Sources {
		held := 0.0
		if src.CeilingSince != nil {
			held = max(0, s.Time.Sub(*src.CeilingSince).Seconds())
		}
		age(held, "source", src.Name)
	}
	probed := t.family("tidemark_source_answered_timestamp_seconds", "gauge", "Unix time of the source's last answer.")
	for _, src := range s.Sources {
		if src.Probed != nil {
			probed(unix(src.Probed), "source", src.Name)
		}
	}
}

// tables writes what each table is now.
func (t *text) tables(s agent.Status) {
	for _, f := range []struct {
		name, help string
		of         func(agent.TableStatus) (float64, bool)
	}{
		{"tidemark_table_lag_seconds", "Time since the first change that is known and not in the cloud was seen, 0 when there is none.",
			func(t agent.TableStatus) (float64, bool) { return t.Lag, true }},
		{"tidemark_table_high", "Highest row version seen at the source.",
			func(t agent.TableStatus) (float64, bool) { return float64(t.High), true }},
		{"tidemark_table_watermark", "Row version up to which the cloud has every row.",
			func(t agent.TableStatus) (float64, bool) { return float64(t.Watermark), true }},
		{"tidemark_table_local_rows", "Rows at the source, where known.",
			func(t agent.TableStatus) (float64, bool) { return known(t.LocalRows) }},
		{"tidemark_table_cloud_rows", "Rows in the cloud, where known.",
			func(t agent.TableStatus) (float64, bool) { return known(t.CloudRows) }},
		{"tidemark_table_synced_timestamp_seconds", "Unix time at which both sides were last known equal.",
			func(t agent.TableStatus) (float64, bool) { return at(t.Synced) }},
		{"tidemark_table_verified_timestamp_seconds", "Unix time of the last comparison that went through.",
			func(t agent.TableStatus) (float64, bool) { return at(t.Verified) }},
		{"tidemark_table_quarantine_rows", "Rows that could not be sent.", func(t agent.TableStatus) (float64, bool) {
			if t.Quarantine == nil {
				return 0, true
			}
			return float64(t.Quarantine.Rows), true
		}},
		{"tidemark_table_waiting_deletes", "Deletes that wait for a person.", func(t agent.TableStatus) (float64, bool) {
			if t.Approval == nil || t.Approval.Granted {
				return 0, true
			}
			return float64(t.Approval.Deletes), true
		}},
	} {
		add := t.family(f.name, "gauge", f.help)
		for _, table := range s.Tables {
			if v, ok := f.of(table); ok {
				add(v, "source", table.Source, "table", table.Name)
			}
		}
	}
	state := t.family("tidemark_table_state", "gauge", "1 for the state that the table is in.")
	for _, table := range s.Tables {
		state(1, "source", table.Source, "table", table.Name, "state", string(table.State))
	}
}

func known(n *int64) (float64, bool) {
	if n == nil {
		return 0, false
	}
	return float64(*n), true
}

func at(t *time.Time) (float64, bool) {
	if t == nil {
		return 0, false
	}
	return unix(t), true
}

// sums writes what has added up since the start.
func (t *text) sums(s agent.Status, r *Recorder) {
	counters := make([]Counters, len(s.Tables))
	for i, table := range s.Tables {
		counters[i] = r.Table(table.Name)
	}
	each := func(add func(float64, ...string), of func(Counters) float64) {
		for i, table := range s.Tables {
			add(of(counters[i]), "source", table.Source, "table", table.Name)
		}
	}
	byAction := t.family("tidemark_decisions_total", "counter", "Decisions, by what was decided: skip, nothing, upload, diff.")
	for i, table := range s.Tables {
		for _, action := range slices.Sorted(maps.Keys(counters[i].Decisions)) {
			byAction(float64(counters[i].Decisions[action]), "source", table.Source, "table", table.Name, "action", action)
		}
	}
	took := t.family("tidemark_work_seconds_total", "counter", "Time that uploads and diffs took.")
	for i, table := range s.Tables {
		for _, action := range slices.Sorted(maps.Keys(counters[i].Took)) {
			took(counters[i].Took[action].Seconds(), "source", table.Source, "table", table.Name, "action", action)
		}
	}
	each(t.family("tidemark_failures_total", "counter", "Cycles that ended with an error."), func(c Counters) float64 { return float64(c.Failures) })
	rows := t.family("tidemark_rows_total", "counter", "Rows read at the source, and what the cloud did with them.")
	for i, table := range s.Tables {
		c := counters[i]
		for _, o := range []struct {
			outcome string
			n       int64
		}{
			{"read", c.Read}, {"inserted", c.Inserted}, {"updated", c.Updated}, {"deleted", c.Deleted},
			{"unchanged", c.Unchanged}, {"quarantined", c.Quarantined},
		} {
			rows(float64(o.n), "source", table.Source, "table", table.Name, "outcome", o.outcome)
		}
	}
	each(t.family("tidemark_row_bytes_total", "counter", "Bytes of rows sent, before compression."), func(c Counters) float64 { return float64(c.Bytes) })
	each(t.family("tidemark_requests_total", "counter", "Requests to the cloud on behalf of the table."), func(c Counters) float64 { return float64(c.Requests) })
}

func (t *text) process(p Process) {
	t.family("process_start_time_seconds", "gauge", "Unix time of the start of the process.")(unix(&p.Started))
	if p.Resident > 0 {
		t.family("process_resident_memory_bytes", "gauge", "Resident memory, where the system tells.")(float64(p.Resident))
	}
	t.family("go_goroutines", "gauge", "Goroutines that there are now.")(float64(p.Goroutines))
	t.family("go_memstats_heap_inuse_bytes", "gauge", "Heap in use.")(float64(p.Heap))
	t.family("go_memstats_sys_bytes", "gauge", "Memory had from the system.")(float64(p.System))
}
