package config

import (
	"errors"
	"regexp"
	"strconv"
	"strings"
	"time"
)

const expectedDuration = `a duration such as 500ms, 30s, 5m, 24h or 7d`

var days = regexp.MustCompile(`^([0-9]{1,5})d`)

// parseDuration reads what time.ParseDuration reads, and days in front.
func parseDuration(text string) (time.Duration, error) {
	var d time.Duration
	if m := days.FindStringSubmatch(text); m != nil {
		n, err := strconv.Atoi(m[1])
		if err != nil {
			return 0, err
		}
		d, text = time.Duration(n)*24*time.Hour, text[len(m[0]):]
		if text == "" {
			return d, nil
		}
	}
	if strings.HasPrefix(text, "-") || strings.HasPrefix(text, "+") {
		return 0, errors.New("durations have no sign")
	}
	rest, err := time.ParseDuration(text)
	return d + rest, err
}

// formatDuration writes a duration as a person would: 24h, not 24h0m0s.
func formatDuration(d time.Duration) string {
	s := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(s, zero) {
			s = s[:len(s)-2]
		}
	}
	return s
}
