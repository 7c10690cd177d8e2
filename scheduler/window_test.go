package scheduler_test

import (
	"testing"
	"time"

	"tidemark/scheduler"
)

func TestWindow(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	weekdays := [7]bool{false, true, true, true, true, true, false}
	night := scheduler.Windows{{Days: weekdays, From: 22 * time.Hour, To: 6 * time.Hour, Zone: berlin}}
	lunch := scheduler.Windows{{Days: weekdays, From: 12 * time.Hour, To: 13*time.Hour + 30*time.Minute, Zone: berlin}}
	day := scheduler.Windows{{Days: weekdays, To: 24 * time.Hour, Zone: berlin}}
	tests := []struct {
		windows scheduler.Windows
		utc     string // Berlin is one hour ahead in winter, two in summer
		want    bool
	}{
		{nil, "2026-11-23T11:00:00Z", true},
		{lunch, "2026-11-23T10:59:59Z", false}, // a Monday
		{lunch, "2026-11-23T11:00:00Z", true},
		{lunch, "2026-11-23T12:29:59Z", true},
		{lunch, "2026-11-23T12:30:00Z", false},
		{lunch, "2026-07-20T10:00:00Z", true},  // summer
		{lunch, "2026-11-22T11:30:00Z", false}, // a Sunday
		{night, "2026-11-23T20:59:59Z", false},
		{night, "2026-11-23T21:00:00Z", true},
		{night, "2026-11-24T04:59:59Z", true},
		{night, "2026-11-24T05:00:00Z", false},
		{night, "2026-11-28T04:00:00Z", true},  // Saturday morning belongs to Friday
		{night, "2026-11-28T22:00:00Z", false}, // Saturday night to nobody
		{night, "2026-11-23T04:00:00Z", false}, // nor does Monday morning
		{night, "2026-10-25T00:30:00Z", false}, // clocks go back on a Sunday
		{day, "2026-11-23T22:59:59Z", true},
		{day, "2026-11-22T22:59:59Z", false},
	}
	for _, tt := range tests {
		at, err := time.Parse(time.RFC3339, tt.utc)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.windows.Contain(at); got != tt.want {
			t.Errorf("%v contains %s: %t", tt.windows, tt.utc, got)
		}
	}
}
