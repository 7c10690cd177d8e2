package uploader_test

import (
	"net/http"
	"testing"
	"testing/synctest"
	"time"
)

// A clock that is off is told until it is right again; what a round trip takes
// is not.
func TestClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ahead, date := time.Duration(0), true
		c := client(t, func(*http.Request) (*http.Response, error) {
			a := versions()
			if date {
				a.Header.Set("Date", time.Now().Add(-ahead).UTC().Format(http.TimeFormat))
			}
			return a, nil
		})
		var since time.Time
		for _, step := range []struct {
			ahead time.Duration
			date  bool
			want  time.Duration
		}{{0, true, 0}, {4 * time.Minute, true, 0}, {365 * 24 * time.Hour, true, 365 * 24 * time.Hour}, {0, false, 365 * 24 * time.Hour},
			{time.Hour, true, time.Hour}, {0, true, 0}, {-time.Hour, true, -time.Hour}} {
			ahead, date = step.ahead, step.date
			time.Sleep(time.Minute)
			if _, err := c.Versions(t.Context()); err != nil {
				t.Fatal(err)
			}
			got := c.State().Clock
			if (got.Ahead-step.want).Abs() > time.Second || got.Since.IsZero() != (step.want == 0) {
				t.Errorf("%+v: %+v", step, got)
			}
			if step.ahead == time.Hour && got.Since != since {
				t.Errorf("since %s, not %s", got.Since, since)
			}
			since = got.Since
		}
	})
}
