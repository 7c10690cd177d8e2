package main

import (
	"fmt"
	"time"
)

// The goals.
const (
	mostSteady   = 1.0 / 100 // of the baseline's blocks
	mostDay      = 1.0 / 20
	mostRequests = 1.0 // a customer and minute
	mostRecovery = 3.0 // of the steady state
)

// hours of a day of each kind: see level.
const (
	quietHours    = 8
	shoulderHours = 6
	workHours     = 10
)

// compare writes the figures of the fleet.
func (b *bench) compare(a figuresA, o figuresB) {
	r := &b.report
	quietA := float64(a.steady.blocks()) / steadyHours
	quietB := o.quiet.hourly(o.quiet.blocks())
	r.judge("blocks of a quiet hour, A to B", "at most 1:100", quietA <= mostSteady*quietB, "%s to %s, 1:%.0f", millions(quietA), millions(quietB), quietB/quietA)
	dayA := float64(a.day.blocks())
	dayB := quietHours*quietB + shoulderHours*o.shoulder.hourly(o.shoulder.blocks()) + workHours*o.work.hourly(o.work.blocks())
	r.judge("blocks of a day, A to B", "at most 1:20", dayA <= mostDay*dayB, "%s to %s, 1:%.1f", millions(dayA), millions(dayB), dayB/dayA)
	r.add("of these: B in hours that are quiet, shoulders, of work", "%s, %s, %s", millions(quietB), millions(o.shoulder.hourly(o.shoulder.blocks())), millions(o.work.hourly(o.work.blocks())))
	r.add("A in the day: batches, rows, comparisons, all requests", "%d, %d, %d, %d", a.dayTraffic.batches, a.dayTraffic.rows, a.dayTraffic.diffs, a.dayTraffic.total())
	indexed := o.indexedQuiet.hourly(o.indexedQuiet.blocks())
	r.add("B with an index on the row version, quiet and work", "%s (1:%.0f), %s", millions(indexed), indexed/quietA, millions(o.indexedWork.hourly(o.indexedWork.blocks())))
	perMinute := float64(a.requests.total()) / steadyHours / 60 / float64(b.customers)
	r.judge("requests of a customer in a quiet minute", "under 1", perMinute < mostRequests, "%.3f; B %.1f", perMinute, float64(o.quiet.statements)/o.quiet.time.Minutes()/float64(b.customers))
	r.judge("scans of tables of rows by requests of a quiet fleet", "none", a.scans.seq+a.scans.idx == 0, "%d of %d requests", a.scans.seq+a.scans.idx, a.requests.total())
	r.judge("an outage's recovery, highest minute", "at most 3 of the usual", worst(a.recovery, traffic.total) <= mostRecovery*mean(a.usual, traffic.total),
		"%.0f requests, %.2f of %.0f (usual highest %.2f); B %.2f of its statements", worst(a.recovery, traffic.total),
		worst(a.recovery, traffic.total)/mean(a.usual, traffic.total), mean(a.usual, traffic.total), worst(a.usual, traffic.total)/mean(a.usual, traffic.total),
		float64(o.recovery.worst)/(float64(o.work.statements)/o.work.time.Minutes()))
	rows := func(t traffic) int { return t.rows }
	r.add("the same, rows", "%.0f, %.2f of %.0f (usual highest %.2f)", worst(a.recovery, rows), worst(a.recovery, rows)/mean(a.usual, rows), mean(a.usual, rows), worst(a.usual, rows)/mean(a.usual, rows))
	all := sum(a.recovery)
	r.judge("longest request of the recovery, refused, failed", "under its deadline of 1 min, none", all.longest < time.Minute && all.refused+all.failed == 0, "%s, %d, %d", all.longest.Round(time.Millisecond), all.refused, all.failed)
	r.judge("sessions of the API in Postgres, at most", fmt.Sprintf("below %d", a.serverMax), a.connections < a.serverMax, "%d of its %d, of the server's %d", a.connections, a.limit, a.serverMax)
	r.add("a new table for all: customers that have it after an hour", "%d of %d; highest minute %.2f of the usual; %s blocks in two hours, B %s in the first quarter of one", a.loaded, b.customers,
		worst(a.rollout, traffic.total)/mean(a.usual, traffic.total), millions(float64(a.rolloutBlocks)), millions(float64(o.rollout.blocks())))
	steady := mean(a.steadyMinutes, traffic.total)
	r.judge("a storm of caps of skips, highest minute", "at most 3 of the usual", worst(a.caps, traffic.total) <= mostRecovery*steady,
		"%.0f requests, %.2f of %.0f; B %.2f of its statements", worst(a.caps, traffic.total), worst(a.caps, traffic.total)/steady, steady,
		float64(o.storm.worst)/(float64(o.quiet.statements)/o.quiet.time.Minutes()))
	r.add("all agents start at once at night, highest minute", "%.0f requests, %.2f of a quiet one, %.2f of a usual one by day", worst(a.storm, traffic.total),
		worst(a.storm, traffic.total)/steady, worst(a.storm, traffic.total)/mean(a.usual, traffic.total))
}

func worst(minutes []traffic, of func(traffic) int) float64 {
	most := 0
	for _, t := range minutes {
		most = max(most, of(t))
	}
	return float64(most)
}

func mean(minutes []traffic, of func(traffic) int) float64 {
	n := 0
	for _, t := range minutes {
		n += of(t)
	}
	return float64(n) / float64(len(minutes))
}

func sum(minutes []traffic) traffic {
	all := traffic{requests: map[string]int{}}
	for _, t := range minutes {
		all.add(t)
	}
	return all
}

func millions(n float64) string { return fmt.Sprintf("%.3g M", n/1e6) }
